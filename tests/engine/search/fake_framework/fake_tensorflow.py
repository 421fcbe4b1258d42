"""As much of TensorFlow as the process of a trial asks for itself."""

from types import SimpleNamespace

config = SimpleNamespace(
    threading=SimpleNamespace(
        set_intra_op_parallelism_threads=lambda count: None,
        set_inter_op_parallelism_threads=lambda count: None,
    ),
    experimental=SimpleNamespace(enable_op_determinism=lambda: None),
)


def get_logger():
    return SimpleNamespace(setLevel=lambda level: None)
