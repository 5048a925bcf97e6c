"""What every model is: a frozen dataclass of its settings, which also says what it is fed, asks for, builds and shows.

The classes stand in the files of mer_tf/models and mer_tf/descriptors and are found by their name. All of it can be
known before Keras or scikit-learn is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from mer_tf.errors import refuse
from mer_tf.names import meant, unknown

if TYPE_CHECKING:
    from mer_tf.config import Experiment

DEFAULT = "vggface_lstm"

Takes = Literal["features", "images", "flow image", "descriptor"]
Shows = Literal["", "heat maps", "attention", "block weights"]
_KNOWN: dict[str, type[Model]] = {}


@dataclass(frozen=True)
class Model:
    """Settings of one model; a subclass that gives `name` a default is a model."""

    name: str = ""

    takes: ClassVar[Takes]
    """What it is fed: an encoder's output for each frame, windows of frames and flow, one flow image a clip, or one
    vector a clip."""
    flow: ClassVar[bool] = True
    """Whether optical flow is read for it; where not, an experiment stores none."""
    shows: ClassVar[Shows] = ""
    """What a run draws of it, to explain what it looked at."""
    least: ClassVar[Mapping[str, Any]] = {}
    """Settings of its least size."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if name := cls.__dict__.get("name"):
            _KNOWN[name] = cls

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        """What of all settings it cannot have, a sentence each; `of_images`: each clip is a ready-made flow image."""
        yield from ()

    def check_classes(self, classes: Sequence[str]) -> Iterator[str]:
        """What of the classes to be told apart it cannot have."""
        yield from ()

    def settled(self, experiment: Experiment) -> Experiment:
        """The experiment with what depends on what is there, as weights that were found; said in the log."""
        return experiment

    def small(self) -> Self:
        """The same in the least size: for tests and trials, which run it in seconds."""
        return replace(self, **self.least)

    def with_dropout(self, dropout: float | None) -> Self:
        """The same with another dropout; as it is for None, and where it has none."""
        changes: dict[str, Any] = {"dropout": dropout}
        return self if dropout is None or not hasattr(self, "dropout") else replace(self, **changes)


@cache
def models() -> Mapping[str, type[Model]]:
    """Every model's class by the model's name, in the order of the names: what being imported makes known."""
    import_module("mer_tf.descriptors")
    networks = import_module("mer_tf.models")
    for file in iter_modules(networks.__path__):
        if file.name not in networks.PARTS:
            import_module(f"mer_tf.models.{file.name}")
    return dict(sorted(_KNOWN.items()))


def default_model() -> Model:
    return models()[DEFAULT]()


def model_named(name: str, like: Model | None = None) -> Model:
    """The model of that name, with the settings of `like` that it has too; `refuse`s an unknown name."""
    if name not in models():
        refuse([f"model.name: {unknown('model', name, models())}"])
    if like is None or like.name == name:
        return like or models()[name]()
    theirs = {f.name: f.type for f in fields(like) if f.name != "name"}
    kind = models()[name]
    return kind(**{f.name: getattr(like, f.name) for f in fields(kind) if theirs.get(f.name) == f.type})


def no_such_setting(model: Model, name: str, has: list[str]) -> str:
    """Message about a dotted setting that the model has not: what it has, which was meant, and who has it."""
    first = name.removeprefix("model.").partition(".")[0]
    owners = [known for known, kind in models().items() if first in {f.name for f in fields(kind)}]
    others = f"; of others {', '.join(owners)}" if owners and model.name not in owners else ""
    return f"{name}: {model.name} has no such setting; it has {', '.join(has)}{meant(name, has)}{others}"


def check_model(experiment: Experiment, of_images: bool) -> None:
    """`MerError` for settings that the model cannot have; `of_images`: each clip is one ready-made flow image."""
    model = experiment.model
    if of_images and model.takes != "flow image":
        fed = ", ".join(name for name, kind in models().items() if getattr(kind, "takes", "") == "flow image")
        refuse([f"model.name={model.name}: takes frames, but each clip here is one flow image; use one of {fed}"])
    refuse(model.check(experiment, of_images))


def without_flow(name: str) -> str:
    """Sentence about a model that takes flow where none is computed."""
    return f"preprocess.flow=none: {name} takes flow; use dis, farneback or tvl1"
