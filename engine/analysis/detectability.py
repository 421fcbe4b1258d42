"""Detectability of a lesion after each layer: how well an ideal observer could tell an image from its healthy twin.

Definition. White noise of standard deviation sigma is added to the image, so that detection is not trivial. For the
image x0 and the lesion s (the difference from the twin) the ideal observer of the image has d' = |s| / sigma. The
observer of layer f reads f's activations and weights them linearly. For small noise f(x + n) = f(x) + J n with the
layer's derivative J: the noise of the activations has covariance sigma^2 J J^T, a little more lesion moves them by J s,
and the best linear (Hotelling) observer, which is the ideal one in this case, has

    d'^2 = (J s)^T (sigma^2 J J^T)^+ (J s) = |P s|^2 / sigma^2,        P: the projection onto the rows of J

So the share of d' that a layer retains is the cosine between the lesion and the nearest image that weights of the layer
can be backpropagated to. It depends neither on sigma nor on how a layer scales or bends its input: an invertible
operation costs nothing, and no layer can regain what earlier ones have lost. A lesion is no small change, so the share
is computed at some points between the healthy twin and the lesion and averaged: d' is the length of that path in
Fisher's metric.

Computation. Conjugate gradients for least squares approximate P s, min |s - J^T w|, with J^T w from the framework's
gradient and J v from differences. The steps are the channels of partial least squares, known to be efficient channels
of such observers. The result is the observer with a limited number of channels, which does not use what a layer retains
only very faintly. It is a linear observer at each point of the path, so what it detects is really there.

With skip connections, everything that still reaches the output counts: `held` is the observer of all tensors that a
later layer receives, `alone` of the one layer.

Barrett, Myers: Foundations of Image Science (2004), chapter 13. Barrett et al.: Model observers for assessment of image
quality, PNAS 90 (1993). Witten, Park, Myers: Partial least squares: a method to estimate efficient channels for the
ideal observers, IEEE Trans. Medical Imaging 29 (2010). Cover, Thomas: Elements of Information Theory, 2.8, the data
processing inequality.
"""

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis import layers, make_unknown_layer_error
from engine.analysis.gradients import make_vjp
from engine.analysis.layers import LayerInfo
from engine.analysis.tensor_sources import IMAGES, is_invertible
from engine.arrays import Images, PerImage
from engine.errors import ConfigError
from engine.job_context import UNATTENDED, JobContext, Steps, run_steps

Changes = Annotated[NDArray[np.float64], "n height width 1"]
Shares = NDArray[np.float64]
BATCH_SIZE = 24  # images
STOP_AT, MIN_GAIN = 0.999, 0.001
# A layer that receives less than this share of the lesion has nothing to lose.
MIN_SIGNAL = 0.01


@dataclass(frozen=True)
class Observer:
    """Settings of the observers.

    Args:
        noise: standard deviation of the noise on the image, intensities; d' is inversely proportional to it.
        path_points: number of points between the healthy twin and the lesion.
        channels: maximum number of channels of an observer.
        fd_step: largest change of a pixel for a finite difference, intensities.
        skip_invertible: invertible layers (`is_invertible`) are taken to retain all their input, which saves two thirds
            of the computation; otherwise they are measured like all other layers.
    """

    noise: float = 0.05
    path_points: int = 2
    channels: int = 16
    fd_step: float = 0.01
    skip_invertible: bool = True


@dataclass(frozen=True, eq=False)
class DetectabilityResult:
    """Detectability of some lesions along a model.

    Args:
        layers: the model's layers in network order.
        first: (pairs,), d' in the image itself.
        held: (layers, pairs), d' of all tensors that later layers receive, after this layer.
        alone: (layers, pairs), d' of this layer alone.
    """

    layers: tuple[LayerInfo, ...]
    first: Shares
    held: Shares
    alone: Shares

    @property
    def lost(self) -> Shares:
        """Return the share of the remaining d' that each layer loses, (layers, pairs); 0 if nearly nothing was left."""
        before = np.concatenate([self.first[np.newaxis], self.held[:-1]])
        left = np.where(before > MIN_SIGNAL * self.first, self.held / np.where(before > 0, before, 1.0), 1.0)
        return np.asarray(np.clip(1.0 - left, 0.0, 1.0))

    @property
    def worst_layer(self) -> int | None:
        """Return the index of the layer with the largest loss, by the mean over pairs; None if no layer loses any."""
        lost = self.lost.mean(axis=1)
        return int(lost.argmax()) if lost.max(initial=0.0) > 0 else None


def trace_lesions(
    model: keras.Model,
    pictures: Images,
    healthy: Images,
    observer: Observer | None = None,
    context: JobContext = UNATTENDED,
) -> DetectabilityResult:
    """Compute the detectability of lesions along a model.

    Args:
        model: a built model of Engram.
        pictures: (pairs, size, size, 1) float32 in [0, 1], with the lesions.
        healthy: their twins without lesion, the same shape.
        observer: settings of the observers.
        context: checked before each layer; receives the number of processed layers and the total.

    Returns:
        The detectability.

    Raises:
        ConfigError: there is no pair, or one whose images are equal.
        Cancelled: the caller asked to stop.
    """
    return run_steps(trace_lesions_in_steps(model, pictures, healthy, observer), context)


def trace_lesions_in_steps(
    model: keras.Model,
    pictures: Images,
    healthy: Images,
    observer: Observer | None = None,
    names: Collection[str] | None = None,
) -> Steps[DetectabilityResult]:
    """Compute what `trace_lesions` returns; yield before every measured layer.

    Args:
        model: a built model of Engram.
        pictures: see `trace_lesions`.
        healthy: see `trace_lesions`.
        observer: settings of the observers.
        names: layers to measure; all of them if None. The loss of a layer counts from the previous measured one.

    Raises:
        ConfigError: see `trace_lesions`; or the model has no layer of that name.
    """
    how = observer or Observer()
    signal = (pictures - healthy).astype(np.float64)
    strength = np.sqrt(np.square(signal).sum(axis=(1, 2, 3)))
    if not len(signal) or not strength.all():
        raise ConfigError("There is no lesion in any of the pairs.", "Use images that differ from their healthy twins.")
    walked = layers.trace_layers(model)
    known = [layer.name for layer, _ in walked]
    if strange := sorted(set(names or ()) - set(known)):
        raise make_unknown_layer_error(strange[0], known)
    wanted = set(known) if names is None else set(names)
    held, alone = yield from _compute_shares(_LesionPath(model, healthy, signal, how), walked, wanted)
    # What a later layer still shows, an earlier one has held.
    held = np.maximum.accumulate(held[::-1])[::-1]
    first = strength / how.noise
    seen = tuple(layer for layer, _ in walked if layer.name in wanted)
    return DetectabilityResult(seen, first, held * first, alone * first)


def key_layers(known: Sequence[LayerInfo]) -> list[str]:
    """Return a few layers that represent the path of a lesion: the last one of each size, and the output.

    Layers that are called a second time, for example for a mirrored image, and mere reshapes are left out.
    """
    seen = [layer for layer in known[:-1] if "#" not in layer.name and layer.kind not in ("Flatten", "Reshape")]
    last = [layer.name for layer, after in itertools.pairwise([*seen, known[-1]]) if after.shape != layer.shape]
    return [*last, known[-1].name]


def live_tensors(known: Sequence[LayerInfo], index: int) -> list[str]:
    """Return the names of all tensors that still reach the last layer, after layer `index`.

    Tensors that lead nowhere, such as the log-variance of a variational model, are not among them.
    """
    needed, last_use = {known[-1].name}, {known[-1].name: len(known)}
    for place in range(len(known) - 1, -1, -1):
        if known[place].name not in needed:
            continue
        given = known[place].receives or ((known[place - 1].name if place else IMAGES),)
        for name in given:
            needed.add(name)
            last_use.setdefault(name, place)
    made = [IMAGES, *(layer.name for layer in known[: index + 1])]
    return [name for name in made if name in needed and last_use[name] > index]


def _compute_shares(
    walk: "_LesionPath", walked: Sequence[tuple[LayerInfo, Any]], wanted: Collection[str]
) -> Steps[tuple[Shares, Shares]]:
    """Compute the shares (layers, pairs) held after each wanted layer, and by it alone."""
    asked: dict[tuple[str, ...], Shares] = {}
    known = [layer for layer, _ in walked]
    # The layer that carries the same information.
    same = {layer.name: layer.name for layer in known} | {IMAGES: IMAGES}
    held: list[Shares] = []
    alone: list[Shares] = []
    for index, (layer, operation) in enumerate(walked):
        if walk.how.skip_invertible and len(layer.receives) == 1 and is_invertible(operation):
            same[layer.name] = same[layer.receives[0]]
        if layer.name not in wanted:
            continue
        yield len(held), len(wanted)
        ahead = tuple(sorted({same[name] for name in live_tensors(known, index)}))
        for names in (ahead, (same[layer.name],)):
            if names not in asked:
                asked[names] = walk.compute_retained(names, held[-1] if held else None)
        held.append(asked[ahead])
        alone.append(asked[same[layer.name],])
    return np.array(held), np.array(alone)


@dataclass(frozen=True, eq=False)
class _LesionPath:
    """Path from healthy images to their lesions, along which layers are measured."""

    model: keras.Model
    healthy: Images
    signal: Changes
    how: Observer

    def compute_retained(self, names: tuple[str, ...], most: Shares | None = None) -> Shares:
        """Compute the share of d' that some layers together retain of each lesion: (pairs,), from 0 to 1.

        The search ends when it reaches `most`, the share before these layers.
        """
        if names == (IMAGES,):
            return np.ones(len(self.signal))
        at = (np.arange(self.how.path_points) + 0.5) / self.how.path_points
        signal = np.concatenate([self.signal] * len(at))
        points = np.concatenate([self.healthy + share * self.signal for share in at]).astype(np.float32)
        enough = STOP_AT * np.tile(np.ones(len(self.signal)) if most is None else most, len(at))
        found = []
        for i in range(0, len(points), BATCH_SIZE):
            part = slice(i, i + BATCH_SIZE)
            derivative = _Derivative(self.model, names, points[part], self.how.fd_step)
            found.append(_cosines(derivative, signal[part], enough[part], self.how.channels))
        return np.asarray(np.concatenate(found).reshape(len(at), -1).mean(axis=0))


@dataclass(frozen=True, eq=False)
class _Derivative:
    """Derivative J of some layers at some images, each image with its own."""

    model: keras.Model
    names: tuple[str, ...]
    points: Images
    fd_step: float

    def forward(self, change: NDArray[np.float64]) -> list[NDArray[np.float32]]:
        """Compute J v for a change v of each image: one array per layer, by central differences."""
        size = np.abs(change).max(axis=(1, 2, 3), keepdims=True)
        small = (change * (self.fd_step / np.where(size > 0, size, 1.0))).astype(np.float32)
        # Both sides in one pass: for a few images the overhead of the layers is most of its time.
        both = self._activations(np.concatenate([self.points + small, self.points - small]))
        scale = (size / (2 * self.fd_step)).reshape(-1).astype(np.float32)
        count = len(change)
        return [(each[:count] - each[count:]) * _broadcast_per_image(scale, each[:count]) for each in both]

    def back(self, weights: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Compute J^T w for weights w of each image's activations: the shape of the images."""
        return self._vjp(weights).astype(np.float64)

    @cached_property
    def _vjp(self) -> Callable[[Sequence[NDArray[np.float32]]], Images]:
        def activations(given: Any) -> tuple[Any, ...]:
            found = layers.activation_tensors(self.model, given, self.names)
            return tuple(keras.ops.cast(found[name], "float32") for name in self.names)

        return make_vjp(activations, self.points)

    def _activations(self, pictures: Images) -> list[NDArray[np.float32]]:
        with layers.no_grad():
            found = layers.activation_tensors(self.model, keras.ops.convert_to_tensor(pictures), self.names)
        return [np.asarray(keras.ops.convert_to_numpy(found[name])).astype(np.float32) for name in self.names]


def _cosines(derivative: _Derivative, signal: Changes, enough: PerImage, channels: int) -> PerImage:
    """Compute the cosine between each lesion and the nearest J^T w of a number of channels; never too large."""
    left, kept = signal.copy(), np.zeros(len(signal))
    direction = response = derivative.forward(left)
    size = _dot(response, response)
    for _ in range(channels):
        led_back = derivative.back(direction)
        length = np.square(led_back).sum(axis=(1, 2, 3))
        far = (led_back * left).sum(axis=(1, 2, 3)) / np.where(length > 0, length, 1.0)
        left -= far[:, None, None, None] * led_back
        before, kept = kept, np.maximum(kept, _cosine(signal, signal - left))
        if np.all((kept > enough) | (kept - before < MIN_GAIN)):
            break
        response = derivative.forward(left)
        new = _dot(response, response)
        turn = (new / np.where(size > 0, size, 1.0)).astype(np.float32)
        direction = [a + _broadcast_per_image(turn, a) * d for a, d in zip(response, direction, strict=True)]
        size = new
    return kept


def _cosine(one: Changes, other: Changes) -> PerImage:
    axes = (1, 2, 3)
    lengths = np.sqrt(np.square(one).sum(axis=axes) * np.square(other).sum(axis=axes))
    return np.asarray(np.clip((one * other).sum(axis=axes) / np.where(lengths > 0, lengths, 1.0), 0.0, 1.0))


def _dot(ones: Sequence[NDArray[np.float32]], others: Sequence[NDArray[np.float32]]) -> PerImage:
    return np.asarray(
        sum(
            np.einsum("ij,ij->i", a.reshape(len(a), -1), b.reshape(len(b), -1), dtype=np.float64)
            for a, b in zip(ones, others, strict=True)
        )
    )


def _broadcast_per_image(values: NDArray[np.float32], array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reshape one number per image to broadcast with the image's activations."""
    return values.reshape(-1, *(1,) * (array.ndim - 1))
