"""Global and block attention on each frame, a Bi-LSTM over frames: Zhu et al., CMC 2023 (GIA, BIA, Bi-LSTM).

    map (B, T, H, W, C) --+-- windows at K blocks --[block units]--> a_k psi_k  (K vectors) --+
                          |                                                                   +--> dense, ReLU, dropout
                          +-- [rest of the encoder] G --> a_g psi_g              (1 vector) --+    (B, T, D)
    --> Bi-LSTM, both directions after their whole pass --> logits                                 (B, classes)

Of the paper only the abstract could be read: this flow is its; shapes and units are those of gACNN (Li et al., TIP
2019), from which its 24 blocks are. The frozen part of the encoder (VGG16 to conv4_2) stands outside.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from mer_tf.config import MerError, Model
from mer_tf.models.block_layers import BlockCrop, UnfoldTime
from mer_tf.models.block_units import BlockUnits
from mer_tf.models.layers import FoldTime, Resize
from mer_tf.models.stages import Stage
from mer_tf.models.vggface_lstm import OnsetDifference


def build(
    config: Model, feature_shape: dict[str, tuple[int, ...]], classes: int, tail: keras.Model | None = None
) -> keras.Model:
    """Trainable part of the network, and the frozen or retrained `tail` of the encoder for the whole face.

    feature_shape: {"frames": (H, W, C), "blocks": (K, 2)}. Inputs (dict): frames float32 (B, T, H, W, C), onset
    (B, 1, H, W, C), mask bool (B, T), False where a short clip was padded, and where K > 0 blocks float32 (B, K, 2),
    centres in cells. Output: float32 logits (B, classes). T may differ from batch to batch. `MerError` when nothing is
    left to look at.
    """
    shape, count = feature_shape["frames"], feature_shape["blocks"][0]
    frames, onset = keras.Input((None, *shape), name="frames"), keras.Input((1, *shape), name="onset")
    mask = keras.Input((None,), dtype="bool", name="mask")
    inputs = {"frames": frames, "onset": onset, "mask": mask}
    if count:
        inputs["blocks"] = keras.Input((count, 2), name="blocks")
    steps = ops.reshape(mask, (-1, 1, 1))

    # ------------------------------------------------------------------ vectors of each frame
    vectors = []
    if config.blocks.gia:
        vectors.append(_whole_face(frames, onset, steps, config, tail))
    if count or config.blocks.none_mode == "whole_map":
        vectors.append(_blocks(_moved(frames, onset, config, "map"), inputs.get("blocks"), steps, config))
    if not vectors:
        raise MerError("model.blocks: set none and none_mode gia_only leave nothing without gia; take one of them")
    x = layers.Concatenate(name="vectors")(vectors) if len(vectors) > 1 else vectors[0]
    x = layers.Dense(config.blocks.reduce_units, activation="relu", kernel_initializer="he_normal", name="reduce")(x)
    x = layers.Dropout(config.dropout, name="reduce_dropout")(x)
    x = UnfoldTime(name="sequence")(x, mask)

    # ------------------------------------------------------------------ time
    logits = layers.Dense(classes, dtype="float32", name="logits")(_over_time(x, mask, config))
    return keras.Model(inputs, logits, name="gia_bia_bilstm")


def stages(model: keras.Model, config: Model) -> list[Stage]:
    """Single frames about the apex under a head that is thrown away, then whole windows (gACNN's recipe, then D's)."""
    if not first_stages(config):
        return [Stage("clips", model)]
    inputs, classes = {t.name: t for t in model.inputs}, model.output_shape[-1]
    sequence = model.get_layer("sequence").output
    mean = layers.GlobalAveragePooling1D(dtype="float32", name="frame")(sequence, mask=inputs["mask"])
    logits = layers.Dense(classes, dtype="float32", name="frame_logits")(mean)
    frames = Stage("frames", keras.Model(inputs, logits, name="frames"), last=False, near_apex=True)
    return [frames, Stage("clips", model) if config.blocks.finetune else _only_over_time(model, inputs, config)]


def _only_over_time(model: keras.Model, inputs: dict[str, Any], config: Model) -> Stage:
    """The last stage where vectors of frames stay as they are: computed once a window."""
    sequence = model.get_layer("sequence").output
    trunk = keras.Model(inputs, {"sequence": sequence, "shown": ops.cast(inputs["mask"], "float32")}, name="vectors")
    given = {"sequence": keras.Input((None, sequence.shape[-1]), name="sequence")}
    given["shown"] = keras.Input((None,), name="shown")
    recurrent = model.get_layer("bilstm" if config.blocks.over_time == "bilstm" else "lstm")
    found = recurrent(given["sequence"], mask=ops.greater(given["shown"], 0.5))
    return Stage("clips", keras.Model(given, model.get_layer("logits")(found), name="clips"), trunk)


def first_stages(config: Model) -> int:
    """The stage of single frames; without anything over time that is all the network there is."""
    return 0 if config.blocks.over_time == "mean" else 1


def block_weights(model: keras.Model) -> keras.Model:
    """Of a model that `build` made, reloaded or not: its inputs to {"blocks": (B * T, K, 1), "face": (B * T, 1, 1)}."""
    found = {name: f"{prefix}_weights" for name, prefix in (("blocks", "block"), ("face", "gia"))}
    present = {layer.name for layer in model.layers}
    outputs = {name: model.get_layer(layer).output for name, layer in found.items() if layer in present}
    return keras.Model({t.name: t for t in model.inputs}, outputs, name="block_weights")


def _moved(frames: Any, onset: Any, config: Model, name: str) -> Any:
    """What has changed since the onset, where it is asked for."""
    return OnsetDifference(name=f"{name}_minus_onset")(frames, onset) if config.center == "onset" else frames


def _whole_face(frames: Any, onset: Any, mask: Any, config: Model, tail: keras.Model | None) -> Any:
    """a_g psi_g of every frame: (B * T, gia_units)."""
    end = _ended(tail, config.blocks.gia_to)
    per_frame = FoldTime(end, name="gia_tail") if end is not None else (lambda x: x)
    moved = _moved(per_frame(frames), per_frame(onset), config, "gia")
    height, width, channels = moved.shape[2:]
    unit = BlockUnits(1, config.blocks, config.bn_momentum, mask, "gia")
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


def _blocks(maps: Any, centres: Any, mask: Any, config: Model) -> Any:
    """a_k psi_k of every frame and block: (B * T, K * units)."""
    blocks = config.blocks
    if centres is not None:
        windows = BlockCrop(blocks.window, name="block_windows")(maps, centres)
    else:
        whole = FoldTime(Resize(blocks.window, name="shrink"), name="whole_map")(maps)
        windows = ops.reshape(whole, (-1, blocks.window, blocks.window, 1, maps.shape[-1]))
    unit = BlockUnits(windows.shape[3], blocks, config.bn_momentum, mask, "block")
    return _weighed(unit.convolved(windows), unit, blocks.units)


def _weighed(features: Any, unit: BlockUnits, units: int) -> Any:
    """Weight times vector, all blocks of a frame in a row."""
    weighed = layers.Multiply(name=f"{unit.name}_weighed")([unit.weights(features), unit.vectors(features, units)])
    return ops.reshape(weighed, (-1, unit.blocks * units))


def _over_time(x: Any, mask: Any, config: Model) -> Any:
    """Frames (B, T, D) to one vector a clip."""
    if config.blocks.over_time == "mean":
        return layers.GlobalAveragePooling1D(dtype="float32", name="mean_over_time")(x, mask=mask)
    # cuDNN's LSTM switches XLA off for the whole step.
    lstm = layers.LSTM(config.lstm_units, use_cudnn=False, name="lstm")
    if config.blocks.over_time == "lstm":
        return lstm(x, mask=mask)
    return layers.Bidirectional(lstm, name="bilstm")(x, mask=mask)
