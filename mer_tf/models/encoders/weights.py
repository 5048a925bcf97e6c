"""Keras-2 weight files (HDF5) of the VGGFace networks, read without guessing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from mer_tf.config import MerError
from mer_tf.models.encoders.vggface import original_name

H5_FAULTS = (AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What h5py raises at a damaged file."""


def load_keras2_h5(model: keras.Model, path: Path) -> None:
    """Copy Keras-2 HDF5 weights into a VGGFace model by layer name: all of them, or none and a `MerError`.

    Takes files of `save_weights` and of `save`. Names are compared as keras-vggface writes them, "/" and "_" being one.
    Every weighted layer of the model must be in the file, with the same shapes, and the file may hold no other. (Keras'
    own `by_name=True` would load whatever matches and say nothing of the rest.)
    """
    assign(model, Path(path), _read(Path(path)))


def assign(model: keras.Model, path: Path, stored: dict[str, dict[str, np.ndarray]], offer: str = "") -> None:
    """Give every weighted layer its arrays, `stored` by `key_of` its name; all of them, or none and a `MerError`.

    offer: what the message about other names ends with.
    """
    targets = named_layers(model)
    _check_names(model, path, stored, targets, offer)
    # Everything is checked before the first assignment, so that a refused file leaves the model as it was.
    values = {key: _match(layer, stored[key], path) for key, layer in targets.items()}
    for key, layer in targets.items():
        layer.set_weights(values[key])


def named_layers(model: keras.Model) -> dict[str, Any]:
    """Layers with weights by `key_of` their name."""
    return {key_of(original_name(layer.name)): layer for layer in model.layers if layer.weights}


def key_of(name: str) -> str:
    """A layer's name with "/" and "_" as one."""
    return re.sub(r"[/_]+", "_", name)


def _read(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """Arrays of a file: layer key -> weight name ("kernel") -> array."""
    if not path.is_file():
        raise MerError(f"{path}: no such weight file")
    try:
        with h5py.File(path, "r") as file:
            root = file if "layer_names" in file.attrs else file.get("model_weights", file)
            if "layer_names" not in root.attrs:
                raise MerError(f"{path}: not a Keras-2 weight file (no layer_names); use a keras-vggface .h5 file")
            layers = {_text(name): root[_text(name)] for name in root.attrs["layer_names"]}
            return {key_of(name): arrays for name, group in layers.items() if (arrays := _arrays(group))}
    except H5_FAULTS as error:
        raise MerError(f"{path}: not a whole HDF5 weight file ({error}); download it again") from error


def _arrays(group: Any) -> dict[str, np.ndarray]:
    names = [_text(name) for name in group.attrs["weight_names"]]
    return {re.sub(r"(_\d+)?(:\d+)?$", "", name.split("/")[-1]): group[name][()] for name in names}


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _check_names(model: keras.Model, path: Path, stored: dict[str, Any], targets: dict[str, Any], offer: str) -> None:
    missing = [original_name(targets[key].name) for key in targets if key not in stored]
    extra = [key for key in stored if key not in targets]
    if not missing and not extra:
        return
    if missing:
        shapes = [tuple(weight.shape) for weight in targets[key_of(missing[0])].weights]
        problem = f"lacks {len(missing)} layers of {model.name}, first {missing[0]!r} with shapes {shapes}"
    else:
        problem = f"holds {len(extra)} layers that {model.name} has not, first {extra[0]!r}"
    topped = extra and set(extra) <= {"classifier", "fc6", "fc7", "fc8"}
    hint = ": this one has the classifier on top, use the file with 'notop' in its name" if topped else ""
    raise MerError(f"{path}: {problem}; it belongs to another network{hint}{offer}")


def _match(layer: Any, arrays: dict[str, np.ndarray], path: Path) -> list[np.ndarray]:
    expected = {weight.name: tuple(weight.shape) for weight in layer.weights}
    found = {name: array.shape for name, array in arrays.items()}
    if expected != found:
        raise MerError(
            f"{path}: layer {original_name(layer.name)!r} holds {found}, expected {expected}; "
            "it belongs to another network"
        )
    return [arrays[name] for name in expected]
