"""The window: it knows Qt and messages, and no framework."""
