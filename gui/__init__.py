"""The app: it knows Qt and the engine's messages, and no machine learning framework."""
