"""Which bench an experiment is run on."""

from __future__ import annotations

from mer_tf.config import Experiment
from mer_tf.descriptors import Classical
from mer_tf.inputs.clips import Clips
from mer_tf.inputs.descriptor_grid import GridStore
from mer_tf.inputs.prepare import Encoded
from mer_tf.models.kernel_model import KernelModel
from mer_tf.protocols.classical import ClassicalBench
from mer_tf.protocols.kernel import KernelBench
from mer_tf.protocols.tuning import TunedBench
from mer_tf.protocols.workbench import Bench, Workbench


def bench_of(experiment: Experiment, clips: Clips, encoded: Encoded) -> Workbench:
    """The bench of an experiment: for classical systems, for kernels of flow images, or for Keras models."""
    experiment = experiment.model.settled(experiment)
    if isinstance(experiment.model, KernelModel):
        return KernelBench(experiment, clips, encoded)
    if isinstance(experiment.model, Classical):
        kind = TunedBench if isinstance(encoded.store, GridStore) else ClassicalBench
        return kind(experiment, clips, encoded)
    return Bench(experiment, clips, encoded)
