"""Models: one file each, with the class of its settings (see `mer_tf.model`), which builds the network.

A new file is found by itself. It loads neither Keras nor pandas.
"""

from __future__ import annotations

from typing import Any

PRETRAINED = ("au-flow-3", "au-flow-4")
"""Networks that ship with the package: of drawn faces in a crop that was tuned, and in a published one."""
PARTS = ("layers", "encoders", "pretrained", "stored", "registered", "kernel_ridge", "patch_codes")
"""What loads Keras or computes. All other files are looked through for models."""


def load_pretrained(name: str) -> Any:
    """A network that ships with the package, a keras.Model; see `mer_tf.models.pretrained.load_pretrained`."""
    from mer_tf.models.pretrained import load_pretrained as load  # brings Keras

    return load(name)
