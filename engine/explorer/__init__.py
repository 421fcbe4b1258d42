"""What the explorer process answers: warm models and data, and the handlers of requests."""
