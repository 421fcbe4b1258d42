"""Handler of the request for calibrated intervals of a denoised image."""

from collections.abc import Callable
from typing import Any, Protocol

from engine.arrays import Images
from engine.denoising.noisy_image import NoiseShape, estimate_noise
from engine.errors import ConfigError
from engine.evaluation import references
from engine.explorer.context import ExplorerContext, ResumableJobs
from engine.job_context import JobContext
from engine.latent import denoised_intervals
from engine.latent.denoised_intervals import MAX_IMAGES, DenoisedIntervals, IntervalSubject, NoiseLevel
from engine.messages import DenoiseIntervals, DenoiseIntervalsReply, ImagesRequest, IntervalMap, Reply, Request
from engine.noise import add_noise
from engine.runs import Run


class IntervalContext(ExplorerContext, Protocol):
    """The parts of an explorer that this handler uses."""

    def noise_shape(self, request: ImagesRequest, side: int) -> NoiseShape:
        """Return what white noise is like in the image of a request, prepared at a side."""
        ...


class IntervalHandlers:
    """The handler of the request for intervals, and the computations that were preempted."""

    def __init__(self, context: IntervalContext) -> None:
        self._context = context
        self._jobs = ResumableJobs()

    def answers(self) -> dict[type[Request], Callable[[Any], Reply]]:
        """Return the handler of the request."""
        return {DenoiseIntervals: self.denoise_intervals}

    def denoise_intervals(self, request: DenoiseIntervals) -> DenoiseIntervalsReply:
        """Return the map of each run.

        Raises:
            ConfigError: a baseline is among the runs.
            DataError: there are too few validation images.
            Cancelled: the request was canceled; the next one continues.
        """
        context, maps, count = self._context.job_context(request), {}, len(request.runs)
        for number, name in enumerate(request.runs):
            part = context.as_part(MAX_IMAGES * number, MAX_IMAGES * count) if count > 1 else context
            maps[name] = self._map(name, request, part)
        return DenoiseIntervalsReply(runs=maps)

    def _map(self, name: str, request: DenoiseIntervals, context: JobContext) -> IntervalMap:
        if references.parse_reference(name) is not None:
            raise ConfigError("A baseline has no calibrated interval.", "Choose a run.")
        model, run = self._context.model(name)
        images = self._context.dataset(request.data.model_copy(update={"size": run.config.data.size}))
        seen = denoised_intervals.find_training_keys(run, images, self._context.dataset)
        subject = IntervalSubject(run, model, images, seen)
        noisy, noise = self._add_noise(request, run)
        found = self._jobs.run(subject.key(noise), lambda _: denoised_intervals.load_or_fit(subject, noise), context)
        half_width = found.scale.half_width(denoised_intervals.predict_denoised(model, noisy).deviation)
        return _to_map(found, half_width, request.already_noisy)

    def _add_noise(self, request: DenoiseIntervals, run: Run) -> tuple[Images, NoiseLevel]:
        """Return the noisy image at the size of a run, and the noise in it."""
        side = run.config.data.size
        originals, _ = self._context.load_images(request, side)
        if not request.already_noisy:
            noisy = add_noise(originals, request.noise, request.sigma, request.seed)
            return noisy, NoiseLevel(request.noise, request.sigma).round()
        estimate = estimate_noise(originals[0, ..., 0], self._context.noise_shape(request, side))
        return originals, denoised_intervals.assume_noise(run.config.noise, estimate.gaussian, estimate.rician)


def _to_map(found: DenoisedIntervals, half_width: Images, is_estimated: bool) -> IntervalMap:
    return IntervalMap(
        half_width=half_width[0, ..., 0],
        noise=found.noise.kind,
        sigma=found.noise.level,
        coverage=found.coverage,
        confidence=found.interval,
        images=found.scale.images,
        sentence=found.summary(is_estimated),
    )
