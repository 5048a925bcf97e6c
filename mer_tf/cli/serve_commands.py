"""Commands that put a trained model to use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from mer_tf.ranges import Range


def predict(
    paths: tyro.conf.Positional[tuple[Path, ...]],
    run: Path,
    out: Path,
    subject: str = "",
    final: bool | None = None,
    fps: Annotated[float, Range(1, 100_000)] = 30.0,
    pictures: bool = True,
) -> None:
    """Say what a trained run answers on new clips, with a picture of each and how often such answers were right.

    Args:
        paths: Folders of frames, videos, folders of these, or manifests (.csv).
        run: Run directory, or a bundle that `mer-tf export` wrote.
        out: Folder for predictions.csv, model_card.json and pictures/.
        subject: The person in the clips, as the run names people (s01): clips of people it was trained on are flagged.
        final: Use the model of `--final`, or not; without it that model where the run has one, else the folds' mean.
        fps: Frames a second of folders of frames, where the run resamples in time or magnifies.
        pictures: Draw frames, Grad-CAM and probabilities of each clip.
    """
    from mer_tf.serving.answers import predict_paths, told
    from mer_tf.serving.opened import opened

    with opened(run, final=final) as trained:
        print(told(trained, predict_paths(trained, paths, out, subject=subject, fps=fps, pictures=pictures)))
    print(out / "predictions.csv")
