"""Mutated files for every reader: `make fuzz`, and a short run in the suite. See docs/development/reliability.md."""
