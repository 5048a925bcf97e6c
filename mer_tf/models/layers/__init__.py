"""Layers of our own, registered with Keras; `mer_tf.models.later.own` has their classes.

Keras itself writes the arguments of a layer into a model's file: they are numbers and texts.
"""

from __future__ import annotations

LAYERS = {
    "shared": (
        *("FoldTime", "Preprocess", "Resize", "OnsetDifference", "LastStep", "Places", "AttendedLogits"),
        "ResponseNorm",
    ),
    "attention": (
        *("EachAs", "RegionWeights", "WeighRegions", "AttentiveLSTMCell", "Previous", "TimeWeights"),
        *("FixedTimeWeights", "WeighSteps", "FrameGate"),
    ),
    "penalties": ("SpreadPenalty", "LengthPenalty"),
    "blocks": ("BlockCrop", "Neighbours", "UnfoldTime", "WeightCost"),
    "block_units": (),
    "recurrent": ("PeepholeCell", "CoupledCell"),
    "frames": ("RandomTurn", "MovingPixels", "ExpressionStates"),
}
"""File here -> classes registered there."""
OWN = tuple(f"mer_tf.models.layers.{name}" for name in LAYERS)
"""Files of our own layers; `later.own` has their classes."""
