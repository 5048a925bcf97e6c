"""Image encoders by name, and the files that they need: everything that can be known of an encoder without Keras."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mer_tf.config import GRADCAM, MerError
from mer_tf.models.encoders.weight_files import WEIGHTS, find_weights, weight_folders, weight_url
from mer_tf.names import meant, unknown

if TYPE_CHECKING:
    from mer_tf.models.kinds import FeatureModel

VGGFACE = {  # encoder: network, preprocessing
    "vggface2-resnet50": ("resnet50", "vggface2"),
    "vggface2-senet50": ("senet50", "vggface2"),
    "vggface-vgg16": ("vgg16", "vggface1"),
}
MEANS = {"vggface-mean": "vggface1", "vggface2-mean": "vggface2"}
"""model.preproc -> mode of `layers.shared.Preprocess` where it has another name."""
STATES = (".safetensors", ".npz")
"""Files of PyTorch state dicts."""
_PICKLED = (".pth", ".pt", ".pkl", ".pickle", ".bin", ".tar")
_SCALERS = {"Rescaling", "Normalization", "Preprocess"}
ONET = {"mtcnn-onet": "fc5", "mtcnn-onet-conv4": "conv4"}
PREFERRED, PREFERRED_MAPS, FALLBACK = "vggface2-resnet50", "vggface-vgg16", "mtcnn-onet"
"""What auto becomes: for embeddings, for maps, and without their weights."""
NAMES = (*VGGFACE, *ONET, "auto")
_RESIDUAL = (
    "conv1",
    *(f"conv{stage}_{k}" for stage, blocks in ((2, 3), (3, 4), (4, 6), (5, 3)) for k in range(1, blocks + 1)),
)
VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Blocks of VGG16: the width of their convolutions, and how many there are."""
BLOCKS = {
    "vggface2-resnet50": _RESIDUAL,
    "vggface2-senet50": _RESIDUAL,
    "vggface-vgg16": tuple(
        f"conv{stage}_{k}" for stage, (_, depth) in enumerate(VGG16, 1) for k in range(1, depth + 1)
    ),
}
"""Encoder -> blocks that it can be retrained from."""

VGG16_MAPS = tuple(
    name
    for stage, (_, depth) in enumerate(VGG16, 1)
    for name in (*(f"conv{stage}_{k}" for k in range(1, depth + 1)), f"pool{stage}")
)
"""Maps of vggface-vgg16 in their order."""
_ONET_MAPS = re.compile(r"(conv|prelu)[1-4]|pool[1-3]|permute|(conv|pool)[2-5](_\d)?")
"""ONet's own maps, and those of VGG16 for which one of them stands."""


def check_encoder(config: FeatureModel) -> None:
    """`MerError` for an unknown encoder or block, and for weights that are not there; `auto` is not yet decided."""
    blocks = BLOCKS.get(config.encoder, ())
    if blocks and config.retrain_from not in (None, GRADCAM, *blocks):
        raise MerError(f"model.retrain_from: {unknown(f'block of {config.encoder}', str(config.retrain_from), blocks)}")
    _check_map(config.encoder, config.features_at)
    if config.encoder == "auto":
        if config.weights is not None:
            vggface_weights(PREFERRED_MAPS if config.features_at else PREFERRED, config.weights)
    elif config.encoder in VGGFACE:
        vggface_weights(config.encoder, config.weights)
    elif config.encoder in ONET:
        if config.weights not in (None, "random"):
            raise MerError(f"{config.encoder}: takes no weight file, got weights={config.weights!r}; leave it empty")
    else:
        encoder_path(config)


def _check_map(encoder: str, name: str | None) -> None:
    """`MerError` for a map that the encoder has not; maps within a ResNet's blocks begin with the block's name."""
    within = encoder in BLOCKS and encoder != PREFERRED_MAPS
    known = (*BLOCKS[encoder], "pool1") if within else VGG16_MAPS
    onet = encoder in ONET or encoder == "auto"
    there = name in known or (within and str(name).startswith(known)) or (onet and _ONET_MAPS.fullmatch(str(name)))
    if name is not None and not there and encoder in NAMES:
        raise MerError(f"model.features_at: {unknown(f'map of {encoder}', name, known)}")


def maps_behind(config: FeatureModel) -> tuple[str, ...]:
    """Maps of the encoder's frozen tail, behind `features_at`; empty where they are not known without the encoder."""
    if config.encoder != PREFERRED_MAPS or config.retrain_from or config.features_at not in VGG16_MAPS:
        return ()
    return VGG16_MAPS[VGG16_MAPS.index(config.features_at) + 1 :]


def listed(folders: tuple[Path, ...] | list[Path]) -> str:
    return ", ".join(str(folder) for folder in folders)


def vggface_weights(name: str, weights: str | None) -> Path | None:
    """Weight file of a VGGFace encoder; None for random weights."""
    if weights == "random":
        return None
    if weights is not None:
        if not Path(weights).is_file():
            raise MerError(f"{weights}: no such weight file (weights of {name}); give a path, or weights=random")
        if Path(weights).suffix in _PICKLED:
            raise MerError(
                f"{weights}: may be a pickle, which is not loaded; write it anew where PyTorch is: "
                "from safetensors.torch import save_file; "
                f"save_file(torch.load({Path(weights).name!r}, weights_only=True), 'w.safetensors')"
            )
        return Path(weights)
    published = WEIGHTS[VGGFACE[name][0]]
    path = find_weights(published)
    if path is None:
        raise MerError(
            f"{name}: its weights {published} were not found. Download {weight_url(published)} and put it in one of "
            f"{listed(weight_folders())}; or set weights=PATH, weights=random, or encoder={FALLBACK}"
        )
    return path


def encoder_path(config: FeatureModel) -> Path:
    """File of an encoder that is named by its path."""
    path = Path(config.encoder)
    if path.suffix != ".keras":
        known = f"one of {', '.join(NAMES)}, or the path of a .keras model"
        raise MerError(f"unknown encoder {config.encoder!r}; {known}{meant(config.encoder, NAMES)}")
    if not path.is_file():
        raise MerError(f"{path}: no such .keras encoder")
    if config.weights is not None:
        raise MerError(f"{path}: holds its own weights, got weights={config.weights!r}; leave it empty")
    if config.preproc == "own" and _scales_itself(path) is False:
        raise MerError(
            f"{path}: does not say how it wants its input: its first layer is no {' or '.join(sorted(_SCALERS))}; set "
            "model.preproc=imagenet, vggface2-mean, vggface-mean, centred, paper_code or raw, as it was trained"
        )
    return path


def _scales_itself(path: Path) -> bool | None:
    """Whether the first layer of a .keras file scales images; None where the file cannot be read as one."""
    try:
        with zipfile.ZipFile(path) as file:
            config = json.loads(file.read("config.json"))
        return _first(config) in _SCALERS
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError):
        return None


def _first(network: dict[str, Any]) -> str:
    """Class of the first layer behind the input, in nested networks too."""
    inner = network["config"].get("layers") if isinstance(network["config"], dict) else None
    behind = [layer for layer in inner or () if layer["class_name"] != "InputLayer"]
    return _first(behind[0]) if behind else str(network["class_name"])
