"""Trials by force that are no part of the suite: `make torture`, described in docs/development/reliability.md."""
