"""The command that puts one clip before a network that ships with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import tyro

from mer_tf.ranges import Countless


def classify(
    clip: tyro.conf.Positional[Path],
    out: Path,
    onset: Countless | None = None,
    apex: Countless | None = None,
    network: str = "au-flow-3",
    flow: Literal["dis", "farneback", "tvl1"] = "dis",
    face: Literal["find", "whole"] = "find",
) -> None:
    """Say which of three classes a clip shows, by a network trained on drawn action units, and draw what it saw.

    Args:
        clip: Folder of frames, or a video.
        out: Folder for classify.json, classify.png and flow_image.png.
        onset: Number of the onset frame; the first one without.
        apex: Number of the apex frame; without it the one that moves most from the onset.
        network: Name of a shipped network.
        flow: Method of optical flow.
        face: find the face in the onset frame, or take the whole frame as a tight crop.
    """
    from mer_tf.au_flow.use import classify_clip
    from mer_tf.models.pretrained import card

    shares = classify_clip(clip, out, onset=onset, apex=apex, network=network, flow=flow, face=face)
    for name, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"{name:10} {share:.3f}")
    print("\n".join(f"limit: {line}" for line in card(network)["limits"]))
    print(out / "classify.png")
