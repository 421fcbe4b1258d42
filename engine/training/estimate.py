"""What a run will cost on this machine: parameters, memory, and the time of its parts, from a few real steps.

This module does not import Keras; `engine.training.trial_steps`, which does the work, is imported once the backend is
configured.
"""

from engine.backend import describe_failure, import_on_backend
from engine.config import RunConfig
from engine.errors import EngramError, is_framework_error
from engine.job_context import Cancelled, JobContext
from engine.messages import Emit, RunEstimated, ShouldStop, never_stop


def estimate(config: RunConfig, token: str, emit: Emit, should_stop: ShouldStop = never_stop) -> None:
    """Measure the cost of a run on random images, without a run folder.

    Args:
        config: the settings of the run.
        token: returned in the events, so that their receiver knows what they are about.
        emit: called with a `RunEstimated` as soon as the parameters are known, and with another at the end.
        should_stop: asked after every step; True ends the measurement, without a second event.
    """
    try:
        steps = import_on_backend("engine.training.trial_steps", config.training)
        steps.measure(config, token, emit, JobContext(should_stop))
    except Cancelled:
        return
    except EngramError as error:
        emit(RunEstimated(token=token, reason=str(error)))
    except Exception as error:
        if isinstance(error, MemoryError | RuntimeError | OSError) or is_framework_error(error):
            emit(RunEstimated(token=token, reason=str(describe_failure(error, config.training.batch_size))))
            return
        raise
