"""mer_tf: micro-expression recognition research, reproducible. Importing it loads nothing else."""

import os

# TensorFlow turns oneDNN's kernels on or off by the processor, as it is loaded. With them trainings take two thirds to
# half of the time on AMD too, where they are off by default, and figures differ less between processors.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    # The version is looked up when it is asked for: importlib.metadata takes longer to load than all the rest.
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mer_tf")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
