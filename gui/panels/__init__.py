"""The panels; they do not know each other."""
