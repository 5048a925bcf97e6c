"""Image encoders: one float32 RGB face in, one feature vector out, whatever the network wants inside.

Names: `vggface2-resnet50` (Cao et al., FG 2018; the encoder of Bai & Goecke, ICMI'20), `vggface2-senet50`,
`vggface-vgg16`, `mtcnn-onet` and `mtcnn-onet-conv4` (shipped with mtcnn, always there), `auto`, or the path of a .keras
model.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
from keras import layers

from mer_tf.config import MerError
from mer_tf.files import sha256
from mer_tf.models.encoders import onet, vggface
from mer_tf.models.encoders.names import (
    FALLBACK,
    MEANS,
    ONET,
    PREFERRED,
    PREFERRED_MAPS,
    STATES,
    VGGFACE,
    check_encoder,
    encoder_path,
    listed,
    vggface_weights,
)
from mer_tf.models.encoders.parts import map_layer
from mer_tf.models.encoders.state import load_state
from mer_tf.models.encoders.weight_files import (
    WEIGHTS,
    download_weights,
    find_weights,
    same_as_before,
    weight_folders,
)
from mer_tf.models.encoders.weights import load_keras2_h5
from mer_tf.models.kinds import FeatureModel
from mer_tf.models.layers.shared import Preprocess, Resize
from mer_tf.models.stored import load_model
from mer_tf.preprocessing.mtcnn_files import weights_path

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoder:
    """An image encoder, frozen, ready to be applied to frames.

    model: RGB 0..255 (B, input_size, input_size, 3) -> (B, D); resizing and preprocessing are part of it.
    name: the encoder used; requested: what the configuration asked for (`auto`, a path).
    size: side the network itself sees, pixels.
    weights: source (path, package, or "random"), sha256 (None for random weights) and note.
    features_at: name of the map that models are given (see `parts.map_layer`); None: the model's output.
    jit_compile: what `compile` is best given: "auto" for a foreign network, whose layers XLA may run badly on a CPU
        (depthwise convolutions: 467 ms a frame instead of 21).
    """

    name: str
    requested: str
    model: keras.Model
    size: int
    weights: dict[str, str | None]
    jit_compile: bool | str = True
    features_at: str | None = None


def build_encoder(config: FeatureModel, *, input_size: int) -> Encoder:
    """Build the encoder a configuration names, for square frames of `input_size` pixels.

    `config.preproc` says what the encoder is fed (`FeatureModel.preproc`). Weights of PyTorch, a .safetensors or .npz
    file, make a VGGFace network of PyTorch's geometry.
    Raises `MerError` for an unknown name and for weights that are absent or belong to another network.
    """
    name, reason = resolve_encoder(config)
    if name in VGGFACE:
        return _with_map(_vggface_encoder(name, config, input_size, reason), config.features_at)
    if name in ONET and config.features_at:
        return _onet_maps(name, config, input_size, reason)
    if name in ONET:
        return _onet_encoder(name, config, input_size, reason)
    return _with_map(_file_encoder(config, input_size), config.features_at)


def _with_map(encoder: Encoder, features_at: str | None) -> Encoder:
    if features_at:
        map_layer(encoder.model, features_at)
    return replace(encoder, features_at=features_at)


def resolve_encoder(config: FeatureModel) -> tuple[str, str]:
    """Name of the encoder a configuration leads to, and why. Builds nothing, so that it can run before preprocessing.

    `auto` is vggface2-resnet50, for maps (`features_at`) vggface-vgg16, when its weights are given, found, or fetched
    now, else mtcnn-onet; it is decided once a process, so that all folds agree. Raises `MerError` for an unknown name
    and for missing weights.
    """
    check_encoder(config)
    if config.encoder != "auto":
        return config.encoder, "as configured"
    name = PREFERRED_MAPS if config.features_at else PREFERRED
    if config.weights is None:
        name, reason = auto_encoder(name, tuple(weight_folders()))
    else:
        reason = "random weights need no file" if config.weights == "random" else f"weights given: {config.weights}"
    _LOG.log(logging.WARNING if name == FALLBACK else logging.INFO, "encoder auto -> %s: %s", name, reason)
    return name, reason


@functools.cache
def auto_encoder(preferred: str, folders: tuple[Path, ...]) -> tuple[str, str]:
    """(encoder that `auto` stands for, reason), the same until the process ends."""
    name = WEIGHTS[VGGFACE[preferred][0]]
    if (path := find_weights(name)) is not None:
        return preferred, f"weights found: {path}"
    try:
        path = download_weights(name)
    except MerError as error:
        return FALLBACK, f"{preferred} has no weights: {name} is not in {listed(folders)}, and {error}"
    return preferred, f"weights downloaded: {path}"


def _vggface_encoder(name: str, config: FeatureModel, input_size: int, note: str) -> Encoder:
    network, preproc = VGGFACE[name]
    path = vggface_weights(name, config.weights)
    torch = path is not None and path.suffix in STATES
    if torch:
        network, name = network + vggface.TORCH, f"{name}-torch"
    build = functools.partial(vggface.vggface_layers, network=network)
    model = _assemble(name, build, _fed(config, preproc), input_size, vggface.NATIVE_SIZE)
    if path is None:
        return Encoder(name, config.encoder, model, vggface.NATIVE_SIZE, _random())
    loaded = same_as_before(path)
    if torch:
        load_state(model, path, config.weights_by)
    else:
        load_keras2_h5(model, path)
    weights: dict[str, str | None] = {"source": str(path), "sha256": loaded, "note": note}
    return Encoder(name, config.encoder, model, vggface.NATIVE_SIZE, weights)


def _fed(config: FeatureModel, own: str) -> str:
    """Mode of `Preprocess`; `own`: that of the encoder's training."""
    return own if config.preproc == "own" else MEANS.get(config.preproc, config.preproc)


def _onet_encoder(name: str, config: FeatureModel, input_size: int, note: str) -> Encoder:
    def build(x: Any) -> Any:
        features = onet.onet_layers(x, ONET[name])
        return layers.Flatten(name="features")(features) if len(features.shape) > 2 else features

    model = _assemble(name, build, _fed(config, "mtcnn"), input_size, onet.NATIVE_SIZE)
    return Encoder(name, config.encoder, model, onet.NATIVE_SIZE, _onet_weights(model, config, note))


def _onet_maps(name: str, config: FeatureModel, input_size: int, note: str) -> Encoder:
    """ONet's convolutions on frames of their own size, so that larger frames give larger maps; its fc5 could not."""

    def build(x: Any) -> Any:
        return layers.GlobalAveragePooling2D(name="avg_pool")(onet.onet_layers(x, "conv4"))

    size = max(input_size, onet.NATIVE_SIZE)
    model, wanted = _assemble(name, build, _fed(config, "mtcnn"), input_size, size), str(config.features_at)
    own = config.encoder != "auto" and wanted in {layer.name for layer in model.layers}
    at = wanted if own else onet.stands_for(wanted)
    if at != wanted:
        _LOG.warning("model.features_at=%s: %s gives its map %s instead", wanted, name, at)
    return _with_map(Encoder(name, config.encoder, model, size, _onet_weights(model, config, note)), at)


def _onet_weights(model: keras.Model, config: FeatureModel, note: str) -> dict[str, str | None]:
    if config.weights == "random":
        return _random()
    onet.load_onet(model)
    source = f"mtcnn {version('mtcnn')}, assets/weights/onet.lz4"
    return {"source": source, "sha256": sha256(weights_path("onet")), "note": note}


def _random() -> dict[str, str | None]:
    return {"source": "random", "sha256": None, "note": "untrained: its features carry no knowledge of faces"}


def _file_encoder(config: FeatureModel, input_size: int) -> Encoder:
    path = encoder_path(config)
    network = load_model(path, "give a whole .keras file without Lambda layers")
    size = _input_side(network, path)

    def build(x: Any) -> Any:
        features = _flattened(network, x)
        return layers.GlobalAveragePooling2D(name="avg_pool")(features) if len(features.shape) == 4 else features

    mode = _fed(config, "raw")
    model = _assemble(re.sub(r"\W", "_", path.stem), build, mode, input_size, size)
    if len(model.output.shape) != 2:
        raise MerError(f"{path}: gives {model.output.shape}; an encoder gives a vector (B, D) or a map (B, H, W, D)")
    note = f"fed {mode}" + (", which its first layer scales" if config.preproc == "own" else "")
    weights: dict[str, str | None] = {"source": str(path), "sha256": sha256(path), "note": note}
    return Encoder(path.name, config.encoder, model, size, weights, jit_compile="auto")


def _flattened(network: keras.Model, x: Any) -> Any:
    """Copies of the network's layers applied one by one: as a whole it would be one layer that nothing can be cut from.

    Keras has no public way to lay a model's graph open; a model without one (subclassed) stays one layer.
    """
    graph = getattr(network, "_functional", None) or network
    if not hasattr(graph, "_run_through_graph"):
        return network(x)
    copies: dict[Any, Any] = {}

    def copied(operation: Any) -> Any:
        if operation not in copies:
            copies[operation] = operation.__class__.from_config(operation.get_config())
        return copies[operation]

    features = graph._run_through_graph(x, operation_fn=copied)
    for layer in graph.layers:
        if layer in copies:
            copies[layer].set_weights(layer.get_weights())
    return features


def _input_side(network: keras.Model, path: Path) -> int:
    shape = getattr(network, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3 or shape[1] is None:
        raise MerError(f"{path}: takes {shape}; an encoder takes square RGB images (None, side, side, 3)")
    return int(shape[1])


def _assemble(name: str, build: Callable[[Any], Any], mode: str, input_size: int, size: int) -> keras.Model:
    """One flat graph, not a model within a model: Grad-CAM and `split_encoder` reach every layer of it."""
    inputs = keras.Input((input_size, input_size, 3), name="images")
    x = Resize(size, name="resize")(inputs) if input_size != size else inputs
    model = keras.Model(inputs, build(Preprocess(mode, name="preprocess")(x)), name=name.replace("-", "_"))
    model.trainable = False
    return model
