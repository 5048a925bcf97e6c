"""pictures/ of a run, for its report: what its model can show of itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mer_tf.protocols.pictures.attention import write_attention
from mer_tf.protocols.pictures.blocks import write_block_weights
from mer_tf.protocols.pictures.heatmaps import write_heatmaps
from mer_tf.protocols.workbench import Bench

OWN: dict[str, Callable[[Bench, Path], object]] = {
    "attention_lstm": write_attention,
    "gia_bia_bilstm": write_block_weights,
}
"""Models that say themselves what they looked at; of all others Grad-CAM maps are drawn."""


def write_pictures(bench: Bench, run: Path) -> None:
    """Write them, and pictures.csv (section, title, caption, file)."""
    OWN.get(bench.experiment.model.name, write_heatmaps)(bench, run)
