"""The programs that an engine process runs."""
