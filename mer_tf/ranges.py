"""What numbers and names a setting may have, declared at its field: `epochs: Count`. `check_ranges` reads the fields.

The types are plain ones for everybody else: a range is a note in `typing.Annotated`.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from mer_tf.errors import MerError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included but where `above` or `below` says otherwise; never NaN or inf."""

    low: float
    high: float = math.inf
    above: bool = False
    """Whether `low` itself is too low."""
    below: bool = False
    """Whether `high` itself is too high."""
    unit: str = ""
    """What is counted."""

    def fault(self, value: Any) -> str:
        """What is wrong with a value; "" for nothing."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return ""  # its type is somebody else's affair
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        return "" if math.isfinite(value) and low and high else f"give {self}"

    def __str__(self) -> str:
        least = f"{self.low:g} {self.unit}".rstrip()
        low = f"more than {least}" if self.above else f"{least} or more"
        if not math.isfinite(self.high):
            return low
        return f"{low} and {'below' if self.below else 'at most'} {self.high:.12g}"


@dataclass(frozen=True)
class NoneOr(Range):
    """0, which stands for none, or a number of the range."""

    def fault(self, value: Any) -> str:
        return "" if value == 0 else super().fault(value)

    def __str__(self) -> str:
        return f"0, or {super().__str__()}"


@dataclass(frozen=True)
class PlainName:
    """The name of a file or folder without a path: it may not lead anywhere else."""

    def fault(self, value: Any) -> str:
        if not isinstance(value, str):
            return ""
        plain = value.strip() == value and value not in ("", ".", "..") and not set(value) & set('/\\:*?"<>|\0\n\r')
        return "" if plain and len(value) < 200 else "give the name of a file, without a path or signs as : * ?"


Count = Annotated[int, Range(1)]
Countless = Annotated[int, Range(0)]
"""0 stands for none, or for what the field says."""
Several = Annotated[int, Range(2)]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Positive = Annotated[float, Range(0, above=True)]
Amount = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]
BelowOne = Annotated[float, Range(0, 1, below=True)]
"""A share that leaves something."""
Side = Annotated[int, Range(1, 8192)]
"""Side of an image, pixels."""
SideOrNone = Annotated[int, Range(0, 8192)]
Name = Annotated[str, PlainName()]


def check_ranges(value: Any, prefix: str = "") -> None:
    """`MerError` that names every setting of a dataclass, and of those in it, which is out of its declared range."""
    _refuse(range_faults(value, prefix))


def range_faults(value: Any, prefix: str = "") -> Iterator[str]:
    """A sentence for each setting of a dataclass, and of those in it, which is out of its declared range."""
    held = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    yield from _hinted(typing.get_type_hints(type(value), include_extras=True), held, prefix)


def checked(function: F) -> F:
    """The function, which checks its arguments against the ranges of its annotations before it runs."""
    if isinstance(function, functools.partial):
        return typing.cast(F, functools.partial(checked(function.func), *function.args, **function.keywords))
    hints = typing.get_type_hints(function, include_extras=True)

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(function).bind(*args, **kwargs).arguments
        _refuse(_hinted(hints, given, "--"))
        return function(*args, **kwargs)

    return typing.cast(F, run)


def _refuse(faults: Iterator[str]) -> None:
    if found := list(faults):
        raise MerError("; ".join(found))


def _hinted(hints: Mapping[str, Any], values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in values.items():
        if dataclasses.is_dataclass(value):
            nameless = any(getattr(note, "name", None) == "" for note in getattr(hints.get(name), "__metadata__", ()))
            yield from range_faults(value, prefix if nameless else f"{prefix}{name}.")
            continue
        for rule in _rules(hints.get(name)):
            faults = map(rule.fault, value if isinstance(value, tuple) else (value,))
            if fault := next(filter(None, faults), ""):
                yield f"{prefix}{name}={value}: {fault}"


def _rules(hint: Any) -> Iterator[Any]:
    """The ranges noted in a type, in its parts (of a union, of a tuple) too."""
    yield from (note for note in getattr(hint, "__metadata__", ()) if hasattr(note, "fault"))
    if typing.get_origin(hint) is not typing.Literal:
        for part in typing.get_args(hint):
            yield from _rules(part)
