"""Classical systems: what describes a clip, and the scikit-learn classifier that stands on it.

A class here holds the settings of one system and names its descriptor by module, which is imported when clips are
described: scikit-learn is not needed before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal

import tyro

from mer_tf.config import Experiment
from mer_tf.model import Model, Takes, without_flow
from mer_tf.ranges import Count, Countless, Positive, Range, Several

WORDS = "words"
"""Setting of a method that learns a codebook on the training clips between descriptor and classifier."""


@dataclass(frozen=True)
class Classical(Model):
    """A descriptor and a classifier. None: its own, after its publication."""

    tune: bool = False
    """Choose settings in each fold, on `search.folds` folds of its training subjects: those that the grid names for
    this method, whatever they are set to. Others, and methods that the grid does not name, stay as they are."""
    grid: str = ""
    """What `tune` chooses among: a CSV with the columns of data_manifests/descriptor_grids.csv; empty: that one."""
    gamma: Positive | None = None
    """Of an rbf or poly kernel; None: 1 / (length of the vectors x their variance)."""
    kernel: Literal["linear", "rbf", "poly", "chi2"] | None = None
    """Of a support vector machine in place of the published classifier."""
    C: tuple[Positive, ...] = ()
    """Penalties; of several, that of the best UAR on `search.folds` folds of the training subjects is taken."""

    takes: ClassVar[Takes] = "descriptor"
    described_by: ClassVar[str] = ""
    """module:Class below mer_tf.descriptors; empty: no pixel is looked at."""
    classifier: ClassVar[Literal["linear", "rbf", "poly", "chi2", "logistic", "prior"]] = "linear"
    penalty: ClassVar[float] = 1.0
    flow: ClassVar[bool] = False
    """The descriptor takes flow, not frames, and flow is stored for it alone."""

    def descriptor(self) -> Any:
        """The descriptor with these settings; None where no pixel is looked at."""
        module, _, kind = self.described_by.partition(":")
        values = {name: getattr(self, name, None) for name in SETTINGS if name != WORDS}
        given = {name: value for name, value in values.items() if value is not None}
        return getattr(import_module(f"{__name__}.{module}"), kind)(**given) if kind else None

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        """Whole clips are described, there is flow where it is taken, and the grid can be read."""
        if self.tune:
            from mer_tf.descriptors.grids import grid_faults  # brings pandas

            yield from grid_faults(experiment)
        if experiment.clip.test != "whole":
            yield f"clip.test=windows: {self.name} describes whole clips; use clip.test=whole"
        if self.flow and experiment.preprocess.flow == "none":
            yield without_flow(self.name)


SETTINGS: dict[str, tuple[Any, str]] = {
    "blocks": (tuple[Count, Count, Count], "Rows, columns and parts in time."),
    "overlap": (Annotated[float, Range(0, 1, below=True)], "Share of a block that lies in the next one."),
    "radii": (tuple[Count, Count, Count], "Of local binary patterns along x, y and time, pixels and frames."),
    "points": (Count, "Neighbours of a local binary pattern."),
    "mapping": (Literal["u2", "raw"], "Bins of its histogram: uniform patterns and the rest, or every pattern."),
    "interpolation": (Literal["rounded", "bilinear"], "A neighbour between pixels: the nearest one, or between four."),
    "frames": (Annotated[int, Range(0)], "Frames of a clip after temporal interpolation; 0: as many as it has."),
    "bins": (Several, "Directions that a histogram tells apart."),
    "wiener": (Countless, "Side of the adaptive filter that is applied to each frame before, pixels; 0: none."),
    "mask": (
        Annotated[int, Range(3, 25)],
        "Length of the mask of 1-D patterns, odd: a bit for each position but its middle.",
    ),
    "sigma": (Positive, "Scale of derivatives, pixels."),
    WORDS: (Several, "Of the codebook of each component; None: 50."),
}
"""What may be set of descriptors -> its type, and what it is; None is what was published."""


@dataclass(frozen=True)
class Mdmo(Classical):
    """Main directional mean optical flow."""

    name: str = "mdmo"
    described_by: ClassVar = "mdmo:Mdmo"
    classifier: ClassVar = "rbf"
    penalty: ClassVar = 28.0
    flow: ClassVar = True

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        """Its regions lie between landmarks that were fitted, or those of aligned faces."""
        yield from super().check(experiment, of_images)
        face, landmarks = experiment.preprocess.face, experiment.preprocess.landmarks
        if face != "align" and landmarks == "mtcnn":
            yield (
                f"preprocess.face={face}: mdmo knows where landmarks are in aligned faces; use align, or fit them "
                "(preprocess.landmarks=file, onnx or mesh)"
            )


def _method(name: str, described_by: str, settings: str = "", **published: Any) -> type[Classical]:
    """Class of a system: its name, its descriptor, what may be set of that, and how it was published.

    It is called as the variable below that holds it, by which another process finds it.
    """
    types = {
        setting: Annotated[kind | None, tyro.conf.arg(help=text)]
        for setting, (kind, text) in SETTINGS.items()
        if setting in settings.split()
    }
    about = {"name": name, **dict.fromkeys(types), "__annotations__": {"name": str, **types}, **published}
    made = type(name.title().replace("_", ""), (Classical,), about | {"described_by": described_by})
    system: type[Classical] = dataclass(frozen=True)(made)
    return system


Majority = _method("majority", "", classifier="prior")
SubjectIdentity = _method("subject_identity", "", classifier="logistic")
OnsetFrame = _method("onset_frame", "flow_image:OnsetFrame", classifier="logistic", penalty=0.1)
FlowLogistic = _method("flow_logistic", "flow_image:FlowImage", classifier="logistic", penalty=0.003, flow=True)
LbpTop = _method("lbp_top", "lbp_top:LbpTop", "blocks overlap radii points mapping interpolation frames")
LbpSip = _method("lbp_sip", "lbp_sip:LbpSip", "blocks overlap radii frames")
LbpMop = _method("lbp_mop", "lbp_mop:LbpMop", "blocks radii points mapping interpolation frames wiener")
StlbpIp = _method("stlbp_ip", "stlbp_ip:StlbpIp", "blocks radii frames mask", classifier="chi2", penalty=100.0)
Higo = _method("higo", "higo:Higo", "blocks overlap frames bins")
GaussianJetLbp = _method(
    "gaussian_jet_lbp",
    "gaussian_jet:GaussianJetLbp",
    "blocks overlap radii points mapping interpolation frames sigma",
)
Stclqp = _method("stclqp", "stclqp:CompletedPatterns", f"blocks radii points frames {WORDS}")
Fdm = _method("fdm", "fdm:Fdm", "blocks frames", classifier="rbf", flow=True)
Hoof = _method("hoof", "hoof:Hoof", "blocks overlap frames bins", flow=True)
BiWoof = _method("bi_woof", "bi_woof:BiWoof", "blocks", penalty=1e4, flow=True)

_TRIVIAL = (Majority, SubjectIdentity, OnsetFrame, FlowLogistic)
_PUBLISHED = (LbpTop, LbpSip, LbpMop, StlbpIp, Stclqp, Fdm, Mdmo, Hoof, BiWoof, Higo, GaussianJetLbp)
METHODS: Mapping[str, type[Classical]] = {kind.name: kind for kind in (*_TRIVIAL, *_PUBLISHED)}
"""Classical systems by name, in the order of tables."""
TRIVIAL = tuple(kind.name for kind in _TRIVIAL)
"""What stands in every table: nothing learned, nothing seen, nothing moved, and pixels of one flow image."""
