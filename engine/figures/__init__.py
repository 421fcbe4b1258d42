"""What leaves the program to be looked at: figures, tables, one-file HTML pages. Each carries the mark."""

DISCLAIMER = "For research and teaching only. Not for diagnosis."
