"""Settings of the pretraining experiment; they need no Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mer_tf.ranges import Amount, BelowOne, Count, Name, Positive, Seed


@dataclass(frozen=True)
class Pretraining:
    """How a network is trained on drawn images. The same values and machine give the same weights."""

    epochs: Count = 8
    direct: Count = 6000
    """Images of each kind that is drawn directly, anew each epoch."""
    rendered: Count = 2400
    """Images of each kind that is estimated from rendered frames, drawn once; each epoch disturbs and mirrors anew."""
    tested: Count = 240
    """Images of each kind that a network is tested on."""
    batch_size: Count = 128
    learning_rate: Positive = 2e-3
    """At the start; it falls to 0 along a cosine."""
    dropout: BelowOne = 0.3
    weight_decay: Amount = 1e-4
    width: Positive = 1.0
    """Of the network's numbers of channels and units."""
    seed: Seed = 0
    kept_out_epochs: Count = 3
    """Epochs of the trainings that leave kinds out."""
    crop: Literal["tight", "published"] = "tight"
    """Where faces lie (face_geometry.csv): as on the composite's images, chosen on them, or by published tables."""
    cache: str = ""


@dataclass(frozen=True)
class DrawnClips:
    """Pretraining of a network over time on drawn flow stacks."""

    rounds: Count = 12
    """Each draws its clips anew and passes over them once."""
    clips: Count = 256
    batch_size: Count = 32
    learning_rate: Positive = 1e-3
    seed: Seed = 0
    subjects: tuple[Count, ...] = (1, 2, 4, 8)
    """Labelled subjects that networks are trained on; the others of the data are tested on, always the same ones."""
    seeds: Count = 2
    """Trainings of each row."""


@dataclass(frozen=True)
class Dictionaries:
    """How dictionaries of patches are learned on drawn images. The same values and machine give the same ones."""

    number: Count = 3
    words: Count = 160
    images: Count = 120
    """Drawn images of each kind, which patches are taken of."""
    patches: Count = 30_000
    """Patches that each dictionary is learned on."""
    smallest: Amount = 0.05
    """Of the mean variance of patches: what is added to all variances before they are made alike."""
    tested: Count = 120
    """Images of each kind that are tested on."""
    known: Count = 1200
    """Disturbed images of each kind that a second regression knows, which is tested on kinds that were kept out."""
    asked: Count = 600
    """Images of each kind that the second one is tested on."""
    seed: Seed = 0
    cache: str = ""


@dataclass(frozen=True)
class Options:
    """Command line of the pretraining experiment."""

    train: Pretraining = field(default_factory=Pretraining)
    name: Name = "au-flow-3"
    out: str = "runs"
    kept_out: bool = True
    """Also train without each portrait, flow method and renderer, and score what was left out."""
    sequence: bool = False
    """Instead: pretrain a network over flow stacks on drawn clips, and count the labelled clips that this saves."""
    patches: bool = False
    """Instead: learn the dictionaries of the recommended recogniser."""
    drawn_clips: DrawnClips = field(default_factory=DrawnClips)
    """Of --sequence."""
