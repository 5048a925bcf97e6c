"""Models: one file each, with the class of its settings (see `mer_tf.model`), which builds the network.

Importing this package makes all of them known, and loads neither Keras nor pandas.
"""

from __future__ import annotations

from typing import Any

PRETRAINED = ("au-flow-3",)
"""Networks that ship with the package."""
FILES = (
    "attention_lstm",
    "au_flow",
    "cnn_lstm_fusion",
    "elrcn",
    "fcnn3d",
    "gia_bia_bilstm",
    "htnet",
    "micro_exp_fusenet",
    "micro_exp_stcnn",
    "off_apexnet",
    "rcn",
    "ststnet",
    "vggface_frames",
    "vggface_lstm",
)
"""Files that hold models; the others hold what models are made of."""


def load_pretrained(name: str) -> Any:
    """A network that ships with the package, a keras.Model; see `mer_tf.models.pretrained.load_pretrained`."""
    from mer_tf.models.pretrained import load_pretrained as load  # brings Keras

    return load(name)
