"""What leaves the program to be looked at: figures, tables, one-file HTML pages. Each carries the mark."""

MARK = "Research and teaching, not for diagnosis"
