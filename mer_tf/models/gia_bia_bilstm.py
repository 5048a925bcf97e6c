"""Global and block attention on each frame, a Bi-LSTM over frames, after Zhu et al., CMC 2023
(doi 10.32604/cmc.2023.037216).

    map (B, T, H, W, C) --+-- windows at K blocks --[block units]--> a_k psi_k  (K vectors) --+
                          |                                                                   +--> dense, ReLU, dropout
                          +-- [rest of the encoder] G --> a_g psi_g              (1 vector) --+    (B, T, D)
    --> Bi-LSTM, both directions after their whole pass --> logits                                 (B, classes)

Of the paper only the abstract could be read: this flow is its; shapes and units are those of gACNN (Li et al., TIP
2019), from which its 24 blocks seem to be. The frozen part of the encoder (VGG16 to conv4_2) stands outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mer_tf.config import Experiment, MerError
from mer_tf.model import Shows
from mer_tf.models.encoders.names import maps_behind
from mer_tf.models.inputs import lstm
from mer_tf.models.kinds import FeatureModel
from mer_tf.models.later import keras, layers, ops, own
from mer_tf.models.stages import Stage
from mer_tf.names import unknown
from mer_tf.ranges import Amount, BelowOne, Count

NOTHING = "model.blocks: set none and none_mode gia_only leave nothing without gia; take one of them"


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
class GiaBiaBiLstm(FeatureModel):
    """Global and block attention on each frame, what runs over time behind (D)."""

    name: Literal["gia_bia_bilstm"] = "gia_bia_bilstm"
    bn_momentum: BelowOne = 0.99
    """Of the batch normalisation in block units. It needs thousands of steps: short runs take 0.9."""
    lstm_units: Count = 512
    dropout: BelowOne = 0.0
    blocks: Blocks = field(default_factory=Blocks)

    shows: ClassVar[Shows] = "block weights"
    least: ClassVar = {
        "lstm_units": 8,
        "blocks": Blocks(
            window=2, filters=4, units=4, gate_filters=4, gate_units=4, gia_units=4, reduce_units=8, gate_cost=0.5
        ),
    }

    @property
    def face_blocks(self) -> str:
        return self.blocks.set

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        from mer_tf.preprocessing.face_blocks import NONE, load_blocks  # brings pandas

        yield from super().check(experiment, of_images)
        clip, how = experiment.clip, self.blocks
        load_blocks(how.set)
        if clip.keyframes != "none":
            yield f"clip.keyframes={clip.keyframes}: {self.name} takes neighbouring frames; leave it at none"
        if clip.multiply:
            yield f"clip.multiply: turned frames would need turned blocks, which {self.name} has not; leave it empty"
        if self.features_at is None:
            yield f"{self.name} takes maps: give model.features_at, such as conv4_2"
        if how.set == NONE and how.none_mode == "gia_only" and not how.gia:
            yield NOTHING
        if how.gia and how.gia_to and (behind := maps_behind(self)) and how.gia_to not in behind:
            yield f"model.blocks.gia_to: {unknown('map behind ' + str(self.features_at), how.gia_to, behind)}"

    def build(self, shape: dict[str, tuple[int, ...]], classes: int, tail: keras.Model | None = None) -> keras.Model:
        """Trainable part of the network, and the frozen or retrained `tail` of the encoder for the whole face.

        shape: {"frames": (H, W, C), "blocks": (K, 2)}. Inputs (dict): see `inputs`, and where K > 0 blocks float32
        (B, K, 2), centres in cells. Output: float32 logits (B, classes). `MerError` when nothing is left to look at.
        """
        inputs, count = self.inputs(shape["frames"]), shape["blocks"][0]
        frames, onset, mask = inputs.values()
        if count:
            inputs["blocks"] = keras.Input((count, 2), name="blocks")
        steps = ops.reshape(mask, (-1, 1, 1))

        # ------------------------------------------------------------------ vectors of each frame
        vectors = []
        if self.blocks.gia:
            vectors.append(_whole_face(frames, onset, steps, self, tail))
        if count or self.blocks.none_mode == "whole_map":
            vectors.append(_blocks(_moved(frames, onset, self, "map"), inputs.get("blocks"), steps, self))
        if not vectors:
            raise MerError(NOTHING)
        x = layers.Concatenate(name="vectors")(vectors) if len(vectors) > 1 else vectors[0]
        x = layers.Dense(self.blocks.reduce_units, activation="relu", kernel_initializer="he_normal", name="reduce")(x)
        x = layers.Dropout(self.dropout, name="reduce_dropout")(x)
        x = own.UnfoldTime(name="sequence")(x, mask)

        # ------------------------------------------------------------------ time
        logits = layers.Dense(classes, dtype="float32", name="logits")(_over_time(x, mask, self))
        return keras.Model(inputs, logits, name="gia_bia_bilstm")

    @property
    def first_stages(self) -> int:
        """The stage of single frames; without anything over time that is all the network there is."""
        return 0 if self.blocks.over_time == "mean" else 1

    def stages(self, model: keras.Model) -> list[Stage]:
        if not self.first_stages:
            return [Stage("clips", model)]
        inputs, classes = {t.name: t for t in model.inputs}, model.output_shape[-1]
        sequence = model.get_layer("sequence").output
        mean = layers.GlobalAveragePooling1D(dtype="float32", name="frame")(sequence, mask=inputs["mask"])
        logits = layers.Dense(classes, dtype="float32", name="frame_logits")(mean)
        frames = Stage("frames", keras.Model(inputs, logits, name="frames"), last=False, near_apex=True)
        return [frames, Stage("clips", model) if self.blocks.finetune else _only_over_time(model, inputs, self)]


def _only_over_time(model: keras.Model, inputs: dict[str, Any], config: GiaBiaBiLstm) -> Stage:
    """The last stage where vectors of frames stay as they are: computed once a window."""
    sequence = model.get_layer("sequence").output
    trunk = keras.Model(inputs, {"sequence": sequence, "shown": ops.cast(inputs["mask"], "float32")}, name="vectors")
    given = {"sequence": keras.Input((None, sequence.shape[-1]), name="sequence")}
    given["shown"] = keras.Input((None,), name="shown")
    recurrent = model.get_layer("bilstm" if config.blocks.over_time == "bilstm" else "lstm")
    found = recurrent(given["sequence"], mask=ops.greater(given["shown"], 0.5))
    return Stage("clips", keras.Model(given, model.get_layer("logits")(found), name="clips"), trunk)


def block_weights(model: keras.Model) -> keras.Model:
    """Of a model that `build` made, reloaded or not: its inputs to {"blocks": (B * T, K, 1), "face": (B * T, 1, 1)}."""
    found = {name: f"{prefix}_weights" for name, prefix in (("blocks", "block"), ("face", "gia"))}
    present = {layer.name for layer in model.layers}
    outputs = {name: model.get_layer(layer).output for name, layer in found.items() if layer in present}
    return keras.Model({t.name: t for t in model.inputs}, outputs, name="block_weights")


def _moved(frames: Any, onset: Any, config: GiaBiaBiLstm, name: str) -> Any:
    return own.OnsetDifference(name=f"{name}_minus_onset")(frames, onset) if config.center == "onset" else frames


def _whole_face(frames: Any, onset: Any, mask: Any, config: GiaBiaBiLstm, tail: keras.Model | None) -> Any:
    """a_g psi_g of every frame: (B * T, gia_units)."""
    end = _ended(tail, config.blocks.gia_to)
    per_frame = own.FoldTime(end, name="gia_tail") if end is not None else (lambda x: x)
    moved = _moved(per_frame(frames), per_frame(onset), config, "gia")
    height, width, channels = moved.shape[2:]
    unit = own.BlockUnits(1, config.blocks, config.bn_momentum, mask, "gia")
    return _weighed(ops.reshape(moved, (-1, height, width, 1, channels)), unit, config.blocks.gia_units)


def _ended(tail: keras.Model | None, name: str) -> keras.Model | None:
    """The tail up to a layer, or to its last map; None where nothing follows the map it begins with."""
    if tail is None:
        return None
    # A tail cut from an encoder still names the encoder's tensors; those of a copy are its own.
    copy = keras.models.clone_model(tail)
    copy.set_weights(tail.get_weights())
    maps = {layer.name: layer for layer in copy.layers if len(layer.output.shape) == 4}
    if name and name not in maps:
        raise MerError(f"model.blocks.gia_to={name}: behind the map come the maps {', '.join(maps)}")
    end = maps[name or list(maps)[-1]]
    if isinstance(end, layers.InputLayer):
        return None
    return keras.Model(copy.input, end.output, name="gia_cnn")


def _blocks(maps: Any, centres: Any, mask: Any, config: GiaBiaBiLstm) -> Any:
    """a_k psi_k of every frame and block: (B * T, K * units)."""
    blocks = config.blocks
    if centres is not None:
        windows = own.BlockCrop(blocks.window, name="block_windows")(maps, centres)
    else:
        whole = own.FoldTime(own.Resize(blocks.window, name="shrink"), name="whole_map")(maps)
        windows = ops.reshape(whole, (-1, blocks.window, blocks.window, 1, maps.shape[-1]))
    unit = own.BlockUnits(windows.shape[3], blocks, config.bn_momentum, mask, "block")
    return _weighed(unit.convolved(windows), unit, blocks.units)


def _weighed(features: Any, unit: own.BlockUnits, units: int) -> Any:
    """Weight times vector, all blocks of a frame in a row."""
    weighed = layers.Multiply(name=f"{unit.name}_weighed")([unit.weights(features), unit.vectors(features, units)])
    return ops.reshape(weighed, (-1, unit.blocks * units))


def _over_time(x: Any, mask: Any, config: GiaBiaBiLstm) -> Any:
    """Frames (B, T, D) to one vector a clip."""
    if config.blocks.over_time == "mean":
        return layers.GlobalAveragePooling1D(dtype="float32", name="mean_over_time")(x, mask=mask)
    over = lstm(config.lstm_units, "lstm")
    if config.blocks.over_time == "bilstm":
        over = layers.Bidirectional(over, name="bilstm")
    return over(x, mask=mask)
