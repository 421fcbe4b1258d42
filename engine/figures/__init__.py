"""Exports: figures, tables, HTML pages of one file. Each carries the disclaimer."""

DISCLAIMER = "For research and teaching only. Not for diagnosis."
