"""``python -m jacobi`` is the command line."""

import sys

from jacobi.cli import main

if __name__ == "__main__":
    sys.exit(main())
