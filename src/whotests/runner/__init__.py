"""Runs suites in hosts' processes, here or on a cluster, and gives each test one verdict.

May import all below it: hosts' words, recording, the store. Refuses to know how tests of a kind
are run, which is the hosts', and to print, which is the reports'.
"""
