"""The recommended recogniser where nobody gives labelled clips: trained on drawn flow images alone; or a run's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_tf.changes import changed, migrated, read_experiment
from mer_tf.config import MerError
from mer_tf.evaluation.calibration import Calibration, calibration_of, read_calibration
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import read_mapping
from mer_tf.models.kernel_model import UNCERTAIN, KernelModel
from mer_tf.models.kernel_ridge import Ridge, Views, fit_ridge, kernel
from mer_tf.models.patch_codes import card_of
from mer_tf.models.patch_kernel import PatchKernel
from mer_tf.parallel import products_alone
from mer_tf.run_directory import METHODS
from mer_tf.synthetic.action_units.fields import Drawn, draw_images, joined
from mer_tf.synthetic.action_units.geometry import geometry
from mer_tf.synthetic.action_units.movement import CLASSES
from mer_tf.synthetic.action_units.rendered import kinds

CROP = "published"
"""Where the face lies in drawn images and in clips: by tables that hold nothing of the composite."""
DRAWN = 200
"""Images of each kind that is drawn directly."""
SEED = 5
LIMITS = (
    "It knows three classes and must choose one: no neutral face, no spoken word.",
    "It expects onset and apex of a frontal face; talking, blinking and turning the head mislead it.",
    "It is for research, and says nothing about what a person feels.",
)
OF_DRAWN = (
    "It was trained on drawn action units alone; nobody's face was in it.",
    "Its probabilities are calibrated on drawn images: how sure it may be of people they do not say.",
)
KEPT_OUT = "drawn images of a kind that was kept out of its training, and has not been tested on people"


@dataclass(frozen=True)
class Recogniser:
    """A fitted regression and what it was fitted on."""

    model: KernelModel
    views: Views
    ridge: Ridge
    classes: tuple[str, ...]
    trained_on: str
    limits: tuple[str, ...]
    calibration: Calibration | None = None
    """Of its answers about people, or kinds of drawing, that it was not trained on; None where none was tested."""
    tested_on: str = ""
    """What the calibration was measured on, as part of a sentence."""

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, classes) of flow images (N, 28, 28, 3)."""
        with products_alone():  # threads of their own took five times the processor time
            return self.ridge.probabilities(kernel(self.model.described(images), self.views))

    def believed(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Probabilities (N, classes) tempered by what its own tests say of them."""
        return shares if self.calibration is None else self.calibration(shares)

    def record(self, answer: str) -> str:
        """How often such an answer was right."""
        given, right = (0, 0) if self.calibration is None else self.calibration.record(answer)
        if not given:
            return f"nobody has measured how often {answer} is right"
        return f"{answer} was right {right} of {given} times on {self.tested_on}"


def uncertain(shares: NDArray[np.floating]) -> bool:
    """Whether the most probable class of one clip is no more likely right than wrong."""
    return bool(shares.max() < UNCERTAIN)


def fit(
    model: KernelModel, images: NDArray[np.uint8], labels: NDArray[np.int64], subjects: Sequence[object]
) -> tuple[Views, Ridge]:
    """Descriptions of flow images and the regression on them, calibrated with each subject left out."""
    views = model.described(images)
    return views, fit_ridge(kernel(views, views), labels, subjects, len(CLASSES), model.penalties)


@cache
def of_drawn() -> Recogniser:
    """Trained on `DRAWN` drawn images of each kind that is drawn directly: seconds, the same each time."""
    drawn = drawn_images(DRAWN)
    with products_alone():
        views, ridge = fit(PatchKernel(), drawn.images, drawn.labels, range(len(drawn.labels)))
    on = f"{len(drawn.labels)} drawn flow images"
    model = PatchKernel()
    strange = read_calibration(card_of(model.dictionary)["answers_kept_out"]["answers"])
    return Recogniser(model, views, ridge, CLASSES, on, (*OF_DRAWN, *LIMITS), strange, KEPT_OUT)


def drawn_images(count: int) -> Drawn:
    """Images of every kind that is drawn directly."""
    names = [k for k in kinds().values() if k.renderer == "direct" and k.trained]
    parts = [
        draw_images(count, np.random.default_rng((SEED, place)), profile=kind.profile, face=geometry(CROP))
        for place, kind in enumerate(names)
    ]
    return joined(parts)


@cache
def of_run(run: Path) -> Recogniser:
    """The recommended row of a run of exp8, trained on all its clips; `MerError` for a run without that row."""
    path = run / METHODS
    experiment = read_experiment(run / "config.json")
    stored = read_mapping(path) if path.exists() else {}
    rows = {name: changed(experiment, migrated(given)) for name, given in stored.items()}
    name, chosen = next(((n, row) for n, row in rows.items() if isinstance(row.model, KernelModel)), ("", None))
    if chosen is None:
        raise MerError(
            f"{run}: has no row of kernel ridge regression; give a run of exp8_megc2019.py with `recommended`"
        )
    assert isinstance(chosen.model, KernelModel)
    from mer_tf.protocols.composite import method_folder  # brings Keras
    from mer_tf.protocols.pretrained import images_of
    from mer_tf.runner import open_bench

    bench, clips = open_bench(chosen, run)
    if tuple(clips.classes) != CLASSES:
        raise MerError(f"{run}: knows {', '.join(clips.classes)}, not {', '.join(CLASSES)}; use megc2019-3")
    images = images_of(bench)
    views, ridge = fit(chosen.model, images, clips.table["label"].to_numpy(), clips.table["subject"].tolist())
    people = f"{len(images)} clips of {clips.table['subject'].nunique()} subjects"
    said = tuple(w.text for w in clips.warnings)
    answered = run / method_folder(name) / "predictions.csv"
    tested = calibration_of(read_predictions(answered), CLASSES) if answered.is_file() else None
    on = "clips of people who were kept out of the training"
    return Recogniser(chosen.model, views, ridge, CLASSES, f"{people} of {run}", (*said, *LIMITS), tested, on)
