"""pictures/ of a run, for its report: what its model can show of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mer_tf.protocols.pictures.attention import write_attention
from mer_tf.protocols.pictures.blocks import write_block_weights
from mer_tf.protocols.pictures.heatmaps import write_heatmaps
from mer_tf.protocols.workbench import Workbench

DRAWN: Mapping[str, Callable[[Workbench, Path], object]] = {
    "attention": write_attention,
    "block weights": write_block_weights,
}
"""What models say themselves of what they looked at; of all others Grad-CAM maps are drawn."""


def write_pictures(bench: Workbench, run: Path) -> None:
    """Write them, and pictures.csv (section, title, caption, file)."""
    DRAWN.get(bench.experiment.model.shows, write_heatmaps)(bench, run)
