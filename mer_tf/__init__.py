"""mer_tf: micro-expression recognition research, reproducible. Importing it loads nothing else.

Its names load what they need when they are asked for. Keras opens files that hold layers of ours once this is imported.
"""

import os
import sys

# TensorFlow turns oneDNN's kernels on or off by the processor, as it is loaded. With them trainings take two thirds to
# half of the time on AMD too, where they are off by default, and figures differ less between processors.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

TYPE_CHECKING = False  # typing itself is not loaded for it
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "MerError",
    "__version__",
    "build_model",
    "grad_cam",
    "load",
    "load_dataset",
    "load_run",
    "predict",
    "preprocess",
    "report",
    "run",
    "score",
    "windows",
]


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        return _version()
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name == "MerError":
        return import_module("mer_tf.errors").MerError
    import_module("mer_tf.quiet").quiet_tensorflow()
    return getattr(import_module("mer_tf.serving.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    # The version is looked up when it is asked for: importlib.metadata takes longer to load than all the rest.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mer_tf")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"


class _AtImport:
    """Finds no module itself; when others find the module `name`, `run(its loading, module)` loads it, once."""

    def __init__(self, name: str, run: "Any") -> None:
        self.name, self.run = name, run

    def find_spec(self, name: str, path: object = None, target: object = None) -> "Any":
        if name != self.name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: self.run(load, module)  # type: ignore[method-assign]
        return spec


def _tell_keras(load: "Any" = None, module: "Any" = None) -> None:
    """Tell Keras the names of our layers, once it is loaded."""
    from importlib import import_module  # by name: what is not run before Keras is there is no import of this file

    if load is not None:
        load(module)
    import_module("mer_tf.models.registered").make_known()


if "keras" in sys.modules:
    _tell_keras()
else:
    sys.meta_path.insert(0, _AtImport("keras", _tell_keras))
