"""Could one mechanism train all folds of any small network? A step under vmap against steps one after the other.

Weights, optimiser and batch statistics of all folds are stacked, and one step of one fold is mapped over them
(`jax.vmap`, which `keras.ops.vectorized_map` is with JAX). The images are the same for all folds; each leaves its own
person out of its loss. Needs KERAS_BACKEND=jax.

    KERAS_BACKEND=jax python benchmarks/folds_by_vmap.py     # prints the table and writes it into benchmarks/RESULTS.md
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import keras
import numpy as np
import tyro
from keras import ops
from results import keep, processor, table, timed

from mer_tf.models.off_apexnet import OffApexNet
from mer_tf.models.rcn import Rcn
from mer_tf.models.ststnet import StstNet

SIDE, CLASSES, FEATURES = 28, 3, 2048
NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "STSTNet": lambda: StstNet().build({"flow_image": (SIDE, SIDE, 3)}, CLASSES),
    "OFF-ApexNet": lambda: OffApexNet().build({"flow_image": (SIDE, SIDE, 3)}, CLASSES),
    "RCN-A": lambda: Rcn().build({"flow_image": (SIDE, SIDE, 3)}, CLASSES),
    "linear head of 2048 features": lambda: _head(),
}


def main(batch: int = 128, folds: int = 16, rounds: int = 3, write: bool = True) -> None:
    """Measure every network, print the table, and write it into RESULTS.md.

    Args:
        batch: Flow images in a step.
        folds: Folds whose steps are taken.
        rounds: Timed turns of both ways; medians are compared.
        write: Write the table into RESULTS.md too.
    """
    rows = [[name, *_measured(make, batch, folds, rounds)] for name, make in NETWORKS.items()]
    columns = ["network", "one after the other, s", "of CPU time", "all at once, s", "of CPU time", "faster", "CPU"]
    text = (
        f"## Folds mapped over one step\n\n`KERAS_BACKEND=jax python benchmarks/folds_by_vmap.py`: one step of {folds} "
        f"folds, batches of {batch} images; medians of {rounds} turns, {processor()}.\n\n{table(columns, rows)}\n\n"
        "Convolutions whose kernels differ by fold become grouped ones, which XLA computes slowly on a CPU; of a "
        "linear head nothing but the calls is saved. STSTNet has code of its own (above); the others train one by one."
    )
    print(text)
    if write:
        keep("folds-by-vmap", text)


def _head() -> keras.Model:
    given = keras.Input((FEATURES,), name="features")
    return keras.Model({"features": given}, keras.layers.Dense(CLASSES, name="logits")(given))


@dataclass(frozen=True)
class Fold:
    """One network whose step is a function of its state: (weights, other variables, the optimiser's variables)."""

    model: keras.Model
    optimizer: keras.optimizers.Optimizer

    def state(self) -> Any:
        """Values now."""
        variables = (self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables)
        return tuple([v.value for v in group] for group in variables)

    def step(self, state: Any, images: Any, truth: Any) -> Any:
        """The state after one step on images and class indices, -1 for clips that the fold does not see."""

        def loss(weights: Any, others: Any) -> Any:
            logits, others = self.model.stateless_call(weights, others, images, training=True)
            each = keras.losses.sparse_categorical_crossentropy(ops.maximum(truth, 0), logits, from_logits=True)
            seen = ops.cast(truth >= 0, "float32")
            return ops.sum(each * seen) / ops.sum(seen), others

        weights, others, slots = state
        (_, others), slopes = jax.value_and_grad(loss, has_aux=True)(weights, others)
        weights, slots = self.optimizer.stateless_apply(slots, slopes, weights)
        return weights, others, slots


def _measured(make: Callable[[], keras.Model], batch: int, folds: int, rounds: int) -> list[str]:
    rng = np.random.default_rng(0)
    fold = Fold(make(), keras.optimizers.Adam(1e-4))
    fold.optimizer.build(fold.model.trainable_variables)
    (name, given), *_ = fold.model.input.items()
    images = {name: rng.uniform(0, 255, (batch, *given.shape[1:])).astype("float32")}
    truth = np.tile(rng.integers(0, CLASSES, batch), (folds, 1)).astype("int32")
    truth[np.arange(batch) % folds, np.arange(batch)] = -1
    alone, together = fold.state(), jax.tree.map(lambda x: np.repeat(x[None], folds, axis=0), fold.state())
    step, mapped = jax.jit(fold.step), jax.jit(jax.vmap(fold.step, in_axes=(0, None, 0)))
    _same(step(alone, images, truth[0]), mapped(together, images, truth))
    ways = {
        "one": lambda: [jax.block_until_ready(step(alone, images, truth[k])) for k in range(folds)],
        "all": lambda: jax.block_until_ready(mapped(together, images, truth)),
    }
    spent: dict[str, list[np.ndarray]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            spent[way].append(timed(run))
    one, both = (np.median(spent[way], axis=0) for way in ways)
    return [*(f"{x:.3f}" for x in (*one, *both)), *(f"{x:.1f}" for x in one / both)]


def _same(one: Any, all_of: Any) -> None:
    """Exit unless the first fold's weights after the mapped step are those of its own step."""
    for alone, together in zip(one[0], all_of[0], strict=True):
        np.testing.assert_allclose(alone, together[0], atol=2e-4)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
