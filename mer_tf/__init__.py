"""mer_tf: micro-expression recognition research, reproducible. Importing it loads nothing else."""

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
