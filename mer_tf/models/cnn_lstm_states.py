"""A CNN that tells expression states apart, then an LSTM over them (Kim, Baddar & Ro, ACM Multimedia 2016).

    five frames (B, 5, S, S, 1): onset, onset to apex, apex, apex to offset, offset
    --[CNN, trained first, by the terms below]--> (B, 5, 512) --> LSTM 512 --> logits (B, classes)

The CNN is trained by the expression's class, and by three of the terms that the paper names for the states, from
memory: which state a frame is in, how far frames of one state lie apart, and how far neighbouring states do. The
variation within a class of expression, its fifth term, is left out: what a layer adds to a loss here knows no labels.
The widths of the CNN and the weight of the terms are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.config import Experiment
from mer_tf.models.frame_cnn import frame_network
from mer_tf.models.inputs import grey, lstm_head, scaled
from mer_tf.models.kinds import ImageModel
from mer_tf.models.later import keras, own
from mer_tf.models.stages import Stage, cnn_then_lstm
from mer_tf.ranges import Amount, BelowOne, Positive

FILTERS, UNITS, LSTM = (32, 64, 128), 512, 512
STATES = 5


@dataclass(frozen=True)
class CnnLstmStates(ImageModel):
    """A CNN of expression states, then an LSTM (Kim, Baddar & Ro, ACM Multimedia 2016)."""

    name: Literal["cnn_lstm_states"] = "cnn_lstm_states"
    dropout: BelowOne = 0.0
    """After the CNN's dense layer."""
    width: Positive = 1.0
    """All widths times this."""
    states: Amount = 0.1
    """Weight of the terms of the states in the CNN's loss (ours)."""

    least: ClassVar = {"width": 0.03}
    least_side: ClassVar = 2 ** len(FILTERS)
    keyed: ClassVar = True

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        clip = experiment.clip
        if (clip.keyframes, clip.frames, clip.step) != ("phases", STATES + 1, 1):
            yield (
                f"{self.name} takes {STATES} states: use clip.keyframes=phases, clip.frames={STATES + 1}, clip.step=1"
            )

    def build(self, shape: Any, classes: int) -> keras.Model:
        """A state is an image."""
        inputs = self.volumes(shape, "frames")
        x = grey(inputs["frames"], "centred")
        network = frame_network(tuple(x.shape[2:]), FILTERS, UNITS, self)
        features = own.ExpressionStates(self.states, name="features")(own.FoldTime(network, name="images")(x))
        head = lstm_head(features, classes, scaled(LSTM, self.width))
        return keras.Model(inputs, head({"features": features}), name=self.name)

    @property
    def first_stages(self) -> int:
        return 1

    def stages(self, model: keras.Model) -> list[Stage]:
        return cnn_then_lstm(model, "cnn")
