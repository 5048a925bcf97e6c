"""The weight files inside the mtcnn package. They are pickles (joblib), and a pickle may run code when it is read:
they are read at their own place alone, and only when their bytes are the published ones."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from mer_tf.errors import MerError
from mer_tf.files import sha256

SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
"""Of mtcnn 1.0.0 as PyPI has it."""


def weights_path(network: str) -> Path:
    """Where the installed package has the weights of pnet, rnet or onet."""
    return Path(str(files("mtcnn.assets.weights") / f"{network}.lz4"))


def checked_weights(network: str) -> Path:
    """`weights_path`; `MerError` when its bytes are not those that mtcnn 1.0.0 published."""
    path = weights_path(network)
    try:
        found = sha256(path)
    except OSError as error:
        raise MerError(f"{path}: cannot be read ({error.strerror}); install mtcnn 1.0.0 again") from error
    if found != SHA256[network]:
        raise MerError(
            f"{path}: SHA-256 is {found[:12]}..., not the published {SHA256[network][:12]}..., so it is not unpickled; "
            "install mtcnn 1.0.0 again"
        )
    return path
