"""Numbers that can be trusted: of a model on whole splits, with their uncertainty, beside yardsticks."""
