"""Which hosts run what was asked for: by what was typed, by configuration, by the text of files.

May import what stands below the runner, and what was asked for. Refuses to import the user's code.
"""
