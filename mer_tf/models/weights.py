"""Published VGGFace weight files: where they are, how they are fetched, how Keras-2 HDF5 is read without guessing."""

from __future__ import annotations

import http.client
import logging
import os
import re
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import keras
import numpy as np
from tqdm import tqdm

from mer_tf.config import MerError
from mer_tf.files import atomic, sha256, write_text
from mer_tf.models.vggface import NETWORKS, original_name

log = logging.getLogger("mer_tf")
_RELEASE = "https://github.com/rcmalli/keras-vggface/releases/download/v2.0"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class WeightFile:
    """One published file. `sha256` None: its publisher gives none, so the bytes cannot be checked."""

    name: str
    url: str
    sha256: str | None = None


def _published(network: str, top: bool) -> WeightFile:
    name = f"rcmalli_vggface_tf_{'' if top else 'notop_'}{network}.h5"
    return WeightFile(name, f"{_RELEASE}/{name}")


WEIGHT_FILES: dict[str, WeightFile] = {
    file.name: file for file in (_published(network, top) for network in NETWORKS for top in (False, True))
}


def weight_file(network: str, *, include_top: bool = False) -> WeightFile:
    """The published file of a VGGFace network."""
    return WEIGHT_FILES[_published(network, include_top).name]


def weight_folders() -> list[Path]:
    """Folders searched, in this order: $MER_TF_WEIGHTS, our cache, the cache of keras-vggface."""
    own = os.environ.get("MER_TF_WEIGHTS")
    home = Path.home()
    cache = [home / ".cache" / "mer_tf" / "weights", home / ".keras" / "models" / "vggface"]
    return [Path(own).expanduser(), *cache] if own else cache


def find_weights(name: str) -> Path | None:
    """Path of a weight file by its published name, or None."""
    return next((folder / name for folder in weight_folders() if (folder / name).is_file()), None)


def same_as_before(path: Path) -> str:
    """SHA-256 of a weight file, kept beside it as <name>.sha256 when it is first loaded: no publisher gives one.

    `MerError` when the file is another one than then. Where the folder cannot be written to, nothing is kept.
    """
    found, kept = sha256(path), path.with_name(f"{path.name}.sha256")
    try:
        known = kept.read_text(encoding="utf-8", errors="replace").split()[:1]
    except OSError:
        known = []
    if known and known[0] != found:
        raise MerError(
            f"{path}: SHA-256 is {found[:12]}..., but {known[0][:12]}... was loaded first ({kept.name}); put the first "
            f"file back, or delete {kept} if the change is meant"
        )
    if not known:
        try:
            write_text(kept, f"{found}  {path.name}\n")
        except OSError as error:
            log.info("%s: its SHA-256 cannot be kept (%s)", path, error.strerror)
    return found


def download_weights(name: str, *, timeout: float = 5.0, limit: float = 600.0) -> Path:
    """Fetch a published weight file into the first of `weight_folders()`; whole or not at all.

    Args:
        name: a key of WEIGHT_FILES.
        timeout: seconds to wait for the connection, and for any single read.
        limit: seconds after which the whole download is given up.

    `MerError` when the server is out of reach, too slow, ends early, or the file is not the expected one.
    """
    published = WEIGHT_FILES[name]
    path = weight_folders()[0] / name
    try:
        with urllib.request.urlopen(published.url, timeout=timeout) as response, atomic(path) as part:
            _receive(response, part, name, deadline=time.monotonic() + limit)
            if published.sha256 is not None and sha256(part) != published.sha256:
                raise MerError(f"{published.url}: not the expected file (its SHA-256 differs); download it by hand")
    except (OSError, http.client.HTTPException) as error:  # URLError, timeouts and full disks are OSError
        raise MerError(f"{published.url}: download to {path} failed ({error})") from error
    return path


def _receive(response: Any, part: Path, name: str, deadline: float) -> None:
    size = int(response.headers.get("Content-Length") or 0)
    with part.open("wb") as out, tqdm(total=size or None, unit="B", unit_scale=True, desc=name) as bar:
        received = _copy(response, out, bar, deadline)
    if size and received != size:
        raise OSError(f"ended after {received} of {size} bytes")


def _copy(response: Any, out: BinaryIO, bar: Any, deadline: float) -> int:
    received = 0
    while chunk := response.read1(_CHUNK):
        if time.monotonic() > deadline:
            raise TimeoutError("too slow")
        received += out.write(chunk)
        bar.update(len(chunk))
    return received


H5_FAULTS = (AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What h5py raises at a damaged file."""


def load_keras2_h5(model: keras.Model, path: Path) -> None:
    """Copy Keras-2 HDF5 weights into a VGGFace model by layer name: all of them, or none and a `MerError`.

    Takes files of `save_weights` and of `save`. Names are compared as keras-vggface writes them, "/" and "_" being one.
    Every weighted layer of the model must be in the file, with the same shapes, and the file may hold no other. (Keras'
    own `by_name=True` would load whatever matches and say nothing of the rest.)
    """
    stored = _read(Path(path))
    targets = {_key(original_name(layer.name)): layer for layer in model.layers if layer.weights}
    _check_names(model, Path(path), stored, targets)
    # Everything is checked before the first assignment, so that a refused file leaves the model as it was.
    values = {key: _match(layer, stored[key], Path(path)) for key, layer in targets.items()}
    for key, layer in targets.items():
        layer.set_weights(values[key])


def _key(name: str) -> str:
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
            return {_key(name): arrays for name, group in layers.items() if (arrays := _arrays(group))}
    except H5_FAULTS as error:
        raise MerError(f"{path}: not a whole HDF5 weight file ({error}); download it again") from error


def _arrays(group: Any) -> dict[str, np.ndarray]:
    names = [_text(name) for name in group.attrs["weight_names"]]
    return {re.sub(r"(_\d+)?(:\d+)?$", "", name.split("/")[-1]): group[name][()] for name in names}


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _check_names(model: keras.Model, path: Path, stored: dict[str, Any], targets: dict[str, Any]) -> None:
    missing = [original_name(targets[key].name) for key in targets if key not in stored]
    extra = [key for key in stored if key not in targets]
    if not missing and not extra:
        return
    if missing:
        shapes = [tuple(weight.shape) for weight in targets[_key(missing[0])].weights]
        problem = f"lacks {len(missing)} layers of {model.name}, first {missing[0]!r} with shapes {shapes}"
    else:
        problem = f"holds {len(extra)} layers that {model.name} has not, first {extra[0]!r}"
    raise MerError(f"{path}: {problem}; it belongs to another network{_top_hint(missing, extra)}")


def _top_hint(missing: list[str], extra: list[str]) -> str:
    top = {"classifier", "fc6", "fc7", "fc8"}
    if extra and set(extra) <= top:
        return ": this one has the classifier on top, use the file with 'notop' in its name"
    if missing and set(missing) <= top:
        return ": this one has no classifier, use the file without 'notop' in its name"
    return ""


def _match(layer: Any, arrays: dict[str, np.ndarray], path: Path) -> list[np.ndarray]:
    expected = {weight.name: tuple(weight.shape) for weight in layer.weights}
    found = {name: array.shape for name, array in arrays.items()}
    if expected != found:
        raise MerError(
            f"{path}: layer {original_name(layer.name)!r} holds {found}, expected {expected}; "
            "it belongs to another network"
        )
    return [arrays[name] for name in expected]
