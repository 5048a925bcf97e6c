"""Commands that make runs, or look into them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mer_tf.config import GRADCAM, Experiment, MerError, Preset
from mer_tf.ranges import Count, Range, Several


def collect(run: tyro.conf.Positional[Path]) -> None:
    """Join the folds of a run that were trained one by one (`--resume RUN --folds 3`) and write its results.

    Args:
        run: Run directory.
    """
    from mer_tf.runner import collect as join

    print((join(run) / "results.txt").read_text(encoding="utf-8"))


def gradcam(
    run: tyro.conf.Positional[Path],
    out: Path,
    clips: tuple[str, ...] = (),
    per_class: Count = 2,
    method: Literal["gradcam", "hirescam"] = "gradcam",
    reference: Literal["none", "onset"] = "none",
    layer: str | None = None,
    target: str = "predicted",
    change: bool = False,
) -> None:
    """Export Grad-CAM heat maps of a run's test clips: overlay, strip over time, animation, raw maps.

    Args:
        run: Run directory with its checkpoints.
        out: Folder to write, one folder a clip, and regions.csv.
        clips: Clip ids; without any, the best recognised clips of each class.
        per_class: Clips of each class.
        method: gradcam weighs each channel by its mean gradient (Selvaraju et al.), hirescam each cell by its own.
        reference: onset subtracts the activations of the onset frame (of a window its first): what the score owes to
            motion.
        layer: Map, as conv4_3 of an encoder or temporal_trunk/conv5 of a stream; without one the last that training
            changed, of a frozen encoder the last that the head reads.
        target: Class whose score is explained: predicted, true, or its name.
        change: Also draw heat before and after training, with controls, and measure it over all test clips.
    """
    from mer_tf.changes import read_experiment
    from mer_tf.protocols.pictures.before_after import write_change
    from mer_tf.protocols.pictures.heatmaps import export_heatmaps
    from mer_tf.protocols.pictures.view import View
    from mer_tf.runner import open_bench

    bench, _ = open_bench(read_experiment(run / "config.json"), run)
    view = View(method, reference, layer, target)
    table = export_heatmaps(bench, run, out, clips=clips, per_class=per_class, view=view)
    print(table.to_string(index=False, float_format="{:.2f}".format))
    if change:
        print(write_change(bench, run, out, view))
    print(out)


def _declared(script: Path, preset: Preset | None, changes: Sequence[str]) -> Experiment:
    from mer_tf.overrides import read_words
    from mer_tf.runner import declared

    return declared(script, preset, read_words(changes, declared(script, preset)))


def ladder(
    experiment: tyro.conf.Positional[Path],
    out: Path,
    preset: Preset | None = None,
    inner_folds: Several = 2,
    changes: tuple[str, ...] = (),
) -> None:
    """Score one model under random windows, clip folds, and three kinds of LOSO: what each leak buys.

    Args:
        experiment: Script in experiments/, by path or name.
        out: Folder for predictions, ladder.csv and ladder.png; what is there already is kept.
        preset: Which of the script's two declarations; without it the full one for real data, else the small one.
        inner_folds: Folds of the training subjects on which the nested protocol chooses its epoch.
        changes: Settings to change, as train.epochs=5 clip.stride=4.
    """
    from mer_tf.check import check
    from mer_tf.locks import held
    from mer_tf.runner import open_bench

    settings = _declared(experiment, preset, changes)
    listing = check(settings)
    if settings.model.takes == "descriptor":
        raise MerError(f"model.name={settings.model.name}: the ladder trains networks, and this is none; take another")
    if getattr(settings.model, "retrain_from", None) == GRADCAM:
        raise MerError(
            "model.retrain_from=gradcam: the ladder trains one network under all protocols, and Grad-CAM would choose "
            "another in each fold; give --changes model.retrain_from=conv4_3, or None to freeze the encoder"
        )
    from mer_tf.protocols.ladder import climb, ladder_text  # brings Keras
    from mer_tf.protocols.workbench import Bench
    from mer_tf.run_directory import go_on

    with held(go_on(settings, out)):
        bench, _ = open_bench(settings, out, listing)
        assert isinstance(bench, Bench)
        print(ladder_text(climb(bench, out, inner_folds)))
    print(out / "ladder.png")


def sensitivity(
    experiments: tyro.conf.Positional[tuple[Path, ...]],
    out: Path,
    amplitudes: tuple[Annotated[float, Range(0, 96)], ...] = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
    steps: tuple[Count, ...] = (1, 2, 4),
    preset: Preset | None = None,
    changes: tuple[str, ...] = (),
) -> None:
    """Accuracy against the amplitude of motion and the frame rate, on drawn data: when does a system see anything?

    Args:
        experiments: Scripts in experiments/, by path or name.
        out: Folder for runs, curve.csv, halfway.csv and curve.png; finished runs are kept.
        amplitudes: Pixels at the apex, on a face 96 pixels wide.
        steps: Every n-th frame of 100 a second is used.
        preset: Which of a script's two declarations; without it the full one for real data, else the small one.
        changes: Settings to change, as data.subjects=8.
    """
    from mer_tf.changes import changed
    from mer_tf.check import check_all
    from mer_tf.runner import run_alone

    settings = [_declared(path, preset, changes) for path in experiments]
    check_all(changed(e, {"data.amplitude": a}) for e in settings for a in amplitudes)
    from mer_tf.protocols.sensitivity import sensitivity as curve  # brings Keras

    _, half = curve(settings, amplitudes, steps, out, run_alone)
    print(half.to_string(index=False, float_format="{:.2f}".format))
    print(out / "curve.png")


def learning_curve(
    experiment: tyro.conf.Positional[Path],
    out: Path,
    numbers: tuple[Count, ...] = (2, 4, 8, 12),
    draws: Count = 5,
    preset: Preset | None = None,
    changes: tuple[str, ...] = (),
) -> None:
    """How many people must I film? UF1 against the number of training subjects, drawn images beside them or not.

    Args:
        experiment: Script in experiments/ on flow images, by path or name, as exp8_megc2019.
        out: Folder for learning_curve.csv and learning_curve.png.
        numbers: Of training subjects; all but one is tried as well.
        draws: Random choices of so many subjects.
        preset: Which of the script's two declarations; without it the full one for real data, else the small one.
        changes: Settings to change, as data.root=/data/norm_u_v_os.
    """
    from mer_tf.check import check

    settings = _declared(experiment, preset, changes)
    check(settings)
    from mer_tf.au_flow.learning_curve import learning_curve as curve  # brings Keras

    print(curve(settings, numbers, draws, out).to_string(index=False, float_format="{:.3f}".format))
    print(out / "learning_curve.png")
