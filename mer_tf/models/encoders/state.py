"""Weights of the PyTorch VGGFace networks: a state dict as a .safetensors or .npz file. Nothing is unpickled.

Names and geometry are those of the networks that Oxford's VGG published for PyTorch (`resnet50_ft_dag` and others):
layers as keras-vggface names them with "_" for "/" and "_bn" for "/bn", images in RGB.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import keras
import numpy as np

from mer_tf.config import MerError
from mer_tf.models.encoders.weights import assign, key_of, named_layers

log = logging.getLogger("mer_tf")
Layers = dict[str, dict[str, np.ndarray]]
_HEADS = re.compile(r"classifier|fc[678]|feat_extract(_bn)?")
"""What stands behind the features: identities, and the 128 and 256 numbers of the compact networks."""
_NORMALISED = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_PARTS = ("", "7x7_s2", "1x1_reduce", "3x3", "1x1_increase", "1x1_down", "1x1_up", "1x1_proj")
"""Layers of a residual block in the order in which PyTorch's files hold them."""


def load_state(model: keras.Model, path: Path, by: Literal["names", "order"]) -> None:
    """Copy a PyTorch state dict into a VGGFace network of PyTorch's geometry: all of it, or none and a `MerError`.

    by: names, or the order of the layers in an .npz file whose names are others; then all shapes must agree in turn.
    """
    stored = _read(path)
    heads = [name for name in stored if _HEADS.fullmatch(name)]
    if heads:
        log.info("%s: %s stand behind the features and are left out", path, ", ".join(heads))
    stored = {name: arrays for name, arrays in stored.items() if name not in heads}
    ordered = [key for key, _ in sorted(named_layers(model).items(), key=lambda item: _place(item[0]))]
    fits = path.suffix == ".npz" and _shapes_agree(model, ordered, stored)
    if by == "order":
        if not fits:
            raise MerError(
                f"{path}: model.weights_by=order: its layers are not those of {model.name} in turn (a .safetensors "
                "file keeps no order: use .npz); use model.weights_by=names"
            )
        log.warning(
            "%s: loaded by the order of its layers, %s first, as RGB; its names were not compared", path, ordered[0]
        )
        stored = dict(zip(ordered, stored.values(), strict=True))
    offer = "; model.weights_by=order takes its layers in turn, whose shapes agree" if fits else ""
    assign(model, path, stored, offer)


def _read(path: Path) -> Layers:
    """Arrays of a file by layer and Keras' name of the weight, in the file's order, laid out as Keras has them."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, value in _arrays(path).items():
        layer, _, kind = name.removeprefix("module.").rpartition(".")
        if kind != "num_batches_tracked":
            found.setdefault(key_of(layer.replace(".", "_")), {})[kind] = value
    return {layer: _as_keras(path, layer, arrays) for layer, arrays in found.items()}


def _arrays(path: Path) -> Mapping[str, np.ndarray]:
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        from safetensors.numpy import load_file  # an extra

        return dict(load_file(path))
    except ModuleNotFoundError as error:
        raise MerError(f"{path}: needs the package safetensors (pip install safetensors), or an .npz file") from error
    except Exception as error:  # safetensors raises an error class of its own, NumPy and zipfile several
        if isinstance(error, MemoryError | KeyboardInterrupt):
            raise
        raise MerError(f"{path}: not a whole {path.suffix} file of arrays ({error}); save it again") from error


def _as_keras(path: Path, layer: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    weight = arrays.get("weight")
    if weight is None or weight.ndim not in (1, 2, 4) or not arrays.keys() <= _NORMALISED.keys():
        raise MerError(f"{path}: layer {layer!r} holds {sorted(arrays)}, which is no layer of a state dict of PyTorch")
    if weight.ndim == 1:
        return {_NORMALISED[kind]: value for kind, value in arrays.items()}
    kernel = weight.transpose((2, 3, 1, 0) if weight.ndim == 4 else (1, 0))
    if kernel.ndim == 4 and kernel.shape[2] == 3:
        kernel = kernel[:, :, ::-1]  # PyTorch's networks see RGB, keras-vggface's and ours BGR
    return {"kernel": kernel} | {kind: value for kind, value in arrays.items() if kind == "bias"}


def _place(key: str) -> tuple[int, int, int, bool]:
    """Where a layer stands in PyTorch's order: stage, block, part, and a convolution before its normalisation."""
    name = key.removesuffix("_bn")
    found = re.fullmatch(r"conv(\d)(?:_(\d))?(?:_(\dx\d.*))?", name)
    if not found:
        return 9, 0, 0, False
    stage, block, part = found.groups()
    return int(stage), int(block or 0), _PARTS.index(part or ""), name != key


def _shapes_agree(model: keras.Model, ordered: list[str], stored: Layers) -> bool:
    layers = named_layers(model)
    wanted = [{weight.name: tuple(weight.shape) for weight in layers[key].weights} for key in ordered]
    return wanted == [{name: array.shape for name, array in arrays.items()} for arrays in stored.values()]
