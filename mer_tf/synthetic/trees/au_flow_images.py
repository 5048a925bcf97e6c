"""A flow-images folder of one kind of drawing: `<subject>/u_test/<class>/<clip> .png`, with the kind in its marker."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mer_tf.config import MerError
from mer_tf.datasets.manifest import MARKER
from mer_tf.files import write_json
from mer_tf.locks import whole_folder
from mer_tf.preprocessing.pictures import write_picture
from mer_tf.synthetic.action_units.movement import CLASSES
from mer_tf.synthetic.action_units.rendered import CROPS, PER_FACE, draw_kind, kinds
from mer_tf.synthetic.layouts.files import finished


def write_kind(out: Path, kind: str, *, subjects: int = 16, clips_per_class: int = 2, seed: int = 0) -> Path:
    """Write `subjects` times 3 times `clips_per_class` images of one kind of drawing under `out` and return it.

    Rendered kinds draw one person a subject, of at most 12 clips. `MerError` for an unknown kind, numbers out of range
    and an `out` that holds anything.
    """
    most = PER_FACE // len(CLASSES)
    if not (1 <= subjects <= 99 and 1 <= clips_per_class <= most):
        raise MerError(f"flow images of a kind: subjects must lie in 1 .. 99 and clips_per_class in 1 .. {most}")
    out = Path(out)
    finished(out, {})
    with whole_folder(out) as part:
        for subject in range(subjects):
            _write_subject(part / f"s{subject + 1:02d}", kind, clips_per_class, 1000 * seed + subject)
        # An amplitude of pixels on a face 96 wide, as other look-alikes have it: the greatest that is drawn.
        write_json(part / MARKER, {"kind": kind, "amplitude": 4.0, "subjects": subjects, "seed": seed})
    return out


def _write_subject(home: Path, kind: str, clips_per_class: int, seed: int) -> None:
    copies = CROPS if kind in kinds() and kinds()[kind].renderer == "frames" else 1
    drawn = draw_kind(kind, len(CLASSES) * clips_per_class * copies, seed)
    images, labels = drawn.images[::copies], drawn.labels[::copies]
    for label in range(len(CLASSES)):
        for number, place in enumerate(np.flatnonzero(labels == label), 1):
            path = home / "u_test" / str(label) / f"{home.name}_{label}_{number:02d} .png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_picture(path, images[place])
