"""Commands about records: frames and flow as TFRecords."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mer_tf.config import Preprocess
from mer_tf.methods import FLOWS, FlowMethod
from mer_tf.ranges import Count, Name, Range, Side

DEFAULT_SETTINGS = Preprocess()


def preprocess(
    manifest: Path,
    out: Path,
    name: Name = "records",
    workers: Annotated[int, Range(1, 1024)] = 1,
    on_error: Literal["fail", "skip"] | None = None,
    engine: Literal["local", "beam"] = "local",
    beam: tuple[str, ...] = (),
    face_sheet: Path | None = None,
    dry_run: bool = False,
    settings: Annotated[Preprocess, tyro.conf.arg(name="")] = DEFAULT_SETTINGS,
) -> None:
    """Decode, find the face, align, resize, compute optical flow, write TFRecords; go on where a stopped job was.

    Args:
        manifest: manifest.csv, as `mer-tf manifest` writes it.
        out: Folder for record directories, each named by the hash of its settings.
        name: First part of the directory's name.
        workers: Processes.
        on_error: What unreadable clips mean, once all others are done: fail: exit status 1, and the same command tries
            them again; skip: they are left out (the default for videos). Either lists them in errors.csv.
        engine: local: processes of this machine; beam: an Apache Beam pipeline. Either writes the same bytes.
        beam: Options of the pipeline, as runner=FlinkRunner flink_master=host:8081; without a runner it runs here.
        face_sheet: Write a contact sheet (PNG) of the stored faces here.
        dry_run: Write nothing; say how many clips, bytes and hours are to come, from three clips that are processed.
        settings: Settings that fix the bytes written; --recipe NAME sets all of them, and further options change it.
    """
    from mer_tf.datasets.manifest import read_manifest
    from mer_tf.preprocessing.recipes import named
    from mer_tf.records.inspect import describe, write_face_sheet
    from mer_tf.records.write import check_job, records_folder, write_records

    rows = read_manifest(manifest)
    settings = named(settings) if settings.recipe else settings
    if dry_run:
        from mer_tf.records.cost import job_cost

        check_job(rows, settings)
        directory = records_folder(rows, settings, out, name)
        print(f"{job_cost(rows, settings, directory).text(workers)}\n{directory}")
        return
    directory = write_records(
        rows, settings, out, name=name, workers=workers, on_error=on_error, engine=engine, beam=beam
    )
    print(describe(directory))
    if face_sheet:
        write_face_sheet(directory, face_sheet)
    print(directory)


def preprocess_by_recipe(arguments: Sequence[str]) -> Callable[..., None]:
    """`preprocess` with the settings of the recipe that the arguments name as its defaults."""

    def named(recipe: str = "") -> str:
        return recipe

    name, _ = tyro.cli(named, args=arguments, return_unknown_args=True, add_help=False)
    if not name:
        return preprocess
    from mer_tf.preprocessing.recipes import load_recipe

    return partial(preprocess, settings=load_recipe(name).preprocess)


def match_flow(
    reference: Path,
    manifest: Path,
    clips: Count = 8,
    faces: tuple[Literal["none", "crop", "align"], ...] = ("none", "crop", "align"),
    sizes: tuple[Side, ...] = (96, 224),
    methods: tuple[FlowMethod, ...] = tuple(FLOWS),
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
    from mer_tf.records.flow_matching import reference as flow_reference

    found = flow_reference.read_references(reference, read_manifest(manifest), clips)
    print(flow_reference.match_text(found, *flow_reference.match_flow(found, faces, sizes, methods)))


def inspect(directory: tyro.conf.Positional[Path], check: bool = False) -> None:
    """List what a record directory holds, or count what a folder of cached frame features does.

    Args:
        directory: Record directory, as `mer-tf preprocess` names it, or a folder of features, as
            `mer-tf cache` names it.
        check: Read every record and compare it with the index, or every array with its checksum; exit status 1 when
            any differs.
    """
    from mer_tf.arrays import array_faults
    from mer_tf.records import inspect as records
    from mer_tf.records.index import NAME

    if not (directory / NAME).exists() and any(directory.glob("*.npy")):
        count, faults = array_faults(directory) if check else (len(list(directory.glob("*.npy"))), [])
        print("\n".join([f"{directory}: {count} arrays", *faults]))
        sys.exit(bool(faults))
    print(records.describe(directory))
    if check:
        faults = records.check(directory)
        print("\n".join(faults) or "every record is whole")
        sys.exit(bool(faults))
