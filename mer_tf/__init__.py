"""mer_tf: micro-expression recognition research, reproducible. Importing it loads neither TensorFlow nor Keras."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mer_tf")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
