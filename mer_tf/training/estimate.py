"""What a training will cost, told from its first steps: time, memory, disk."""

from __future__ import annotations

import logging
import sys
import time

import keras

from mer_tf.progress import Progress

log = logging.getLogger("mer_tf")
WARM, LAST = 2, 6
"""The step after which the clock starts (the first one compiles), and the step after which the estimate is said."""


class FirstSteps(keras.callbacks.Callback):
    """Says once, from the first steps of a training, how long all of it takes, and what memory and disk it needs.

    epochs: of all folds together; models: checkpoints that will be kept. A part of a model that is trained before the
    whole (paper A's streams) has shorter steps than the last, and the estimate is of the first part's.
    """

    async_safe = True
    """So that Keras, on JAX, begins the next step while this one is looked at. On TensorFlow it waits in any case."""

    def __init__(self, epochs: int, models: int) -> None:
        super().__init__()
        self.epochs, self.models = epochs, models
        self.started, self.said = 0.0, False

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self.said:
            return
        if batch + 1 <= WARM:
            self.started, self.begun = time.monotonic(), batch
        elif batch + 1 >= min(LAST, self.params.get("steps") or LAST):
            self.say((time.monotonic() - self.started) / (batch - self.begun))

    def say(self, step: float) -> None:
        self.said = True
        steps = self.params.get("steps") or 1
        total = Progress.format_interval(step * steps * self.epochs)
        disk = self.models * 4 * self.model.count_params() / 2**20
        log.info(
            "estimate from the first steps: %.3g s a step, %d steps an epoch, %d epochs in all: %s; memory so far "
            "%s; checkpoints: %.1f MiB",
            step,
            steps,
            self.epochs,
            total,
            memory(),
            disk,
        )


def memory() -> str:
    """The most memory that this process has held, in GiB; "unknown" on a system that does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return "unknown"
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.1f} GiB"
