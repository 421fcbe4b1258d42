"""Engram: `python main.py` opens the window; `python -m engine` is the same without one."""

import sys

from gui.launch import main

if __name__ == "__main__":
    sys.exit(main())
