"""Runs the launcher under its former name, for one release. Use `python -m launcher`."""

import sys

from launcher import main

if __name__ == "__main__":
    print("`python -m serve` is deprecated and goes with the next release. Use `python -m launcher`.", file=sys.stderr)
    main()
