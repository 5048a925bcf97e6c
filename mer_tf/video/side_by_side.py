"""Spotters side by side: every subject is left out once, intervals are pooled over all videos and scored as in MEGC."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from mer_tf.config import MerError, digest
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.labels import normalise_label
from mer_tf.datasets.manifest import ClipRow, read_manifest
from mer_tf.files import facts, write_csv, write_json, write_text
from mer_tf.run_directory import environment, log_to
from mer_tf.scoring.intervals import Interval, Spotting, true_intervals
from mer_tf.synthetic.long.write import TRUTH, write_long
from mer_tf.video.blocks import folder_name
from mer_tf.video.comparison import DrawnVideos, Options
from mer_tf.video.events import HONEST
from mer_tf.video.hoof_lstm import HoofLstmSpotter
from mer_tf.video.sources import open_source
from mer_tf.video.spot import first_number, follow
from mer_tf.video.spotters import FlowSpotter, Followed, Spotter, scored

log = logging.getLogger("mer_tf")


def spotters(options: Options) -> list[Spotter]:
    """Those that are compared."""
    from mer_tf.video.verdict import VerdictSpotter  # brings scikit-learn

    return [FlowSpotter(), HoofLstmSpotter(options.lstm), VerdictSpotter()]


def compare(options: Options) -> str:
    """The table of all data sets; writes spotting.csv, intervals.csv and results.txt in a new run directory."""
    home = Path(options.out) / "exp10_spotting"
    directory = home / f"{datetime.now().strftime('%Y%m%d-%H%M%S')}-{digest(options)[:7]}"
    directory.mkdir(parents=True)
    log_to(directory)
    write_json(directory / "config.json", {"options": dataclasses.asdict(options), "command": sys.argv})
    write_json(directory / "env.json", environment())
    lines, found = list[dict[str, Any]](), list[dict[str, Any]]()
    for dataset, rows in data_sets(options, home).items():
        videos = followed(rows, home / "curves" / dataset)
        roots = {row.video or row.frames_dir: Path(row.root) for row in rows}
        for spotter in spotters(options):
            given = left_out(spotter, videos)
            result = recognised(videos, roots, given) if options.recognise else scored(videos, given)
            data = "the data set" if getattr(options, dataset.replace("-", "_")) else "drawn"
            lines += [{"data": data, **line} for line in score_lines(dataset, spotter.name, videos, result)]
            found += [{"dataset": dataset, "spotter": spotter.name, **vars(one)} for one in given]
    table = pd.DataFrame([*lines, *published({line["dataset"] for line in lines})])
    table = table.astype(dict.fromkeys(("true", "found", "hits", "videos", "subjects"), "Int64"))
    write_csv(table, directory / "spotting.csv")
    write_csv(pd.DataFrame(found), directory / "intervals.csv")
    shown = table.to_string(index=False, na_rep="-", float_format="{:.4f}".format)
    text = "\n".join([shown, HONEST])
    write_text(directory / "results.txt", text + "\n")
    return f"{text}\nrun directory: {directory}"


def data_sets(options: Options, home: Path) -> dict[str, list[ClipRow]]:
    """The expressions of each data set; those without a folder are drawn."""
    given = {"casme-sq": options.casme_sq, "samm-lv": options.samm_lv, "casme3-a": options.casme3_a}
    found: dict[str, list[ClipRow]] = {}
    for name, root in given.items():
        if root:
            found[name] = dataset_listing(name, Path(root)).rows
        elif name != "casme3-a":
            found[name] = drawn_rows(name, options.drawn, home)
    return found


def drawn_rows(layout: str, drawn: DrawnVideos, home: Path) -> list[ClipRow]:
    """Videos in the layout of a data set, drawn once."""
    root = write_long(home / f"drawn-{layout}-{digest(drawn)[:10]}", layout=layout, **dataclasses.asdict(drawn))
    return read_manifest(root / "manifest.csv")


def followed(rows: Sequence[ClipRow], work: Path) -> list[Followed]:
    """Every video that `rows` name, and what was drawn without any expression; `work` keeps the curves."""
    true, root = true_intervals(rows), Path(rows[0].root)
    subjects = {row.video or row.frames_dir: row.subject for row in rows}
    subjects = dict(_without_expression(root)) | subjects
    made = []
    for name, subject in subjects.items():
        source = open_source(root / name, rows[0].fps)
        store = follow(source, work / f"{digest(source.name)[:8]}-{folder_name(name)}")
        own = [one for one in true if one.video == name]
        made.append(Followed(name, subject, source.fps, store.pieces(), own, first_number(source)))
    return made


def _without_expression(root: Path) -> Iterator[tuple[str, str]]:
    """Drawn videos and their subjects: a manifest names only those that show an expression."""
    truth = root / TRUTH
    for name in pd.read_csv(truth)["video"].unique() if truth.is_file() else ():
        path = PurePosixPath(name)
        own = path.parent.name if path.parent.name != "SAMM_longvideos" else path.stem.partition("_")[0]
        yield name, f"cas_me_2/{own}" if own != path.stem.partition("_")[0] else f"samm/{own}"


def left_out(spotter: Spotter, videos: Sequence[Followed]) -> list[Interval]:
    """What is found in the videos of each subject by what was learned from those of all others."""
    people = list(dict.fromkeys(video.subject for video in videos))
    if len(people) < 2:
        raise MerError("spotters learn from some subjects and are tried on others; give videos of 2 or more")
    found = list[Interval]()
    for person in people:
        log.info("%s: without %s", spotter.name, person)
        spotter.fit([video for video in videos if video.subject != person])
        found += [one for video in videos if video.subject == person for one in spotter.spot(video)]
    return found


def recognised(videos: Sequence[Followed], roots: Mapping[str, Path], found: Sequence[Interval]) -> Spotting:
    """The same, with the emotion of each true positive by the recommended recogniser, onset against the middle.

    roots: the folder in which each video lies.
    """
    result = scored(videos, found)
    named = {one: emotion_of(roots[one.video] / one.video, one) for true, one in result.pairs if true.emotion}
    return scored(videos, [dataclasses.replace(one, emotion=named.get(one, "")) for one in found])


def emotion_of(path: Path, one: Interval) -> str:
    """The likeliest class of the recogniser of drawn images; "" where it sees no face."""
    from mer_tf.au_flow.recogniser import CROP, of_drawn
    from mer_tf.au_flow.use import face_box, flow_in, read_pair
    from mer_tf.synthetic.action_units.fields import flow_images
    from mer_tf.synthetic.action_units.movement import CLASSES

    try:
        clip = read_pair(path, one.onset, max(one.onset + 1, (one.onset + one.offset) // 2))
        box = face_box(clip, path, "find", CROP)
    except MerError as error:
        log.warning("not recognised: %s", error)
        return ""
    image = flow_images(flow_in(clip.frames, box, "dis"))
    return normalise_label(str(CLASSES[int(of_drawn().probabilities(image[None])[0].argmax())]))


def score_lines(dataset: str, name: str, videos: Sequence[Followed], result: Spotting) -> Iterator[dict[str, Any]]:
    """A line for micro, for macro and for both."""
    for kind, counts in result.counts.items():
        line: dict[str, Any] = {"dataset": dataset, "spotter": name, "kind": kind, **vars(counts)}
        line |= {"precision": counts.precision, "recall": counts.recall, "F1": counts.f1}
        whole = kind == "total" and result.strs is not None
        line |= {"STRS": result.strs if whole else None}
        yield line | {"videos": len(videos), "subjects": len({v.subject for v in videos})}


def published(datasets: set[str]) -> list[dict[str, Any]]:
    """Printed figures of these data sets (data_manifests/published_spotting.csv); those of real data."""
    rows = facts("published_spotting.csv").to_dict("records")
    known = [row | {"spotter": f"{row['system']}, {row['year']}"} for row in rows if row["dataset"] in datasets]
    said = [
        {name: row[name] for name in ("dataset", "spotter", "kind")} | {row["score"]: row["printed"]} for row in known
    ]
    return [{"data": "printed", **row} for row in said]
