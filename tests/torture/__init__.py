"""Trials by force that are no part of the suite: `make torture`, described in docs/reliability.md."""
