"""The command that puts one clip before a network that ships with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from mer_tf.methods import FlowMethod
from mer_tf.ranges import Countless, Range


def classify(
    clip: tyro.conf.Positional[Path],
    out: Path,
    onset: Countless | None = None,
    apex: Countless | None = None,
    network: str = "recommended",
    run: Path | None = None,
    flow: FlowMethod = "dis",
    face: Literal["find", "whole"] = "find",
    fps: Annotated[float, Range(1, 2000)] | None = None,
) -> None:
    """Say which of three classes a clip shows, by a recogniser of drawn or of your clips, and draw what it saw.

    Where no frontal face is found in onset and apex, where the face moves away, or too little moves, the reason is said
    instead.

    Args:
        clip: Folder of frames, or a video.
        out: Folder for classify.json, classify.png and flow_image.png.
        onset: Number of the onset frame; the first one without.
        apex: Number of the apex frame; without it the one that moves most from the onset.
        network: recommended, trained on drawn images in seconds, or the name of a shipped network (au-flow-4).
        run: Run of exp8_megc2019.py, on whose clips the recommended one is trained instead.
        flow: Method of optical flow.
        face: find the face in the onset frame, or take the whole frame as a tight crop.
        fps: Frames a second of a folder of frames (30 without), or where a file states a wrong rate.
    """
    from mer_tf.au_flow.use import limits_of
    from mer_tf.models.kernel_model import UNCERTAIN
    from mer_tf.video.classify import classify_clip

    answer, notes = classify_clip(
        clip, out, onset=onset, apex=apex, network=network, flow=flow, face=face, run=run, fps=fps
    )
    for line in notes:
        print(f"note: {line}")
    if answer.refused:
        print(f"no answer: {answer.refused}")
        print(out / "classify.json")
        return
    for name, share in sorted(answer.probabilities.items(), key=lambda item: -item[1]):
        print(f"{name:10} {share:.3f}")
    print(f"record: {answer.record}")
    if answer.uncertain:
        print(f"uncertain: no class has {UNCERTAIN:.0%} or more")
    print("\n".join(f"limit: {line}" for line in limits_of(network, run)))
    print(out / "classify.png")
