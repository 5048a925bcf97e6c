"""Settings of the pretraining experiment; they need no Keras."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pretraining:
    """How a network is trained on drawn images. The same values and machine give the same weights."""

    epochs: int = 8
    direct: int = 6000
    """Images of each kind that is drawn directly, anew each epoch."""
    rendered: int = 2400
    """Images of each kind that is estimated from rendered frames, drawn once; each epoch disturbs and mirrors anew."""
    tested: int = 240
    """Images of each kind that a network is tested on."""
    batch_size: int = 128
    learning_rate: float = 2e-3
    """At the start; it falls to 0 along a cosine."""
    dropout: float = 0.3
    weight_decay: float = 1e-4
    width: float = 1.0
    """Of the network's numbers of channels and units."""
    seed: int = 0
    kept_out_epochs: int = 3
    """Epochs of the trainings that leave kinds out."""
    cache: str = "data"


@dataclass(frozen=True)
class DrawnClips:
    """Pretraining of a network over time on drawn flow stacks."""

    rounds: int = 12
    """Each draws its clips anew and passes over them once."""
    clips: int = 256
    batch_size: int = 32
    learning_rate: float = 1e-3
    seed: int = 0
    subjects: tuple[int, ...] = (1, 2, 4, 8)
    """Labelled subjects that networks are trained on; the others of the data are tested on, always the same ones."""
    seeds: int = 2
    """Trainings of each row."""


@dataclass(frozen=True)
class Options:
    """Command line of the pretraining experiment."""

    train: Pretraining = field(default_factory=Pretraining)
    name: str = "au-flow-3"
    out: str = "runs"
    kept_out: bool = True
    """Also train without each portrait, flow method and renderer, and score what was left out."""
    sequence: bool = False
    """Instead: pretrain a network over flow stacks on drawn clips, and count the labelled clips that this saves."""
    drawn_clips: DrawnClips = field(default_factory=DrawnClips)
    """Of --sequence."""
