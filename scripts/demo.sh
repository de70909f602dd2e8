#!/bin/sh
# The demo: measure a part of networkx's own test suite, then ask who tests what.
# Usage: demo.sh VENV, where VENV has whotests, networkx and pytest installed.
set -eu
PATH="$(cd "$1" && pwd)/bin:$PATH"
export PATH

# A project of its own, so that the data lands there and no other settings apply.
mkdir -p "$1/project"
cd "$1/project"
printf '[tool.pytest.ini_options]\n' > pyproject.toml

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show whotests run --source networkx -- python -m pytest -q -p no:cacheprovider \
    --pyargs networkx.algorithms.shortest_paths networkx.algorithms.centrality
show whotests status
# Best-tested files are the interesting ones; the table of all of networkx is long.
printf '\n$ whotests report | (its head and its last lines)\n'
whotests report > report.txt
head -n 20 report.txt
printf '...\n'
tail -n 4 report.txt
show whotests who networkx.algorithms.shortest_paths.astar.astar_path_length
show whotests what test_astar_multigraph
