"""Models by name. Each file has `build(config, feature_shape, classes, tail=None) -> keras.Model`.

One trained in stages has `stages(model, config) -> list[Stage]` beside it, and `first_stages(config) -> int`, how many
there are before the last.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from mer_tf.config import MerError, Model
from mer_tf.names import unknown

# Names of modules, not modules: a name is looked up long before Keras is needed.
MODELS = {
    "attention_lstm": "mer_tf.models.attention_lstm",
    "au_flow": "mer_tf.models.au_flow",
    "cnn_lstm_fusion": "mer_tf.models.cnn_lstm_fusion",
    "elrcn_se": "mer_tf.models.elrcn",
    "elrcn_te": "mer_tf.models.elrcn",
    "fcnn3d": "mer_tf.models.fcnn3d",
    "gia_bia_bilstm": "mer_tf.models.gia_bia_bilstm",
    "htnet": "mer_tf.models.htnet",
    "micro_exp_fusenet_intermediate": "mer_tf.models.micro_exp_fusenet",
    "micro_exp_fusenet_late": "mer_tf.models.micro_exp_fusenet",
    "micro_exp_stcnn": "mer_tf.models.micro_exp_stcnn",
    "off_apexnet": "mer_tf.models.off_apexnet",
    "rcn": "mer_tf.models.rcn",
    "ststnet": "mer_tf.models.ststnet",
    "vggface_frames": "mer_tf.models.vggface_frames",
    "vggface_lstm": "mer_tf.models.vggface_lstm",
}

OF_FLOW_IMAGES = frozenset({"au_flow", "htnet", "off_apexnet", "rcn", "ststnet"})
"""Models that take one flow image a clip: u, v and optical strain, onset to apex."""
OF_FEATURES = frozenset({"attention_lstm", "gia_bia_bilstm", "vggface_frames", "vggface_lstm"})
"""Models that take features of a frozen encoder."""
OF_IMAGES = frozenset(MODELS) - OF_FLOW_IMAGES - OF_FEATURES
"""Models that take windows of images and flow, not features of a frozen encoder."""

OF_BLOCKS = frozenset({"gia_bia_bilstm"})
"""Models that take maps of a frozen encoder and where the blocks of the face are in them."""
PRETRAINED = ("au-flow-3",)
"""Networks that ship with the package."""


def model_builder(name: str) -> Callable[..., Any]:
    """`build` of the model of that name; `MerError` listing the names for an unknown one."""
    return _module(name).build


def model_stages(name: str) -> Callable[..., Any] | None:
    """`stages` of the model of that name; None where it is trained in one."""
    return getattr(_module(name), "stages", None)


def first_stages(config: Model) -> int:
    """Stages before the last one."""
    return int(getattr(_module(config.name), "first_stages", lambda _: 0)(config))


def load_pretrained(name: str) -> Any:
    """A network that ships with the package, a keras.Model; see `mer_tf.models.pretrained.load_pretrained`."""
    from mer_tf.models.pretrained import load_pretrained as load  # brings Keras

    return load(name)


def _module(name: str) -> Any:
    if name not in MODELS:
        raise MerError(unknown("model", name, sorted(MODELS)))
    return import_module(MODELS[name])
