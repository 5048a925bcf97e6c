"""Models as files: read in Keras' safe mode, where no code of the file runs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import keras

from mer_tf.config import MerError
from mer_tf.models.layers import OWN

FINISH = "run the experiment to its end, or with --resume"
"""Mend of a run's checkpoint."""


def load_model(path: Path, mend: str) -> keras.Model:
    """A .keras file, not compiled; `MerError`, which ends with `mend`, when it is absent or not whole."""
    if not Path(path).is_file():
        raise MerError(f"{path}: no such checkpoint; {mend}")
    for name in OWN:  # a file names the layers of ours that it holds
        import_module(name)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its archive, JSON and layer readers raise
        said = " ".join(str(error).split())[:300]
        raise MerError(f"{path}: cannot be loaded in Keras' safe mode ({said}); {mend}") from error
