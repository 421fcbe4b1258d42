"""Looking through trained models: what the explorer process answers."""
