"""The explorer process: loaded models and datasets, and the handlers of requests."""
