"""Every fold of a small network trained in one program, since all folds see the same images.

A batch is the same for all folds: each leaves out its own held-out clips, in the loss and in the batch statistics. So
each fold is trained as by itself on these batches without those clips, to float tolerance. Only STSTNet is covered:
its cost is memory traffic and calls, which folds can share. Networks of large dense layers share nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mer_tf.config import Train
from mer_tf.models.ststnet import FILTERS
from mer_tf.models.xla import by_xla
from mer_tf.training.all_folds.shallow_stem import CHUNK, cut_patches, in_chunks, make_grid, stem
from mer_tf.training.trainer import make_optimizer

GROUP = 4
"""Folds whose filters stand side by side; the fastest measured on two cores (benchmarks/loso.py)."""
STREAMS = tuple(f"stream{filters}" for filters in FILTERS)
WIDTH = sum(FILTERS)
PATCH = 3 * 3 * 3 + 1
MOMENTUM, EPSILON = 0.9, 1e-5
"""Of the model's batch norm."""
NORM = ("gamma", "beta", "mean", "variance")


class FoldedSTSTNet(keras.Model):
    """STSTNet of all folds: chunks of patches, who is seen (B, F) and what dropout keeps, to logits (B, classes, F).

    Weights end in an axis of folds, which are filled up to a multiple of GROUP with ones that see no clip.
    """

    def __init__(self, folds: int, side: int, classes: int, group: int = GROUP) -> None:
        super().__init__()
        self.grid, self.classes = make_grid(side), classes
        self.group = min(group, folds)
        self.groups = -(-folds // self.group)
        self.folds = self.groups * self.group
        flat = WIDTH * (self.grid.cells // 2) ** 2
        add = self.add_weight
        self.kernel = add(shape=(PATCH, WIDTH, self.folds), name="kernel")
        self.gamma, self.beta = (add(shape=(WIDTH, self.folds), name=n) for n in ("gamma", "beta"))
        self.dense = add(shape=(flat, classes, self.folds), name="dense")
        self.bias = add(shape=(classes, self.folds), name="bias")
        self.mean, self.variance = (add(shape=(WIDTH, self.folds), name=n, trainable=False) for n in ("mean", "var"))
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool = False) -> Any:
        """Logits; in training, statistics of the clips that each fold sees, which the moving ones follow."""
        gamma, beta, mean, variance = (self._grouped(ops.convert_to_tensor(getattr(self, n))) for n in NORM)
        sign = ops.where(gamma < 0, -1.0, 1.0)
        kernel = ops.reshape(self._grouped(ops.convert_to_tensor(self.kernel)), (self.groups, PATCH, -1))
        sums, squares, greatest = stem(kernel, ops.reshape(sign, (self.groups, -1)), inputs["chunks"], self.grid)
        if training:
            mean, variance = self._statistics(sums, squares, inputs["seen"])
        scale = gamma * ops.rsqrt(variance + EPSILON)
        x = self._mapped(greatest, scale * sign, beta - mean * scale)
        x = self._average(x * inputs["kept"][None, ..., None])
        return ops.einsum("bdf,dkf->bkf", x, self.dense) + self.bias

    def _grouped(self, x: Any) -> Any:
        """(..., WIDTH, F) to (groups, ..., WIDTH, folds of a group)."""
        x = ops.reshape(x, (*x.shape[:-1], self.groups, self.group))
        return ops.transpose(x, (x.ndim - 2, *range(x.ndim - 2), x.ndim - 1))

    def _statistics(self, sums: Any, squares: Any, seen: Any) -> tuple[Any, Any]:
        """Mean and variance (groups, WIDTH, group) over the clips that each fold sees."""
        seen = ops.transpose(ops.reshape(seen, (-1, 1, self.groups, self.group)), (2, 0, 1, 3))
        total = ops.maximum(ops.sum(seen, axis=1), 1.0) * self.grid.side**2
        shape = (self.groups, -1, WIDTH, self.group)
        mean, square = (ops.sum(ops.reshape(x, shape) * seen, axis=1) / total for x in (sums, squares))
        variance = ops.maximum(square - mean**2, 0.0)
        for moving, now in ((self.mean, mean), (self.variance, variance)):
            flat = ops.reshape(ops.transpose(now, (1, 0, 2)), (WIDTH, self.folds))
            moving.assign(MOMENTUM * moving + (1 - MOMENTUM) * flat)
        return mean, variance

    def _mapped(self, greatest: Any, scale: Any, shift: Any) -> Any:
        """Batch norm of the maxima: (groups, N, cells, cells, CHUNK, WIDTH, group)."""
        side = self.grid.cells
        x = ops.reshape(greatest, (self.groups, -1, side, side, CHUNK, WIDTH, self.group))
        scale, shift = (ops.reshape(v, (self.groups, 1, 1, 1, 1, WIDTH, self.group)) for v in (scale, shift))
        return x * scale + shift

    def _average(self, x: Any) -> Any:
        """Average pool 2 and flatten: (B, D, F)."""
        half = self.grid.cells // 2
        x = x[:, :, : 2 * half, : 2 * half]
        x = ops.reshape(x, (self.groups, -1, half, 2, half, 2, CHUNK, WIDTH, self.group))
        x = ops.transpose(ops.mean(x, axis=(3, 5)), (1, 4, 2, 3, 5, 0, 6))
        return ops.reshape(x, (-1, half * half * WIDTH, self.folds))

    def take(self, models: Sequence[keras.Model]) -> None:
        """Start from the weights of one STSTNet a fold."""
        found = [_weights(model) for model in models]
        found += found[-1:] * (self.folds - len(found))
        for name in found[0]:
            getattr(self, name).assign(np.stack([f[name] for f in found], axis=-1))

    def give(self, models: Sequence[keras.Model]) -> None:
        """Hand each fold's weights back."""
        held = {name: ops.convert_to_numpy(getattr(self, name)) for name in _weights(models[0])}
        for fold, model in enumerate(models):
            _assign(model, {name: value[..., fold] for name, value in held.items()})


class AllFolds:
    """Trains `models`, one STSTNet a fold with newly drawn weights, epoch by epoch on the batches of `batch_orders`.

    images: (N, S, S, 3), 0..255; truth: for each fold the class indices of its training clips and -1 for those it holds
    out, int (N, folds).
    """

    def __init__(
        self,
        models: Sequence[keras.Model],
        images: np.ndarray,
        truth: np.ndarray,
        config: Train,
        seed: int,
        dropout: float = 0.0,
        group: int = GROUP,
    ) -> None:
        self.models, self.orders = models, batch_orders(len(truth), config, seed)
        self.folds = FoldedSTSTNet(len(models), images.shape[1], models[0].output_shape[-1], group)
        self.folds.take(models)
        self.dropout, self.rng = dropout, np.random.default_rng([seed, 1])
        xla = by_xla(config.jit_compile, faster_on_cpu=True)
        self.folds.compile(optimizer=make_optimizer(config), loss=_masked_loss, jit_compile=xla)
        self.folds.optimizer.build(self.folds.trainable_variables)  # made in the first step, they have it traced twice
        self.patches = cut_patches(images, self.folds.grid)
        self.truth = np.full((len(truth), self.folds.folds), -1, "int32")
        self.truth[:, : len(models)] = truth

    def epoch(self) -> float:
        """Train one epoch; the mean loss over its steps and the folds."""
        return float(np.mean([self._step(rows) for rows in next(self.orders)])) / len(self.models)

    def give(self) -> None:
        """Hand the weights of this moment to the models."""
        self.folds.give(self.models)

    def _step(self, rows: np.ndarray) -> float:
        """One step; the batch is filled up with clips that no fold sees. Returns the loss, summed over folds."""
        more = -len(rows) % CHUNK
        answers = np.concatenate([self.truth[rows], np.full((more, self.truth.shape[1]), -1, "int32")])
        chunks = in_chunks(self.patches[np.append(rows, rows[:1].repeat(more))])
        inputs = {"chunks": chunks, "seen": (answers >= 0).astype("float32"), "kept": self._kept(len(chunks))}
        return float(self.folds.train_on_batch(inputs, answers))

    def _kept(self, chunks: int) -> np.ndarray:
        """Dropout after the max-pool, float32 (N, cells, cells, CHUNK, WIDTH): the same places in all folds.

        Drawn here, since XLA would draw it again for every fold.
        """
        cells = self.folds.grid.cells
        kept = self.rng.random((chunks, cells, cells, CHUNK, WIDTH), "float32") >= self.dropout
        return kept.astype("float32") / np.float32(1 - self.dropout)


def batch_orders(count: int, config: Train, seed: int) -> Iterator[list[np.ndarray]]:
    """The batches of each epoch, as rows of all clips: a new order, cut at the batch size; the last one is shorter."""
    rng = np.random.default_rng(seed)
    for _ in range(config.epochs):
        order = rng.permutation(count)
        yield [order[start : start + config.batch_size] for start in range(0, count, config.batch_size)]


def _masked_loss(truth: Any, logits: Any) -> Any:
    """Cross-entropy of (B, classes, F) and class indices (B, F), -1 unseen: mean over seen clips, sum over folds."""
    seen = ops.cast(truth >= 0, "float32")
    hot = ops.one_hot(ops.maximum(ops.cast(truth, "int32"), 0), logits.shape[1], axis=1)
    each = -ops.sum(hot * ops.log_softmax(logits, axis=1), axis=1) * seen
    return ops.sum(ops.sum(each, axis=0) / ops.maximum(ops.sum(seen, axis=0), 1.0))


def _weights(model: keras.Model) -> dict[str, np.ndarray]:
    """Weights of one STSTNet as `FoldedSTSTNet` names them, without the axis of folds."""
    convs = [model.get_layer(f"{s}_conv").get_weights() for s in STREAMS]
    norms = [model.get_layer(f"{s}_norm").get_weights() for s in STREAMS]
    kernel = [np.concatenate([k.reshape(PATCH - 1, -1), b[None]]) for k, b in convs]
    found = {"kernel": np.concatenate(kernel, axis=-1)}
    found |= {n: np.concatenate(w) for n, w in zip(NORM, zip(*norms, strict=True), strict=True)}
    return found | dict(zip(("dense", "bias"), model.get_layer("logits").get_weights(), strict=True))


def _assign(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    cuts = np.cumsum(FILTERS)[:-1]
    parts = {n: np.split(weights[n], cuts, axis=-1) for n in ("kernel", *NORM)}
    for k, stream in enumerate(STREAMS):
        kernel = parts["kernel"][k]
        model.get_layer(f"{stream}_conv").set_weights([kernel[:-1].reshape(3, 3, 3, -1), kernel[-1]])
        model.get_layer(f"{stream}_norm").set_weights([parts[n][k] for n in NORM])
    model.get_layer("logits").set_weights([weights["dense"], weights["bias"]])
