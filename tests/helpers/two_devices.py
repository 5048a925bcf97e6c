"""Train a small model on as many virtual CPU devices as told: python -m helpers.two_devices MODEL DEVICES FILE.npz.

Writes losses, weights and predictions. A process of its own, since devices are fixed when a backend starts.
"""

import os
import sys
from dataclasses import replace
from importlib.util import find_spec


def virtual(count: int) -> None:
    """Split the CPU before Keras is loaded."""
    given = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{given} --xla_force_host_platform_device_count={count}"
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow" and find_spec("tensorflow"):
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)


def train(name: str, file: str) -> None:
    """A few epochs, stages and all, of a small model."""
    import keras
    import numpy as np

    from helpers.small_models import CLASSES, SMALL
    from mer_tf.config import Train
    from mer_tf.datasets.windows import plan_windows
    from mer_tf.training.trainer import FoldTrainer, predict_clips

    small = SMALL[name]
    store, clips = small.store(), small.clips()
    config = Train(
        epochs=2, stream_epochs=1, batch_size=4, learning_rate=0.05, optimizer="sgd", momentum=0.5, data_parallel=True
    )
    config = replace(config, jit_compile=keras.backend.backend() == "jax")
    trainer = FoldTrainer(small.model, config, small.config.stages)
    for fold in range(2):  # the second shows that a fold starts afresh
        history = trainer.fit(
            store, plan_windows(clips, store.length, small.clip, CLASSES, fold), clips, small.clip.frames, fold
        )
    weights = {f"weight {k}": value for k, value in enumerate(trainer.model.get_weights())}
    shares = predict_clips(trainer.model, store, list(clips), small.clip)
    devices = np.array(len(keras.distribution.list_devices()))
    np.savez(file, devices=devices, loss=history["loss"].to_numpy(), shares=shares, **weights)


if __name__ == "__main__":
    virtual(int(sys.argv[2]))
    train(sys.argv[1], sys.argv[3])
