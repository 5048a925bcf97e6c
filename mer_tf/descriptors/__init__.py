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
from mer_tf.ranges import Count, Positive, Range

Triple = tuple[Count, Count, Count]


@dataclass(frozen=True)
class Classical(Model):
    """A descriptor and a classifier. None: as published."""

    kernel: Literal["linear", "rbf", "poly", "chi2"] | None = None
    """Of a support vector machine in place of the published classifier."""
    C: tuple[Positive, ...] = ()
    """Penalties; of several, that of the best UAR on `search.folds` folds of the training subjects is taken."""

    takes: ClassVar[Takes] = "descriptor"
    described_by: ClassVar[str] = ""
    """module:Class below mer_tf.descriptors; empty: no pixel is looked at."""
    classifier: ClassVar[Literal["linear", "rbf", "poly", "chi2", "logistic", "prior"]] = "linear"
    penalty: ClassVar[float] = 1.0
    codebook: ClassVar[bool] = False
    """A codebook is learned on the training clips between descriptor and classifier."""
    flow: ClassVar[bool] = False
    """The descriptor takes flow, not frames."""

    def descriptor(self) -> Any:
        """The descriptor with these settings; None where no pixel is looked at."""
        module, _, kind = self.described_by.partition(":")
        names = {field.name for field in fields(self)} - {field.name for field in fields(Classical)}
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        return getattr(import_module(f"{__name__}.{module}"), kind)(**given) if kind else None

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        """Whole clips are described, and there is flow where it is taken."""
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
class Majority(Classical):
    """The most frequent class of the training clips."""

    name: Literal["majority"] = "majority"
    classifier: ClassVar = "prior"


@dataclass(frozen=True)
class SubjectIdentity(Classical):
    """Whose face it is, and nothing else."""

    name: Literal["subject_identity"] = "subject_identity"
    classifier: ClassVar = "logistic"


@dataclass(frozen=True)
class OnsetFrame(Classical):
    """Pixels of the first frame, in which nothing has moved."""

    name: Literal["onset_frame"] = "onset_frame"
    described_by: ClassVar = "flow_image:OnsetFrame"
    classifier: ClassVar = "logistic"
    penalty: ClassVar = 0.1


@dataclass(frozen=True)
class FlowLogistic(Classical):
    """Logistic regression on the pixels of one flow image."""

    name: Literal["flow_logistic"] = "flow_logistic"
    described_by: ClassVar = "flow_image:FlowImage"
    classifier: ClassVar = "logistic"
    penalty: ClassVar = 0.003
    flow: ClassVar = True


@dataclass(frozen=True)
class LbpTop(_Frames, _Histogram, _Radii, _Overlap, _Blocks):
    """Local binary patterns on three orthogonal planes."""

    name: Literal["lbp_top"] = "lbp_top"
    described_by: ClassVar = "lbp_top:LbpTop"


@dataclass(frozen=True)
class LbpSip(_Frames, _Radii, _Overlap, _Blocks):
    """Local binary patterns with six intersection points."""

    name: Literal["lbp_sip"] = "lbp_sip"
    described_by: ClassVar = "lbp_sip:LbpSip"


@dataclass(frozen=True)
class LbpMop(_Frames, _Histogram, _Radii, _Blocks):
    """Local binary patterns on mean planes."""

    name: Literal["lbp_mop"] = "lbp_mop"
    described_by: ClassVar = "lbp_mop:LbpMop"


@dataclass(frozen=True)
class StlbpIp(_Frames, _Radii, _Blocks):
    """Local binary patterns of integral projections."""

    name: Literal["stlbp_ip"] = "stlbp_ip"
    described_by: ClassVar = "stlbp_ip:StlbpIp"
    classifier: ClassVar = "chi2"
    penalty: ClassVar = 100.0


@dataclass(frozen=True)
class Stclqp(_Frames, _Points, _Radii, _Blocks):
    """Completed local quantised patterns."""

    name: Literal["stclqp"] = "stclqp"
    described_by: ClassVar = "stclqp:CompletedPatterns"
    codebook: ClassVar = True


@dataclass(frozen=True)
class Fdm(_Frames, _Blocks):
    """Facial dynamics map."""

    name: Literal["fdm"] = "fdm"
    described_by: ClassVar = "fdm:Fdm"
    classifier: ClassVar = "rbf"
    flow: ClassVar = True


@dataclass(frozen=True)
class Mdmo(Classical):
    """Main directional mean optical flow."""

    name: Literal["mdmo"] = "mdmo"
    described_by: ClassVar = "mdmo:Mdmo"
    classifier: ClassVar = "rbf"
    penalty: ClassVar = 28.0
    flow: ClassVar = True

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        """Its regions lie between landmarks of aligned faces."""
        yield from super().check(experiment, of_images)
        if (face := experiment.preprocess.face) != "align":
            yield f"preprocess.face={face}: mdmo knows where landmarks are in aligned faces; use align"


@dataclass(frozen=True)
class Hoof(_Frames, _Overlap, _Blocks):
    """Histograms of oriented optical flow."""

    name: Literal["hoof"] = "hoof"
    described_by: ClassVar = "hoof:Hoof"
    flow: ClassVar = True


@dataclass(frozen=True)
class BiWoof(_Blocks):
    """Flow at the apex, weighed by itself and by optical strain."""

    name: Literal["bi_woof"] = "bi_woof"
    described_by: ClassVar = "bi_woof:BiWoof"
    penalty: ClassVar = 1e4
    flow: ClassVar = True


TRIVIAL: tuple[type[Classical], ...] = (Majority, SubjectIdentity, OnsetFrame, FlowLogistic)
"""What stands in every table: nothing learned, nothing seen, nothing moved, and pixels of one flow image."""
_PUBLISHED: tuple[type[Classical], ...] = (LbpTop, LbpSip, LbpMop, StlbpIp, Stclqp, Fdm, Mdmo, Hoof, BiWoof)
METHODS: Mapping[str, type[Classical]] = {kind.name: kind for kind in (*TRIVIAL, *_PUBLISHED)}
"""Classical systems by name, in the order of tables."""
FILES = ()
"""All of them stand here."""
