"""Mutated files for every reader: `make fuzz`, and a short run in the suite. Described in docs/development/reliability.md."""
