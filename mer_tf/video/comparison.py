"""Settings of the comparison of spotters, known without what computes."""

from __future__ import annotations

from dataclasses import dataclass, field

from mer_tf.models.later import keras, layers
from mer_tf.ranges import Amount, BelowOne, Count, Positive, Seed

RATE = 30.0
"""Frames a second to which curves are brought for the LSTM."""


@dataclass(frozen=True)
class HoofLstm:
    """The network and how it is trained; the same values and machine give the same weights."""

    window: Positive = 4.0
    """Seconds that the LSTM sees at once."""
    units: Count = 24
    dropout: BelowOne = 0.2
    epochs: Count = 30
    batch_size: Count = 16
    learning_rate: Positive = 3e-3
    seed: Seed = 0

    @property
    def steps(self) -> int:
        """Frames of a window."""
        return max(2, round(self.window * RATE))

    def build(self, features: int) -> keras.Model:
        """The network: (B, steps, features) to the logit of an expression in each step (B, steps, 1)."""
        given = keras.Input((self.steps, features), name="hoof")
        inside = layers.Dropout(self.dropout)(given)
        inside = layers.Bidirectional(layers.LSTM(self.units, return_sequences=True), name="lstm")(inside)
        inside = layers.Dropout(self.dropout)(inside)
        return keras.Model(given, layers.Dense(1, name="expression")(inside), name="hoof_lstm")


@dataclass(frozen=True)
class DrawnVideos:
    """What is drawn where a data set has no folder."""

    subjects: Count = 4
    videos: Count = 1
    """Of each subject."""
    seconds: Positive = 60.0
    fps: Positive = 30.0
    """Of both layouts; SAMM Long Videos itself has 200."""
    amplitude: Amount = 2.0
    """Of a micro-expression, pixels on a face 96 pixels wide."""
    seed: Seed = 0


@dataclass(frozen=True)
class Options:
    """Command line of the spotting experiment."""

    casme_sq: str = ""
    """Folder of CAS(ME)^2; without it videos are drawn in its layout."""
    samm_lv: str = ""
    """Folder of SAMM Long Videos; without it videos are drawn in its layout."""
    casme3_a: str = ""
    """Folder of CAS(ME)^3, part A; without it this data set is left out."""
    drawn: DrawnVideos = field(default_factory=DrawnVideos)
    lstm: HoofLstm = field(default_factory=HoofLstm)
    recognise: bool = True
    """Recognise the true positives by the recommended recogniser, for STRS."""
    out: str = "runs"
