"""Published VGGFace weight files: where they are and how they are fetched. Needs no Keras."""

from __future__ import annotations

import http.client
import logging
import os
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tqdm import tqdm

from mer_tf.config import MerError
from mer_tf.files import atomic, sha256, write_text
from mer_tf.locks import held

log = logging.getLogger("mer_tf")
NETWORKS = ("vgg16", "resnet50", "senet50")
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

    One process fetches, others wait for it. `MerError` when the server is out of reach, too slow, ends early, or the
    file is not the expected one.
    """
    published = WEIGHT_FILES[name]
    path = weight_folders()[0] / name
    try:
        with held(path, wait=limit):
            if not path.exists():  # another process may have fetched it meanwhile
                _fetch(published, path, timeout, limit)
    except (OSError, http.client.HTTPException) as error:  # URLError, timeouts and full disks are OSError
        raise MerError(f"{published.url}: download to {path} failed ({error})") from error
    return path


def _fetch(published: WeightFile, path: Path, timeout: float, limit: float) -> None:
    with urllib.request.urlopen(published.url, timeout=timeout) as response, atomic(path) as part:
        _receive(response, part, published.name, deadline=time.monotonic() + limit)
        if published.sha256 is not None and sha256(part) != published.sha256:
            raise MerError(f"{published.url}: not the expected file (its SHA-256 differs); download it by hand")


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
