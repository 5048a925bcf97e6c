"""Methods of preprocessing that a setting chooses by name: each is a function in a file, and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mer_tf.errors import MerError
from mer_tf.names import meant

FLOWS = {
    "farneback": "mer_tf.preprocessing.flow:farneback",
    "dis": "mer_tf.preprocessing.flow:dis",
    "tvl1": "mer_tf.preprocessing.flow:tvl1",
}
"""Optical flow -> what makes, once a clip, its function of two grey images."""
DETECTORS = {"mtcnn": "mer_tf.preprocessing.mtcnn:faces"}
"""Detector of faces -> its function of a frame and of the smallest face."""

if TYPE_CHECKING:
    FlowMethod: TypeAlias = str
    FlowOrNone: TypeAlias = str
    Detector: TypeAlias = str
else:  # so the command line offers the names of the tables
    FlowMethod, FlowOrNone, Detector = Literal[*FLOWS], Literal["none", *FLOWS], Literal[*DETECTORS]


def function_of(setting: str, name: str, known: Mapping[str, str]) -> Callable[..., Any]:
    """The function of a name, whose file is imported when it is first asked for; `MerError` names the known ones."""
    if name not in known:
        *others, last = known
        listed = f"{', '.join(others)} or {last}" if others else last
        raise MerError(f"{setting}: {name!r} is unknown; use {listed}{meant(name, known)}")
    return _imported(known[name])


@cache
def _imported(place: str) -> Callable[..., Any]:
    module, _, function = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
