"""Published VGGFace weight files: where they are and how they are fetched. Needs no Keras."""

from __future__ import annotations

import http.client
import logging
import os
import time
import urllib.request
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.files import atomic, sha256, write_text
from mer_tf.locks import held
from mer_tf.progress import Progress

log = logging.getLogger("mer_tf")
WEIGHTS = {network: f"rcmalli_vggface_tf_notop_{network}.h5" for network in ("vgg16", "resnet50", "senet50")}
"""Network -> its published file, without the classifier of identities."""
_RELEASE = "https://github.com/rcmalli/keras-vggface/releases/download/v2.0"
_CHUNK = 1 << 20
_PATIENCE = 3.0


def weight_url(name: str) -> str:
    return f"{_RELEASE}/{name}"


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


def download_weights(name: str, limit: float = 120.0) -> Path:
    """Fetch a published weight file into the first of `weight_folders()`; whole or not at all.

    Args:
        name: one of WEIGHTS.
        limit: seconds after which the whole download is given up; the connection, and any single read, have three.

    One process fetches, others wait for it. `MerError` when the server is out of reach, too slow, or ends early. (Keras
    waits as long as the server likes in its `get_file`, which `encoder=auto` must not.)
    """
    path = weight_folders()[0] / name
    try:
        with held(path, wait=limit):
            if not path.exists():  # another process may have fetched it meanwhile
                _fetch(path, limit)
    except (OSError, http.client.HTTPException) as error:  # URLError, timeouts and full disks are OSError
        raise MerError(f"{weight_url(name)}: download to {path} failed ({error})") from error
    return path


def _fetch(path: Path, limit: float) -> None:
    received, deadline = 0, time.monotonic() + limit
    with urllib.request.urlopen(weight_url(path.name), timeout=_PATIENCE) as response, atomic(path) as part:
        size = int(response.headers.get("Content-Length") or 0)
        with part.open("wb") as out, Progress(total=size or None, unit="byte", unit_scale=True, desc=path.name) as bar:
            while chunk := response.read1(_CHUNK):
                if time.monotonic() > deadline:
                    raise TimeoutError("too slow")
                received += out.write(chunk)
                bar.update(len(chunk))
        if size and received != size:
            raise OSError(f"ended after {received} of {size} bytes")
