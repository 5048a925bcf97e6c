"""Classical systems by name: what describes a clip, and the scikit-learn classifier that stands on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from mer_tf.config import Classical, MerError
from mer_tf.names import unknown


@dataclass(frozen=True)
class Method:
    """A descriptor, and how it was published to be classified."""

    descriptor: str
    """module:Class below mer_tf.descriptors; empty: no pixel is looked at."""
    classifier: Literal["linear", "rbf", "poly", "chi2", "logistic", "prior"]
    C: float = 1.0
    codebook: bool = False
    """A codebook is learned on the training clips between descriptor and classifier."""
    flow: bool = False
    """The descriptor takes flow, not frames."""


METHODS: Mapping[str, Method] = {
    "majority": Method("", "prior"),
    "subject_identity": Method("", "logistic"),
    "onset_frame": Method("flow_image:OnsetFrame", "logistic", 0.1),
    "flow_logistic": Method("flow_image:FlowImage", "logistic", 0.003, flow=True),
    "lbp_top": Method("lbp_top:LbpTop", "linear"),
    "lbp_sip": Method("lbp_sip:LbpSip", "linear"),
    "lbp_mop": Method("lbp_mop:LbpMop", "linear"),
    "stlbp_ip": Method("stlbp_ip:StlbpIp", "chi2", 100.0),
    "stclqp": Method("stclqp:CompletedPatterns", "linear", codebook=True),
    "fdm": Method("fdm:Fdm", "rbf", flow=True),
    "mdmo": Method("mdmo:Mdmo", "rbf", 28.0, flow=True),
    "hoof": Method("hoof:Hoof", "linear", flow=True),
    "bi_woof": Method("bi_woof:BiWoof", "linear", 1e4, flow=True),
}
"""Names of modules, not modules: a name is looked up long before scikit-learn is needed."""
TRIVIAL = ("majority", "subject_identity", "onset_frame", "flow_logistic")
"""What stands in every table: nothing learned, nothing seen, nothing moved, and pixels of one flow image."""
SETTINGS = ("blocks", "overlap", "radii", "points", "mapping", "interpolation", "frames")
"""Fields of `Classical` that a descriptor may have."""


def method_descriptor(name: str, config: Classical) -> Any:
    """The descriptor of a method, changed as `config` says; None for a method that looks at no pixel.

    `MerError` for an unknown method and for a setting that its descriptor does not have.
    """
    if name not in METHODS:
        raise MerError(unknown("method", name, METHODS))
    given = {s: value for s in SETTINGS if (value := getattr(config, s)) is not None}
    module, _, kind = METHODS[name].descriptor.partition(":")
    descriptor = getattr(import_module(f"{__name__}.{module}"), kind)() if kind else None
    known = descriptor.get_params() if descriptor else {}
    if lost := sorted(set(given) - set(known)):
        has = ", ".join(s for s in SETTINGS if s in known) or "no settings"
        raise MerError(f"model.classical: {name} has no {', '.join(lost)}; it has {has}")
    return descriptor and descriptor.set_params(**given)
