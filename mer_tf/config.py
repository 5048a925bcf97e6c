"""An experiment as a declaration: frozen dataclasses, every field overridable from the command line.

`Data` and `Preprocess` fix the bytes of the record directory (write time). `Clip`, `Model`, `Train` and `Evaluation`
never do (read time). Sources are named by the letters of the rebuilt papers: A = CNN + improved LSTM fusion on SMIC and
CASME II; C = Bai & Goecke, ICMI 2020 Companion (VGGFace2 + LSTM on SMIC-HS). docs/papers.md cites them, and says which
settings they print.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from mer_tf.errors import MerError as MerError
from mer_tf.methods import Detector, FlowOrNone
from mer_tf.model import Model, default_model
from mer_tf.ranges import (
    Amount,
    BelowOne,
    Count,
    Countless,
    Name,
    NoneOr,
    Positive,
    Range,
    Seed,
    Several,
    Side,
    SideOrNone,
)

GRADCAM = "gradcam"
"""Value of model.retrain_from that lets Grad-CAM choose the layer, fold by fold."""
USUAL_FPS = 30.0
"""Frames a second where nothing says it."""


@dataclass(frozen=True)
class Data:
    """Which clips exist, and which class each has."""

    dataset: str = "smic-hs"
    """Name of the data set; `mer-tf manifest --help` lists them."""
    root: str | None = None
    """Folder of the data set as it was downloaded. None: the synthetic look-alike is drawn and used instead."""
    sheet: str | None = None
    """Annotation sheet; None: the published one is looked for under root."""
    pattern: str = ""
    """Of dataset folders: how paths below root are read, as {subject}/{label}/{clip}; empty: guessed, and said."""
    manifests: tuple[str, ...] = ()
    """Instead of dataset and root: manifest.csv files, joined; so several data sets make one experiment."""
    doubtful: Literal["keep", "skip", "estimate"] = "keep"
    """With root, as `mer-tf manifest` has it: what becomes of clips whose apex is their onset, or that last for
    seconds: kept as annotated, left out, or (of the former) the apex estimated as data.apex says."""
    apex: Literal["given", "midpoint", "peak", "divide-and-conquer"] = "given"
    """With root, as `mer-tf manifest` has it: how to estimate an apex that the annotation does not give."""
    label_protocol: str = "smic-4"
    """Named map from raw label to class (`mer-tf protocols`); data: each label as it is written is a class; or the path
    of your own CSV with the columns raw and class."""
    shuffle_labels: bool = False
    """Negative control: labels are dealt anew among all clips, so that nothing above chance can be learned."""
    amplitude: Annotated[float, Range(0, 96)] = 3.0
    """Synthetic data only: greatest displacement at the apex, in pixels on a face 96 pixels wide."""
    subjects: Count = 16
    """Synthetic data only: number of subjects."""
    clips_per_class: Count = 2
    """Synthetic data only: clips of each class (and of non-micro) per subject."""
    seed: Seed = 0
    """Synthetic data only: seed of the drawing."""
    keep_bmp: bool = False
    """Synthetic data only: SMIC's look-alike is drawn as BMP, the true format, which takes 1.6 times the room of PNG.
    The pixels are the same."""
    cache: str = field(default="", compare=False)
    """Where synthetic trees, records and frame features are kept between runs; empty: $MER_TF_CACHE, or the place that
    the system has for this user's caches (`mer-tf cache` names it). Where it lies makes no other experiment."""


Preset = Literal["paper", "embedded"]
"""Which of a script's two declarations: that after the paper (docs/papers.md says what of it is printed), or a small
one for look-alikes."""


def preset_of(data: Data) -> Preset:
    """The declaration that fits the data: that after the paper for a folder or manifests, the small one otherwise.

    This is the one rule; `--preset` alone overrides it.
    """
    return "paper" if data.root or data.manifests else "embedded"


@dataclass(frozen=True)
class Preprocess:
    """Write-time choices: they fix the bytes of the record directory, and its name carries their hash."""

    face: Literal["none", "crop", "align"] = "align"
    """none: whole frame (paper C); crop: MTCNN box of the first frame; align: one similarity transform a clip."""
    size: Side = 96
    """Side of the stored square frames, pixels."""
    margin: Annotated[float, Range(0, 10)] = 0.1
    """crop: the box is enlarged by this share of its side on each side."""
    min_face: Side = 40
    """Smallest face MTCNN looks for, pixels of the source frame."""
    detector: Detector = "mtcnn"
    """What finds the face."""
    landmarks: Literal["mtcnn", "file", "onnx", "mesh"] = "mtcnn"
    """What faces are aligned by, and what blocks of a face and regions sit on. mtcnn: its five points, to which a
    canonical face is carried; file: points that were fitted before, a CSV a clip as OpenFace writes; onnx: a network of
    68, 468 or 478 points (MediaPipe's order); mesh: MediaPipe's of 468, which the extra `mesh` installs. Fitted points
    are those of one frame a clip, its first wherever a face is found there."""
    landmarks_from: str = ""
    """file: folder below which each clip has a CSV of its name; onnx: file of the network."""
    flow: FlowOrNone = "dis"
    """Optical flow of stored frames: float16 (T-1, size, size, 2), (dx, dy) in stored pixels. An experiment whose model
    reads no flow, as one of features, stores none; `mer-tf preprocess` stores it whenever it is asked for."""
    flow_from: Literal["previous", "onset"] = "previous"
    """Flow from frame t to t + 1, or from the first frame to t + 1 (so that one entry is onset to apex)."""
    fps: Annotated[float, Range(0, 100_000)] = 0.0
    """Frames a second after resampling in time, before all that follows; 0: as the camera gave them."""
    grey_level: Literal["none", "clip"] = "none"
    """clip: darkest to brightest value of the clip stretched to 0 .. 255."""
    magnify: Annotated[float, Range(0, 10_000)] = 0.0
    """Eulerian magnification: motion within the band becomes about 1 + this times as large; 0: none."""
    band_low: Amount = 0.4
    """Lower edge of the magnified band, Hz."""
    band_high: Amount = 10.0
    """Upper edge of the magnified band, Hz; below half of the frame rate."""
    interpolate: Annotated[int, NoneOr(2, unit="frames")] = 0
    """Frames of every clip after temporal interpolation (TIM); 0: as many as it has."""
    image_format: Literal["png", "raw"] = "png"
    """Lossless either way; png is about half the size, raw decodes faster."""
    clips_per_shard: Count = 8
    """Clips in one TFRecord shard: the unit of work, of resuming and of shuffling across files."""
    recipe: str = ""
    """Published recipe (data_manifests/recipes.csv) that these settings are, `name+` when some of them were changed.
    `mer-tf preprocess --recipe NAME` takes all of them from it; elsewhere a name that stands on other settings is an
    error, which says how to take them."""


LATER = {"detector": "mtcnn", "landmarks": "mtcnn", "landmarks_from": ""}
"""Settings of `Preprocess` that older records lack, and what they were there."""


def record_settings(config: Preprocess) -> dict[str, Any]:
    """Settings as records name and keep them: without a later one at its default, so that names and bytes stay."""
    return {k: v for k, v in dataclasses.asdict(config).items() if k not in LATER or v != LATER[k]}


@dataclass(frozen=True)
class Clip:
    """Read-time choices: how windows of frames are cut from a stored clip."""

    frames: Count = 13
    """N, frames in a window (C: searched 11 to 17, 13 in Table 1)."""
    step: Count = 1
    """Every step-th frame of a clip is used: the frame rate divided by step."""
    stride: Count = 1
    """Start-to-start distance of training windows of a micro-expression (C's released code: 1)."""
    non_micro_stride: Count = 4
    """The same for the class non-micro, which has the longest share (C's released code, v1: 4)."""
    scheme: Literal["v1", "v2"] = "v1"
    """v1: windows of consecutive frames; v2: at each start also of every 2nd to 6th frame, where the clip is long
    enough (two versions of C's released code)."""
    mirror: bool = True
    """Train on each window and its left-right mirror (C's released code)."""
    mirrored_only: bool = False
    """Train on the mirrors alone: in C's released code the loss of the originals is overwritten before it is used."""
    multiply: tuple[Count, ...] = ()
    """Copies of each window by class, instead of mirrors: the original, its mirror, then frames turned by up to 10
    degrees (inferred from C's Table 1, Aug-I: 7 8 11 3)."""
    balance: bool = True
    """Oversample windows of the smaller classes up to the largest, training folds only."""
    test: Literal["windows", "whole"] = "whole"
    """How a test clip becomes one prediction: mean softmax over its windows, or one pass over all its frames (C's
    released code)."""
    keyframes: Literal["none", "phases", "cumdiff", "peakdiff", "cluster", "tim"] = "none"
    """Instead of consecutive frames the `frames` key frames of a clip, chosen by this rule
    (`mer_tf.preprocessing.keyframes`)."""
    segments: Literal["stride", "center", "sliding"] = "stride"
    """Where windows start. stride: from the first frame on, a short clip continued and masked. center: one window in
    the middle, as A prints that surplus frames are dropped at both ends, a short clip filled on both sides (`short`).
    sliding: every `stride` frames, short clips as there: A prints first, and without a step, that a sequence is divided
    into many segments. Which of the two it did, or both in turn, it does not say."""
    short: Literal["ends", "several"] = "ends"
    """Models of images, segments center and sliding: what fills a clip of fewer than `frames` frames on both sides.
    ends: its first and its last frame, repeated; several: so many of its first and of its last frames once more. Both
    are readings of A, which says only that "the first and last (X - 20) / 2 frames" are taken."""
    side: SideOrNone = 0
    """Models of images: side of the images they are given, pixels; 0: as stored."""
    third: Literal["magnitude", "sqrt_abs_product", "strain"] = "magnitude"
    """Models of images: third channel of flow images beside dx and dy (A: "the square root of dx and dy")."""
    flow_bound: Positive = 3.0
    """Models of images: flow is cut off at this many stored pixels and given as 8 bits (A prints no scaling)."""


@dataclass(frozen=True)
class Train:
    """One fold's training. Epochs are fixed in advance: no epoch is ever chosen on the test fold."""

    epochs: Count = 20
    batch_size: Count = 20
    learning_rate: Positive = 2.6e-3
    optimizer: Literal["adam", "sgd"] = "adam"
    momentum: BelowOne = 0.9
    """Of sgd."""
    weight_decay: Amount = 0.0
    """Share of each weight taken off at every step, times the learning rate."""
    stream_epochs: Countless = 20
    """Models of several stages: epochs of each stage but the last, which is trained for `epochs`."""
    stream_optimizer: Literal["", "adam", "sgd"] = ""
    """Of those stages; empty: as the last."""
    stream_learning_rate: Amount = 0.0
    """Of those stages; 0: as the last."""
    stream_batch_size: Countless = 0
    """Of those stages; 0: as the last."""
    class_weights: bool = False
    """Weigh each training window by windows / (classes x windows of its class)."""
    jit_compile: bool | Literal["auto"] = True
    """Compile the training step with XLA where the model allows it. auto: on a GPU, and on a CPU where the step of that
    model was measured to be faster so."""
    mixed_precision: bool = False
    data_parallel: bool = False
    """Share each batch among all devices of the machine; a step stays that of one device on the whole batch."""
    seed: Seed = 0


@dataclass(frozen=True)
class Search:
    """Nested choice. Empty: nothing is chosen. Otherwise every combination is trained on folds of the training
    subjects alone, and the one of the best inner UAR trains the outer fold."""

    epochs: tuple[Count, ...] = ()
    learning_rate: tuple[Positive, ...] = ()
    dropout: tuple[BelowOne, ...] = ()
    patience: Countless = 0
    """Early stopping in place of `epochs`: a training on inner folds ends when the loss of its held-out subjects has
    not fallen for so many epochs, and the outer fold is trained for the mean of their best epochs. 0: off."""
    folds: Several = 3
    """Inner subject-disjoint folds."""


@dataclass(frozen=True)
class Evaluation:
    """Folds and what is reported."""

    split: Literal["group", "group-plain", "loso", "cross-dataset", "clip"] = "group"
    """group: subject-disjoint folds, stratified by class; group-plain: not stratified; loso: leave one subject out
    (on a composite such as megc2019 its CDE protocol); cross-dataset: train on some data sets, test on others; clip:
    subjects leak across folds (C's released code), said in every output."""
    folds: Several = 5
    train_on: tuple[str, ...] = ()
    """cross-dataset: data sets to train on; empty: all that are not tested."""
    test_on: tuple[str, ...] = ()
    """cross-dataset: data sets to test on, a fold each; empty: each in turn."""
    seed: Seed = 42
    """Seed of the folds."""
    seeds: Count = 1
    """Trainings of each fold, from train.seed upwards; results are their mean."""
    permutations: Count = 9999
    """Label permutations for the p-value (within subjects)."""
    bootstrap: Count = 2000
    """Subject-clustered bootstrap draws for the 95 % intervals."""


@dataclass(frozen=True)
class Experiment:
    """A published experiment, declared. `published` names rows of data_manifests/published_results.csv."""

    name: Name
    data: Data = field(default_factory=Data)
    preprocess: Preprocess = field(default_factory=Preprocess)
    clip: Clip = field(default_factory=Clip)
    model: Model = field(default_factory=default_model)
    """One of the classes in mer_tf/models and mer_tf/descriptors, each with settings of its own."""
    train: Train = field(default_factory=Train)
    search: Search = field(default_factory=Search)
    evaluation: Evaluation = field(default_factory=Evaluation)
    published: tuple[str, ...] = ()
    out: str = "runs"
    """Folder under which the run directory is made."""


@dataclass(frozen=True)
class Tables:
    """The printed tables of a paper, as changes of one experiment; keys are those of published_results.csv."""

    rows: Mapping[str, Mapping[str, Any]]
    """Key without its last part, where that names the column -> changed settings, dotted:
    {"A/T2/FC6": {"model.fusion.after": "fc6"}}."""
    columns: Mapping[str, Mapping[str, Any]]
    """Last part of the keys, a data set -> changed settings."""
    orderings: tuple[tuple[str, str], ...] = ()
    """Pairs of rows of which the paper claims that the first is better."""
    heat: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key of a claim that training moves heat onto the facial features -> rows on which it is tested."""
    across: tuple[tuple[str, str, str], ...] = ()
    """Row, column and another column, of which the paper claims that the row is better in the first."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """Row that was not printed -> the printed row of which it is another reading, and whose figures stand beside it."""
    unprinted: str = ""
    """Why no figure stands beside ours, for a paper whose figures are not known; its rows need no facts then."""
    cells: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Key -> settings of this row in this column alone."""
    small: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Row -> what the small version changes of it beside what it changes of the experiment."""

    def __or__(self, other: Tables) -> Tables:
        """These tables and others of the same columns."""
        return dataclasses.replace(
            self,
            rows={**self.rows, **other.rows},
            orderings=self.orderings + other.orderings,
            across=self.across + other.across,
            readings={**self.readings, **other.readings},
            cells={**self.cells, **other.cells},
            small={**self.small, **other.small},
            heat={**self.heat, **other.heat},
        )


def digest(*parts: Any, length: int = 10) -> str:
    """Hex digest of dataclasses and JSON values, independent of dict order: names artefacts by what made them."""
    return hashlib.sha256(json.dumps([*map(_plain, parts)], sort_keys=True).encode()).hexdigest()[:length]


def _plain(part: Any) -> Any:
    if isinstance(part, Preprocess):
        return record_settings(part)
    return dataclasses.asdict(part) if dataclasses.is_dataclass(part) and not isinstance(part, type) else part
