"""Commands that put a trained model to use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from mer_tf.config import USUAL_FPS, MerError
from mer_tf.ranges import Range


def predict(
    paths: tyro.conf.Positional[tuple[Path, ...]],
    run: Path,
    out: Path,
    subject: str = "",
    final: bool | None = None,
    fps: Annotated[float, Range(1, 100_000)] = USUAL_FPS,
    pictures: bool = True,
    engine: Literal["local", "beam"] = "local",
    beam: tuple[str, ...] = (),
    workers: Annotated[int, Range(1, 1024)] = 1,
    dry_run: bool = False,
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
        engine: local: here; beam: by an Apache Beam pipeline, 16 clips an element. Either writes the same bytes.
        beam: Options of the pipeline, as runner=DaskRunner dask_client_address=tcp://host:8786; else it runs here.
        workers: Processes of a pipeline that runs here.
        dry_run: Write nothing; say how many clips, bytes and hours are to come, from three clips that are answered.
    """
    from mer_tf.records.beam import refuse_options
    from mer_tf.serving.answers import predict_paths, told
    from mer_tf.serving.by_beam import ByBeam
    from mer_tf.serving.opened import opened

    refuse_options(engine, beam)
    who = ByBeam(run, final, out / "work", beam, workers) if engine == "beam" else None
    with opened(run, final=final) as trained:
        if dry_run:
            from mer_tf.serving.cost import predict_cost

            print(predict_cost(trained, paths, out, subject=subject, fps=fps, pictures=pictures).text(workers))
            return
        table = predict_paths(trained, paths, out, subject=subject, fps=fps, pictures=pictures, engine=who)
        print(told(trained, table))
    print(out / "predictions.csv")


def export(
    run: tyro.conf.Positional[Path],
    out: Path,
    final: bool | None = None,
    format: Literal["mertf", "keras", "saved_model", "onnx"] = "mertf",
) -> None:
    """Write a trained run as one file, for `mer-tf predict --run` and `mer_tf.load`, or its graph for other programs.

    Args:
        run: Run directory; or a bundle, whose graph another format takes out.
        out: File to write (saved_model: folder).
        final: Export the model of `--final`, or not; without it that model where the run has one, else the folds'.
        format: mertf: all in one zip; the others the graph from stored frames to probabilities alone, by Keras' own
            exporter.
    """
    from mer_tf.files import atomic
    from mer_tf.serving.bundle import write_bundle
    from mer_tf.serving.chain import save_as, whole_chain
    from mer_tf.serving.opened import opened

    if run.is_file() and format == "mertf":
        raise MerError(f"{run}: is a file already; copy it, or give a run directory, or a --format of its graph")
    with opened(run, final=final) as trained:
        if format == "mertf":
            write_bundle(trained, out)
        elif format == "keras":
            with atomic(out.with_suffix(".keras")) as part:
                whole_chain(trained).save(part)
        else:
            save_as(whole_chain(trained), out, format)
    print(out.with_suffix(".keras") if format == "keras" else out)
