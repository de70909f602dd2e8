"""`python -m whotests` is `whotests`."""

from whotests.cli import main

if __name__ == "__main__":
    main()
