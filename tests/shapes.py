"""Check of the shapes in `engine.arrays` wherever a function of the engine is called while tests run."""

import importlib.machinery
import inspect
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Annotated, Any, Union, get_args, get_origin

import jaxtyping
import numpy as np
from beartype import beartype

# Rooms of pure arrays. Where arrays become tensors, Keras checks the shapes.
ROOMS = ("analysis", "augmentation", "denoising", "evaluation", "latent", "lesions", "metrics", "noise", "pca")
KINDS = {
    np.float32: jaxtyping.Float32,
    np.float64: jaxtyping.Float64,
    np.floating: jaxtyping.Float,
    np.int64: jaxtyping.Int64,
    np.bool_: jaxtyping.Bool,
    Any: jaxtyping.Shaped,
}


def install() -> None:
    """Check the functions of all modules in `ROOMS` that are imported from now on."""
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(tuple(f"engine.{room}" for room in ROOMS)):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _check_members(module, module.__name__)


def _check_members(owner: ModuleType | type, home: str) -> None:
    for name, member in list(vars(owner).items()):
        if getattr(member, "__module__", None) != home:
            continue
        if inspect.isclass(member):
            _check_members(member, home)
        elif inspect.isfunction(member) and (hints := find_shapes(member)):
            setattr(owner, name, check(member, hints))


def find_shapes(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of a function that are arrays with shapes, and its result, as types of jaxtyping."""
    checked = {name: _to_jaxtyping(hint) for name, hint in function.__annotations__.items()}
    return {name: hint for name, hint in checked.items() if hint is not None}


def check(function: Callable[..., Any], hints: dict[str, Any]) -> Callable[..., Any]:
    """Return a function that raises `jaxtyping.TypeCheckError` where an argument or the result has another shape."""
    names = [*inspect.signature(function).parameters, "return"]
    function.__annotations__ = {name: hints.get(name, Any) for name in names}
    return jaxtyping.jaxtyped(typechecker=beartype)(function)


def _to_jaxtyping(hint: Any) -> Any:
    """Convert the annotation of an array, or of an array or None; return None for any other."""
    if get_origin(hint) is Annotated:
        array, shape = get_args(hint)
        return KINDS[_dtype(array)][np.ndarray, shape] if isinstance(shape, str) else None
    parts = [_to_jaxtyping(part) or part for part in get_args(hint)]
    optional = type(None) in parts and any(isinstance(part, type) and part is not type(None) for part in parts)
    return Union[tuple(parts)] if optional and len(parts) == 2 and parts != list(get_args(hint)) else None  # noqa: UP007


def _dtype(array: Any) -> Any:
    kind = get_args(get_args(array)[1])[0]
    return get_origin(kind) or kind
