"""Classical systems: what describes a clip, and the scikit-learn classifier that stands on it.

A class here holds the settings of one system and names its descriptor by module, which is imported when clips are
described: scikit-learn is not needed before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal

from mer_tf.config import Experiment
from mer_tf.model import Model, Takes, without_flow
from mer_tf.ranges import Count, Countless, Positive, Range, Several

Triple = tuple[Count, Count, Count]


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
        names = {field.name for field in fields(self)} - {field.name for field in fields(WithCodebook)}
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
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


@dataclass(frozen=True)
class _Blocks(Classical):
    blocks: Triple | None = None
    """Rows, columns and parts in time."""


@dataclass(frozen=True)
class _Overlap(Classical):
    overlap: Annotated[float, Range(0, 1, below=True)] | None = None
    """Share of a block that lies in the next one."""


@dataclass(frozen=True)
class _Radii(Classical):
    radii: Triple | None = None
    """Of local binary patterns along x, y and time, pixels and frames."""


@dataclass(frozen=True)
class _Points(Classical):
    points: Count | None = None
    """Neighbours of a local binary pattern."""


@dataclass(frozen=True)
class _Histogram(_Points):
    mapping: Literal["u2", "raw"] | None = None
    """Bins of its histogram: uniform patterns and the rest, or every pattern."""
    interpolation: Literal["rounded", "bilinear"] | None = None
    """A neighbour between pixels: the nearest one, or between four."""


@dataclass(frozen=True)
class _Frames(Classical):
    frames: Annotated[int, Range(0)] | None = None
    """Frames of a clip after temporal interpolation; 0: as many as it has."""


@dataclass(frozen=True)
class _Bins(Classical):
    bins: Several | None = None
    """Directions that a histogram tells apart."""


@dataclass(frozen=True)
class _Filter(Classical):
    wiener: Countless | None = None
    """Side of the adaptive filter that is applied to each frame before, pixels; 0: none."""


@dataclass(frozen=True)
class _Mask(Classical):
    mask: Annotated[int, Range(3, 25)] | None = None
    """Length of the mask of 1-D patterns, odd: a bit for each position but its middle."""


@dataclass(frozen=True)
class _Scale(Classical):
    sigma: Positive | None = None
    """Scale of derivatives, pixels."""


@dataclass(frozen=True)
class WithCodebook(Classical):
    """A codebook is learned on the training clips between descriptor and classifier."""

    words: Several | None = None
    """Of the codebook of each component; None: 50."""


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


def _method(name: str, described_by: str, *settings: type[Classical], **published: Any) -> type[Classical]:
    """Class of a system: its name, its descriptor, what may be set of that, and how it was published.

    It is called as the variable below that holds it, by which another process finds it.
    """
    about = {"name": name, "__annotations__": {"name": str}, "described_by": described_by, **published}
    called = name.title().replace("_", "")
    kind: type[Classical] = dataclass(frozen=True)(type(called, settings or (Classical,), about))
    return kind


Majority = _method("majority", "", classifier="prior")
SubjectIdentity = _method("subject_identity", "", classifier="logistic")
OnsetFrame = _method("onset_frame", "flow_image:OnsetFrame", classifier="logistic", penalty=0.1)
FlowLogistic = _method("flow_logistic", "flow_image:FlowImage", classifier="logistic", penalty=0.003, flow=True)
LbpTop = _method("lbp_top", "lbp_top:LbpTop", _Frames, _Histogram, _Radii, _Overlap, _Blocks)
LbpSip = _method("lbp_sip", "lbp_sip:LbpSip", _Frames, _Radii, _Overlap, _Blocks)
LbpMop = _method("lbp_mop", "lbp_mop:LbpMop", _Filter, _Frames, _Histogram, _Radii, _Blocks)
StlbpIp = _method("stlbp_ip", "stlbp_ip:StlbpIp", _Mask, _Frames, _Radii, _Blocks, classifier="chi2", penalty=100.0)
Higo = _method("higo", "higo:Higo", _Bins, _Frames, _Overlap, _Blocks)
GaussianJetLbp = _method(
    "gaussian_jet_lbp", "gaussian_jet:GaussianJetLbp", _Scale, _Frames, _Histogram, _Radii, _Overlap, _Blocks
)
Stclqp = _method("stclqp", "stclqp:CompletedPatterns", WithCodebook, _Frames, _Points, _Radii, _Blocks)
Fdm = _method("fdm", "fdm:Fdm", _Frames, _Blocks, classifier="rbf", flow=True)
Hoof = _method("hoof", "hoof:Hoof", _Bins, _Frames, _Overlap, _Blocks, flow=True)
BiWoof = _method("bi_woof", "bi_woof:BiWoof", _Blocks, penalty=1e4, flow=True)

_TRIVIAL = (Majority, SubjectIdentity, OnsetFrame, FlowLogistic)
_PUBLISHED = (LbpTop, LbpSip, LbpMop, StlbpIp, Stclqp, Fdm, Mdmo, Hoof, BiWoof, Higo, GaussianJetLbp)
METHODS: Mapping[str, type[Classical]] = {kind.name: kind for kind in (*_TRIVIAL, *_PUBLISHED)}
"""Classical systems by name, in the order of tables."""
TRIVIAL = tuple(kind.name for kind in _TRIVIAL)
"""What stands in every table: nothing learned, nothing seen, nothing moved, and pixels of one flow image."""
