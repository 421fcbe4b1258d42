"""Train a model: the job, the trainer, its callbacks and checkpoints."""
