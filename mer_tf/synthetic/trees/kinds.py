"""The look-alikes drawn from portraits, by the name of the data set they imitate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mer_tf.synthetic.faces.clip import CAMERAS
from mer_tf.synthetic.trees.annotated import write_annotated
from mer_tf.synthetic.trees.casme2 import CASME2
from mer_tf.synthetic.trees.samm import SAMM
from mer_tf.synthetic.trees.smic import write_smic

DRAWN: dict[str, Callable[..., Path]] = {
    **{f"smic-{camera}": partial(write_smic, camera=camera) for camera in CAMERAS},
    "casme2": partial(write_annotated, CASME2),
    "samm": partial(write_annotated, SAMM),
}
"""Writers; each takes the folder and the keywords of `write_annotated`."""
