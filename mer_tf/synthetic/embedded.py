"""The data set of an experiment that names none of its own: a look-alike, drawn from portraits or as flow images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from mer_tf.code_version import PIXELS, counted
from mer_tf.config import Data, digest
from mer_tf.datasets import FLOW_IMAGES
from mer_tf.errors import refuse
from mer_tf.locks import held
from mer_tf.parallel import among_others
from mer_tf.synthetic.trees.flow_images import SUBJECTS, write_flow_images
from mer_tf.synthetic.trees.kinds import DRAWN
from mer_tf.synthetic.trees.smic import MAX_AMPLITUDE


def drawn_faults(data: Data) -> Iterator[str]:
    """What makes the look-alike impossible: a data set that none is drawn of, a motion too large, too many subjects."""
    if data.dataset not in DRAWN and data.dataset != FLOW_IMAGES:
        yield f"there is no drawn look-alike of {data.dataset}; give its folder with --data.root"
    if data.amplitude > MAX_AMPLITUDE:
        yield f"data.amplitude={data.amplitude}: drawn faces move by 0 to {MAX_AMPLITUDE:g} pixels"
    if data.dataset == FLOW_IMAGES and data.subjects > SUBJECTS:
        yield f"data.subjects={data.subjects}: drawn flow images are of 2 to {SUBJECTS} subjects"


def draw_tree(data: Data, cache: Path) -> Path:
    """The root of the look-alike of `data.dataset` in `cache`; a finished one of the same settings is kept.

    `MerError` for `drawn_faults`.
    """
    refuse(drawn_faults(data))
    drawn = {k: getattr(data, k) for k in ("amplitude", "subjects", "clips_per_class", "seed")}
    bmp = data.keep_bmp or not data.dataset.startswith("smic-")
    out = cache / f"synthetic-{data.dataset}-{digest(drawn, *counted(PIXELS))}{'' if bmp else '-png'}"
    if data.dataset == FLOW_IMAGES:
        with held(out.with_name(f"{out.name}-drawing")) if among_others() else nullcontext():
            return write_flow_images(out, amplitude=data.amplitude, subjects=data.subjects, seed=data.seed)
    return DRAWN[data.dataset](out, **drawn, **({} if bmp else {"suffix": ".png"}))
