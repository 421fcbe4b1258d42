"""As much of Keras as the process of a trial asks for itself."""

from types import SimpleNamespace

backend = SimpleNamespace(backend=lambda: "tensorflow")
utils = SimpleNamespace(set_random_seed=lambda seed: None)
config = SimpleNamespace(
    set_floatx=lambda name: None, set_image_data_format=lambda name: None, set_epsilon=lambda value: None
)
