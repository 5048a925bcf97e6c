"""Settings of single models, parts of `mer_tf.config.Model`.

Sources: A = CNN + improved LSTM fusion; B = Xu & Xu, ICMLC 2022; D = Zhu et al., CMC 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from mer_tf.ranges import Amount, Count, Positive, Range


@dataclass(frozen=True)
class Fusion:
    """Two streams of one AlexNet-like trunk each, and what joins them (A)."""

    streams: Literal["both", "spatial", "temporal"] = "both"
    mode: Literal["trained", "untrained", "random", "framewise_lstm"] = "trained"
    """The fusion layer. trained: dense on both streams' features; untrained: nothing is learned, features are scaled to
    length 1 and put together; random: a dense layer that stays as drawn; framewise_lstm: both streams' features of each
    frame feed one LSTM, another reading of A's text."""
    after: Literal["fc6", "fc7"] = "fc7"
    """Fully connected layer of the streams whose output is fused."""
    join: Literal["concat", "sum", "max"] = "concat"
    """How two feature vectors become one; sum and max need streams of equal width."""
    finetune_streams: bool = True
    """Whether streams go on learning with the fusion layer; never when that is untrained or random."""
    channels: tuple[Count, ...] = (96, 256, 384, 384, 256)
    """Channels of conv1 to conv5 (AlexNet's; A prints none)."""
    stem_stride: Count = 4
    """Stride of conv1."""
    response_norm: bool = False
    """AlexNet's local response normalisation after conv1 and conv2."""
    fc_units: Count = 4096
    """Width of FC6, FC7 and of the fusion layer."""
    fc8_units: Count = 1024


@dataclass(frozen=True)
class Blocks:
    """Global and block attention, and what runs over time (D; after gACNN, Li et al., TIP 2019)."""

    set: str = "10"
    """Blocks of the face: a set of data_manifests/face_blocks.csv (24, 10, none), or a .csv file of that layout."""
    none_mode: Literal["whole_map", "gia_only"] = "whole_map"
    """Without blocks. whole_map: one block unit on the whole map, shrunk to a window; gia_only: no block unit."""
    gia: bool = True
    """Whether the whole face has a vector and a weight of its own."""
    gia_to: str = ""
    """Layer at which the encoder's frozen tail ends for it (conv5_2); empty: the last map. With model.retrain_from the
    tail is trained instead and ends at model.features_at."""
    gia_units: Count = 512
    """Width of the whole face's vector."""
    window: Count = 6
    """Side of a block, cells of the map."""
    shared: bool = False
    """One block unit for all blocks, as in the released code of gACNN; otherwise each has weights of its own."""
    psi: Literal["flatten", "gap"] = "flatten"
    """What a vector is made from: all cells, or their mean."""
    filters: Count = 512
    """Channels of a block unit's two convolutions."""
    units: Count = 64
    """Width of a block's vector."""
    gate_filters: Count = 128
    gate_units: Count = 64
    gate_cost: Amount = 0.0
    """Added to the loss for each unit of the mean weight: nothing else makes the weight of a useless block small."""
    reduce_units: Count = 1024
    """Width of the dense layer on all vectors of a frame."""
    over_time: Literal["bilstm", "lstm", "mean"] = "bilstm"
    """What runs over the frames: both directions after their whole pass, one direction, or their mean."""
    finetune: bool = True
    """Whether what was trained on single frames goes on learning with what runs over time."""


@dataclass(frozen=True)
class Attention:
    """Where and when an LSTM looks (B). Sizes and strengths are our reading: B's abstract prints none."""

    use: Literal["plain", "spatial", "temporal", "both"] = "both"
    """Which attention there is; without spatial attention regions count alike."""
    state: Literal["main", "own"] = "main"
    """What attention knows of the frames before: the main LSTM's last state (Sharma et al. 2016), or that of a small
    LSTM of its own (Song et al. 2017)."""
    pool: bool = True
    """Sum the weighed regions to one vector; False: weights are gates and all regions are kept (Song et al.)."""
    temporal: Literal["softmax", "relu"] = "softmax"
    """Weights of frames: bounded, or Song et al.'s."""
    without_temporal: Literal["last", "mean"] = "last"
    """What is taken of all frames without temporal attention."""
    learned_keyframes: bool = False
    """Keep the frames whose learned weight is not below the mean (AKMNet); leave clip.keyframes at none."""
    units: Count = 64
    """Width of the scores' hidden layer, and of attention's own LSTMs."""
    spread: Amount = 1e-3
    """Strength of the penalty on regions that are left out throughout (Song et al., lambda 1)."""
    length: Amount = 1e-4
    """Strength of the penalty on frames' weights (lambda 2); without effect on softmax."""
    weight_l1: Amount = 0.0
    """Strength of the sum of absolute weights (lambda 3)."""
    staged: bool = False
    """Train the temporal, then the spatial attention, then all together."""

    @property
    def spatial_used(self) -> bool:
        """Whether regions are weighed."""
        return self.use in ("spatial", "both")

    @property
    def temporal_used(self) -> bool:
        """Whether frames are weighed."""
        return self.use in ("temporal", "both")


@dataclass(frozen=True)
class Classical:
    """Models of mer_tf.descriptors: a descriptor and a support vector machine. None: the method's own setting."""

    blocks: tuple[Count, Count, Count] | None = None
    """Rows, columns and parts in time."""
    overlap: Annotated[float, Range(0, 1, below=True)] | None = None
    """Share of a block that lies in the next one."""
    radii: tuple[Count, Count, Count] | None = None
    """Of local binary patterns along x, y and time, pixels and frames."""
    points: Count | None = None
    """Neighbours of a local binary pattern."""
    mapping: Literal["u2", "raw"] | None = None
    """Bins of its histogram: uniform patterns and the rest, or every pattern."""
    interpolation: Literal["rounded", "bilinear"] | None = None
    """A neighbour between pixels: the nearest one, or between four."""
    frames: Annotated[int, Range(0)] | None = None
    """Frames of a clip after temporal interpolation; 0: as many as it has."""
    kernel: Literal["linear", "rbf", "poly", "chi2"] | None = None
    C: tuple[Positive, ...] = ()
    """Penalties; of several, that of the best UAR on `search.folds` folds of the training subjects is taken."""
