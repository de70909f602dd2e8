#!/bin/sh
# The demo: run jinja2's own test suite under whotests, then ask who tests what.
# Usage: demo.sh VENV, where VENV has whotests and pytest, and jinja2's source in VENV/project.
set -eu
PATH="$(cd "$1" && pwd)/bin:$PATH"
# jinja2's own settings for coverage.py would add branches, and its tests to what is measured.
WHOTESTS_CONFIG=/dev/null
export PATH WHOTESTS_CONFIG
cd "$1/project"

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# The same, but at most $1 lines of the answer.
show_first() {
    limit=$1
    shift
    printf '\n$ %s\n' "$*"
    "$@" > answer.txt
    head -n "$limit" answer.txt
    total=$(wc -l < answer.txt)
    if [ "$total" -gt "$limit" ]; then
        printf '… and %d more lines\n' "$((total - limit))"
    fi
}

show whotests run -- python -m pytest -q -p no:cacheprovider
show whotests status
show_first 40 whotests report
show whotests who jinja2.filters.do_truncate
show_first 40 whotests what test_truncate_end_length
