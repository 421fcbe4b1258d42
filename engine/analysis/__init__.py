"""Analysis of trained models, which the explorer process runs."""
