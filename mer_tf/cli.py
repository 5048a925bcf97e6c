"""The mer-tf command. Each subcommand is a function whose arguments are its options.

Heavy imports wait until a subcommand runs.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.extras import SubcommandApp

from mer_tf.config import MerError, Preprocess

app = SubcommandApp()
DEFAULT_SETTINGS = Preprocess()


@app.command
def synth(
    out: Path,
    dataset: str = "smic-hs",
    amplitude: float = 3.0,
    subjects: int = 16,
    clips_per_class: int = 2,
    seed: int = 0,
    style: Literal["s01", "s1"] = "s01",
    faces: Path | None = None,
    preview: Path | None = None,
    counts: Literal["published", "small"] | None = None,
    layout: str | None = None,
) -> None:
    """Make a synthetic look-alike of a data set, in its exact folder layout: drawn faces, or folders and sheet alone.

    SMIC and CASME II are drawn, unless counts or layout is given. Every other data set has tiny pictures, and its
    annotation sheet.

    Args:
        out: Folder to write; finished clips are kept when the same command runs again.
        dataset: Data set to imitate, as `mer-tf manifest` names it.
        amplitude: Greatest displacement at the apex, pixels on a face 96 pixels wide.
        subjects: Number of subjects.
        clips_per_class: Clips of each class, and of non-micro, per subject.
        seed: The same seed gives the same bytes.
        style: How subjects are written: s01 or s1; both occur in SMIC.
        faces: Folder of portraits to use instead of the built-in one.
        preview: Write a contact sheet (PNG) here.
        counts: Folders and sheet alone, with as many clips as published, or a few.
        layout: Folders and sheet alone, in this layout, where a data set has several (casme2: CASME2_RAW, ...).
    """
    from mer_tf.datasets.lookalike import write_lookalike
    from mer_tf.datasets.preview import write_preview
    from mer_tf.datasets.synthetic import write_smic
    from mer_tf.datasets.synthetic_casme2 import write_casme2

    if counts or layout or not dataset.startswith(("smic-", "casme2")):
        if preview:
            raise MerError("--preview shows drawn faces, and this look-alike has none; leave it out")
        print(write_lookalike(dataset, out, counts=counts or "small", layout=layout, seed=seed))
        return
    drawn = {"amplitude": amplitude, "subjects": subjects, "clips_per_class": clips_per_class, "seed": seed}
    if dataset == "casme2":
        root = write_casme2(out, faces=faces, **drawn)  # type: ignore[arg-type]
    else:
        root = write_smic(out, camera=dataset.removeprefix("smic-"), style=style, faces=faces, **drawn)  # type: ignore[arg-type]
    print(root)
    if preview:
        write_preview(root, preview)
        print(preview)


@app.command
def manifest(
    dataset: str,
    root: Path,
    out: Path = Path("manifest.csv"),
    sheet: Path | None = None,
    protocol: str | None = None,
    reference: Path | None = None,
    apex: Literal["given", "midpoint", "peak", "divide-and-conquer"] = "given",
    strict: bool = False,
) -> None:
    """List the clips of a data set folder as manifest.csv, and say how they differ from what is published.

    Args:
        dataset: smic-hs, smic-vis, smic-nir, casme, casme2, casme-sq, casme3-a, casme3-c, samm, samm-lv, mmew, 4dme,
            megc2019 (a folder of three data sets), flow-images, or videos (one clip a file).
        root: Folder as it was downloaded.
        out: Manifest to write.
        sheet: Annotation sheet; without it the published one is looked for under root.
        protocol: Label protocol to count by; without it the first one that knows the data set. `mer-tf protocols`.
        reference: Another list of the clips, a manifest or a CSV with clip_id and class, to compare with clip by clip.
        apex: How to estimate an apex that the annotation does not give; apex_source in the manifest says so.
        strict: Exit with status 1 when there are problems or differences.
    """
    from mer_tf.datasets import dataset_listing
    from mer_tf.datasets.apex import estimate_apexes
    from mer_tf.datasets.counts import manifest_report
    from mer_tf.datasets.labels import load_protocol, protocol_for
    from mer_tf.datasets.manifest import write_manifest

    wanted = load_protocol(protocol) if protocol else None
    listing = dataset_listing(dataset, root, sheet)
    report, clean = manifest_report(listing, wanted or protocol_for(listing.rows), reference)
    print(report)
    slow = apex in ("peak", "divide-and-conquer")
    write_manifest(estimate_apexes(listing.rows, apex, on_error="skip", progress=slow), out)
    print(f"{len(listing.rows)} clips of {len({r.subject for r in listing.rows})} subjects: {out}")
    if strict and not clean:
        sys.exit(1)


@app.command
def protocols(diff: tuple[str, str] | None = None, manifest: Path | None = None) -> None:
    """List the label protocols, or show how two of them differ.

    Args:
        diff: Two protocols; raw labels whose class changes or vanishes are listed.
        manifest: With --diff, list the clips of this manifest that change class or vanish too.
    """
    from mer_tf.datasets.counts import protocol_differences
    from mer_tf.datasets.labels import load_protocol, protocol_names
    from mer_tf.datasets.manifest import read_manifest

    if diff is None:
        if manifest is not None:
            raise MerError(f"{manifest}: --manifest shows a difference; give --diff A B too")
        for name in protocol_names():
            known = load_protocol(name)
            print(f"{name}: {', '.join(known.classes)} (of {', '.join(sorted({d for d, _, _ in known.mapping}))})")
        return
    rows = read_manifest(manifest) if manifest else []
    print("\n".join(protocol_differences(load_protocol(diff[0]), load_protocol(diff[1]), rows)) or "no difference")


@app.command
def preprocess(
    manifest: Path,
    out: Path,
    name: str = "records",
    workers: int = 1,
    on_error: Literal["fail", "skip"] = "fail",
    engine: Literal["local", "beam"] = "local",
    beam: tuple[str, ...] = (),
    face_sheet: Path | None = None,
    settings: Annotated[Preprocess, tyro.conf.arg(name="")] = DEFAULT_SETTINGS,
) -> None:
    """Decode, find the face, align, resize, compute optical flow, write TFRecords; go on where a stopped job was.

    Args:
        manifest: manifest.csv, as `mer-tf manifest` writes it.
        out: Folder for record directories, each named by the hash of its settings.
        name: First part of the directory's name.
        workers: Processes.
        on_error: fail: stop at the first unreadable clip; skip: list it in errors.csv and go on.
        engine: local: processes of this machine; beam: an Apache Beam pipeline. Either writes the same bytes.
        beam: Options of the pipeline, as runner=FlinkRunner flink_master=host:8081; without a runner it runs here.
        face_sheet: Write a contact sheet (PNG) of the stored faces here.
        settings: Settings that fix the bytes written; --recipe NAME sets all of them, and further options change it.
    """
    from mer_tf.datasets.manifest import read_manifest
    from mer_tf.preprocessing.recipes import load_recipe, named
    from mer_tf.records.inspect import describe, write_face_sheet
    from mer_tf.records.write import write_records

    rows = read_manifest(manifest)
    if settings.recipe:  # what the options say is read once more, over the recipe instead of over the defaults
        base = load_recipe(settings.recipe).preprocess
        settings = named(tyro.cli(Preprocess, default=base, args=sys.argv[1:], return_unknown_args=True)[0])
    directory = write_records(
        rows, settings, out, name=name, workers=workers, on_error=on_error, engine=engine, beam=beam
    )
    print(describe(directory))
    if face_sheet:
        write_face_sheet(directory, face_sheet)
    print(directory)


@app.command(name="match-flow")
def match_flow(
    reference: Path,
    manifest: Path,
    clips: int = 8,
    faces: tuple[Literal["none", "crop", "align"], ...] = ("none", "crop", "align"),
    sizes: tuple[int, ...] = (96, 224),
    methods: tuple[Literal["farneback", "dis", "tvl1"], ...] = ("farneback", "dis", "tvl1"),
) -> None:
    """Find the flow recipe of somebody's saved u, v, strain images: the best fit, and what may explain the rest.

    Args:
        reference: Folder of images named after the clips: colour, or one a component (u/NAME.png, NAME_u.png).
        manifest: manifest.csv of the frames they came from, with apexes.
        clips: How many clips to compare.
        faces: Crops to try.
        sizes: Sides in pixels at which flow is computed, before it is brought to the size of the images.
        methods: Flow methods to try.
    """
    from mer_tf.datasets.manifest import read_manifest
    from mer_tf.records import flow_reference

    found = flow_reference.read_references(reference, read_manifest(manifest), clips)
    print(flow_reference.match_text(found, *flow_reference.match_flow(found, faces, sizes, methods)))


@app.command
def inspect(directory: tyro.conf.Positional[Path], check: bool = False) -> None:
    """List what a record directory holds.

    Args:
        directory: Record directory, as `mer-tf preprocess` names it.
        check: Read every record and compare it with the index; exit status 1 when any differs.
    """
    from mer_tf.records import inspect as records

    print(records.describe(directory))
    if check:
        faults = records.check(directory)
        print("\n".join(faults) or "every record is whole")
        sys.exit(bool(faults))


@app.command
def score(
    predictions: tyro.conf.Positional[Path],
    true: str | None = None,
    pred: str | None = None,
    clip: str | None = None,
    subject: str | None = None,
    fold: str | None = None,
    dataset: str | None = None,
    classes: tuple[str, ...] = (),
    expect_support: tuple[str, ...] = (),
    expect: tuple[str, str] | None = None,
    per_subject: bool = False,
    out: Path | None = None,
    bootstrap: int = 2000,
    permutations: int = 9999,
) -> None:
    """Accuracy, UAR, UF1, every variant of them and per-class figures of anybody's predictions.

    Args:
        predictions: A table (.csv, .tsv, .xlsx) with true and predicted labels, a published network's training log
            (Subject, Predicted, Ground Truth), or a run directory.
        true: Column of the true label, where its name is unusual.
        pred: Column of the predicted label.
        clip: Column that names the clip; without one the rows are numbered.
        subject: Column of the subject; without one each clip counts as a subject of its own.
        fold: Column of the fold.
        dataset: Column of the data set.
        classes: Names of class indices 0, 1, ..., as: negative positive surprise.
        expect_support: True clips of each class, as negative=70 positive=51; exit status 1 when they differ.
        expect: The same from published counts, by label protocol and data set, as: smic-3 smic-hs.
        per_subject: List every subject's figures too.
        out: Write everything as JSON here.
        bootstrap: Draws for the 95 % intervals.
        permutations: Shuffles for the p-value.
    """
    from mer_tf.evaluation.foreign import read_foreign
    from mer_tf.evaluation.support import parse_support, published_support
    from mer_tf.reporting.scorecard import scorecard

    columns = {"y_true": true, "y_pred": pred, "clip_id": clip, "subject": subject, "fold": fold, "dataset": dataset}
    expected = (published_support(*expect) if expect else {}) | parse_support(expect_support)
    foreign = read_foreign(predictions, columns, classes)
    text, passed = scorecard(
        predictions.name,
        foreign,
        expected,
        subjects=per_subject,
        out=out,
        bootstrap=bootstrap,
        permutations=permutations,
    )
    print(text)
    if not passed:
        sys.exit(1)


@app.command
def compare(
    first: tyro.conf.Positional[Path],
    second: tyro.conf.Positional[Path],
    classes: tuple[str, ...] = (),
    bootstrap: int = 2000,
    permutations: int = 9999,
) -> None:
    """Is one system better than another on the same clips? Paired test that swaps whole subjects.

    Args:
        first: Predictions (anything that `mer-tf score` reads) or a run directory.
        second: The same of the other system.
        classes: Names of class indices 0, 1, ..., where either file has indices.
        bootstrap: Draws for the 95 % intervals of the difference.
        permutations: Random swaps where there are more than 12 subjects.
    """
    from mer_tf.evaluation.foreign import read_foreign
    from mer_tf.evaluation.statistics import paired_permutation
    from mer_tf.reporting.tables import comparison_text

    one, other = (read_foreign(path, classes=classes).frame for path in (first, second))
    found = paired_permutation(one, other, draws=permutations, bootstrap=bootstrap)
    print(comparison_text(str(first), str(second), found))


@app.command
def audit(
    paper: Literal["A", "B", "C", "D"] | None = None,
    table: Path | None = None,
    n_max: int = 400,
    out: Path | None = None,
    strict: bool = False,
) -> None:
    """Are printed figures possible at all? Which k/n print them, which n they betray, which contradict each other.

    Args:
        paper: Only this one of the rebuilt papers; without it all of them.
        table: Anybody's figures instead: CSV with printed, n (as 328, or 328; 66, or sizes averaged over: 66+66+65)
            and optionally key, unit (accuracy %), group, where, same_as, difference_of.
        n_max: Largest sample size tried when n is inferred from the values.
        out: Write every test here as CSV.
        strict: Exit with status 1 when a figure is impossible or two contradict each other.
    """
    from mer_tf.evaluation.audit import published_claims, read_claims
    from mer_tf.evaluation.audit_report import audit_report
    from mer_tf.files import write_text

    if paper and table:
        raise MerError(f"{table}: --table and --paper exclude each other; leave one out")
    text, tests, clean = audit_report(read_claims(table) if table else published_claims(paper), n_max)
    print(text)
    if out:
        write_text(out, tests.to_csv(index=False))
        print(f"\n{out}")
    if strict and not clean:
        sys.exit(1)


@app.command
def report(
    runs: tyro.conf.Positional[tuple[Path, ...]], out: Path = Path("report.html"), update_readme: Path | None = None
) -> None:
    """Write one HTML page about runs: warnings, scores with intervals, confusions, curves, subjects, pictures.

    Args:
        runs: Run directories, as the experiments print them last.
        out: Page to write; it needs no other file and no network.
        update_readme: Also keep these runs' predictions in docs/results beside this README.md, and write its table.
    """
    from mer_tf.reporting.readme import store_and_update
    from mer_tf.reporting.report import write_report
    from mer_tf.runner import declared

    if not runs:
        raise MerError("name at least one run directory, as runs/exp2_vggface_lstm/20260101-120000-000-abcdef0")
    print(write_report(runs, out))
    if update_readme:
        scripts = update_readme.parent / "experiments"
        for path in store_and_update(
            runs, update_readme, lambda name, preset: declared(scripts / f"{name}.py", preset)
        ):
            print(path)


@app.command
def gradcam(run: Path, out: Path, clips: tuple[str, ...] = (), block: str | None = None, per_class: int = 2) -> None:
    """Export Grad-CAM heat maps of a run's test clips: overlay, strip over time, animation, raw maps.

    Args:
        run: Run directory with its checkpoints.
        out: Folder to write, one folder a clip, and regions.csv.
        clips: Clip ids; without any, the best recognised clips of each class.
        block: Block of the encoder; without one the middle one, conv4_1 of a ResNet-50.
        per_class: Clips of each class.
    """
    from mer_tf.overrides import read_experiment
    from mer_tf.protocols.heatmaps import export_heatmaps
    from mer_tf.runner import open_bench

    bench, _ = open_bench(read_experiment(run / "config.json"), run)
    table = export_heatmaps(bench, run, out, clips=clips, block=block, per_class=per_class)
    print(table.to_string(index=False, float_format="{:.2f}".format))
    print(out)


@app.command
def ladder(
    experiment: tyro.conf.Positional[Path],
    out: Path,
    preset: Literal["paper", "embedded"] = "embedded",
    inner_folds: int = 2,
    changes: tuple[str, ...] = (),
) -> None:
    """Score one model under random windows, clip folds, and three kinds of LOSO: what each leak buys.

    Args:
        experiment: Script in experiments/, by path or name.
        out: Folder for predictions, ladder.csv and ladder.png; what is there already is kept.
        preset: Which of the script's two declarations.
        inner_folds: Folds of the training subjects on which the nested protocol chooses its epoch.
        changes: Settings to change, as train.epochs=5 clip.stride=4.
    """
    from mer_tf.protocols.ladder import climb, ladder_text
    from mer_tf.run_directory import go_on
    from mer_tf.runner import declared, open_bench

    settings = declared(experiment, preset, changes)
    bench, _ = open_bench(settings, go_on(settings, out))
    print(ladder_text(climb(bench, out, inner_folds)))
    print(out / "ladder.png")


@app.command
def sensitivity(
    experiments: tyro.conf.Positional[tuple[Path, ...]],
    out: Path,
    amplitudes: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
    steps: tuple[int, ...] = (1, 2, 4),
    preset: Literal["paper", "embedded"] = "embedded",
    changes: tuple[str, ...] = (),
) -> None:
    """Accuracy against the amplitude of motion and the frame rate, on drawn data: when does a system see anything?

    Args:
        experiments: Scripts in experiments/, by path or name.
        out: Folder for runs, curve.csv, halfway.csv and curve.png; finished runs are kept.
        amplitudes: Pixels at the apex, on a face 96 pixels wide.
        steps: Every n-th frame of 100 a second is used.
        preset: Which of a script's two declarations.
        changes: Settings to change, as data.subjects=8.
    """
    from mer_tf.runner import declared
    from mer_tf.sensitivity import sensitivity as curve

    _, half = curve([declared(path, preset, changes) for path in experiments], amplitudes, steps, out)
    print(half.to_string(index=False, float_format="{:.2f}".format))
    print(out / "curve.png")


def main() -> None:
    """Run the command; bad input ends with one clear line and exit status 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        app.cli(prog="mer-tf", description="Micro-expression recognition research, reproducible.")
    except MerError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on where it was")
