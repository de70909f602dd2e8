"""Workers: agents, and the processes of hosts that they start, watch over and bury.

May import hosts' words and the runner's values. Refuses to choose what is run next.
"""
