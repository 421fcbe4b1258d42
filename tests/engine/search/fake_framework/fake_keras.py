"""As much of Keras as the process of a trial asks for itself."""

from types import SimpleNamespace

backend = SimpleNamespace(backend=lambda: "tensorflow")
utils = SimpleNamespace(set_random_seed=lambda seed: None)
