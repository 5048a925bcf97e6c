"""Penalties of spatial and temporal attention (Song et al., AAAI 2017): layers that hand on what they see."""

from __future__ import annotations

from typing import Any

from keras import ops

from mer_tf.models.layers.attention import REGISTERED
from mer_tf.models.layers.shared import Unmasked


@REGISTERED
class SpreadPenalty(Unmasked):
    """Hands on alpha (B, T, R) and what depends on it, and adds `strength` mean_r (1 - R mean_t alpha)^2.

    Song et al.'s sum over joints of (1 - sum_t alpha / T)^2, against leaving one out throughout, with R in it so that
    an even alpha costs nothing. The mean over t is that of kept frames; the penalty is the batch's mean.
    """

    def __init__(self, strength: float, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.strength = strength

    def call(self, alpha: Any, depending: Any, kept: Any) -> tuple[Any, Any]:
        """Both as they are: a layer that led nowhere would be no part of the model."""
        share = ops.cast(kept, "float32")
        over_time = ops.einsum("btr,bt->br", alpha, share) / ops.maximum(ops.sum(share, axis=1, keepdims=True), 1.0)
        self.add_loss(self.strength * ops.mean(ops.square(1.0 - alpha.shape[-1] * over_time)))
        return alpha, depending


@REGISTERED
class LengthPenalty(Unmasked):
    """Hands on beta (B, T) and adds `strength` sum_t |beta| / T over the T kept frames, the batch's mean.

    It holds ReLU weights down (Song et al.); softmax weights sum to 1 whatever they are.
    """

    def __init__(self, strength: float, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.strength = strength

    def call(self, beta: Any, kept: Any) -> Any:
        frames = ops.maximum(ops.sum(ops.cast(kept, "float32"), axis=1), 1.0)
        self.add_loss(self.strength * ops.mean(ops.sum(ops.abs(beta), axis=1) / frames))
        return beta
