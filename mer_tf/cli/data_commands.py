"""Commands about data sets: which clips exist, and look-alikes of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from mer_tf.config import MerError
from mer_tf.errors import refuse
from mer_tf.ranges import Count, Range, Seed


def synth(
    out: Path,
    dataset: str = "smic-hs",
    amplitude: Annotated[float, Range(0, 96)] = 3.0,
    subjects: Count = 16,
    clips_per_class: Count = 2,
    seed: Seed = 0,
    style: Literal["s01", "s1"] = "s01",
    faces: Path | None = None,
    preview: Path | None = None,
    counts: Literal["published", "small"] | None = None,
    layout: str | None = None,
    kind: str | None = None,
    seconds: Annotated[float, Range(6, 36000)] = 60.0,
    fps: Annotated[float, Range(10, 1000)] | None = None,
    distractors: tuple[str, ...] | None = None,
) -> None:
    """Make a synthetic look-alike of a data set, in its exact folder layout: drawn faces, or folders and sheet alone.

    SMIC, CASME II, SAMM and flow images are drawn, unless counts or layout is given. Every other data set has tiny
    pictures, and its annotation sheet. `--dataset long` draws compressed videos of a minute and more.

    Args:
        out: Folder to write; finished clips are kept when the same command runs again.
        dataset: Data set to imitate, as `mer-tf manifest` names it, or long.
        amplitude: Greatest displacement at the apex, pixels on a face 96 pixels wide.
        subjects: Number of subjects.
        clips_per_class: Clips of each class, and of non-micro, per subject; of long its videos per subject.
        seed: The same seed gives the same bytes.
        style: How subjects are written: s01 or s1; both occur in SMIC.
        faces: Folder of portraits to use instead of the built-in one.
        preview: Write a contact sheet (PNG) here.
        counts: Folders and sheet alone, with as many clips as published, or a few.
        layout: Folders and sheet alone, in this layout, where a data set has several (casme2: CASME2_RAW, ...). Of
            long the data set whose names and sheet it has, casme-sq or samm-lv.
        kind: flow-images: kind of drawing (data_manifests/drawing_kinds.csv): bell, astronaut-farneback,
            painted-dis, ...; without it the look-alike of the composite.
        seconds: long: length of each video.
        fps: long: frames a second; without it those of the layout, 30 or 200.
        distractors: long: what else happens, of blink talk turn gaze light cut away; without it all, `none` for none.
    """
    from mer_tf.synthetic.layouts.write import write_lookalike
    from mer_tf.synthetic.trees.au_flow_images import write_kind
    from mer_tf.synthetic.trees.contact_sheet import write_preview
    from mer_tf.synthetic.trees.flow_images import write_flow_images
    from mer_tf.synthetic.trees.kinds import DRAWN

    bare = bool(counts or layout) or dataset not in (*DRAWN, "flow-images", "long")
    given = {"--preview": preview, "--faces": faces, "--counts": counts, "--kind": kind}
    refuse(_strangers(dataset, bare, given | {"--fps": fps, "--distractors": distractors}))
    drawn: dict[str, Any] = {"amplitude": amplitude, "subjects": subjects, "seed": seed}
    if dataset == "long":
        from mer_tf.synthetic.long.plan import DISTRACTORS
        from mer_tf.synthetic.long.write import write_long

        wanted = DISTRACTORS if distractors is None else () if distractors == ("none",) else distractors
        drawn |= {"videos": clips_per_class, "faces": faces, "seconds": seconds, "fps": fps, "distractors": wanted}
        print(write_long(out, layout=layout or "casme-sq", **drawn))
    elif bare:
        print(write_lookalike(dataset, out, counts=counts or "small", layout=layout, seed=seed))
    elif kind:
        print(write_kind(out, kind, subjects=subjects, clips_per_class=clips_per_class, seed=seed))
    elif dataset == "flow-images":
        print(write_flow_images(out, **drawn))
    else:
        named = {"style": style} if dataset.startswith("smic-") else {}
        print(DRAWN[dataset](out, clips_per_class=clips_per_class, faces=faces, **drawn, **named))
    if preview:
        write_preview(out, preview)
        print(preview)


def _strangers(dataset: str, bare: bool, given: Mapping[str, Any]) -> Iterator[str]:
    """What is said against options that another look-alike has."""
    if dataset == "long":
        if given["--preview"] or given["--counts"] or given["--kind"]:
            yield "--preview, --counts and --kind are for other look-alikes; leave them out"
        return
    if given["--fps"] or given["--distractors"]:
        yield "--fps and --distractors are for --dataset long; leave them out"
    if dataset == "flow-images" and not bare:
        if given["--preview"] or given["--faces"]:
            yield "--preview and --faces are for look-alikes of frames; leave them out"
    elif given["--kind"]:
        yield "--kind is for --dataset flow-images; leave it out"
    elif bare and given["--preview"]:
        yield "--preview shows drawn faces, and this look-alike has none; leave it out"


def manifest(
    dataset: str,
    root: Path,
    out: Path = Path("manifest.csv"),
    sheet: Path | None = None,
    pattern: str = "",
    protocol: str | None = None,
    reference: Path | None = None,
    apex: Literal["given", "midpoint", "peak", "divide-and-conquer"] = "given",
    doubtful: Literal["keep", "skip", "estimate"] = "keep",
    by_time: float | None = None,
    follow_links: tuple[Path, ...] = (),
    strict: bool = False,
) -> None:
    """List the clips of a data set folder as manifest.csv, and say how they differ from what is published.

    Args:
        dataset: smic-hs, smic-vis, smic-nir, casme, casme2, casme-sq, casme3-a, casme3-c, samm, samm-lv, mmew, 4dme,
            megc2019 (a folder of three data sets), flow-images, videos (one clip a file), or folders (clips of your
            own, in folders or by a table).
        root: Folder as it was downloaded.
        out: Manifest to write.
        sheet: Annotation sheet; without it the published one is looked for under root. Of folders a CSV, TSV or XLSX
            table of yours with the columns clip, subject, label, and as known onset, apex, offset, fps.
        pattern: Of folders: how paths below root are read, as {subject}/{label}/{clip}; guessed without it.
        protocol: Label protocol to count by, or a CSV of yours (raw,class); without it the first one that knows the
            data set. `mer-tf protocols` lists them.
        reference: Another list of the clips, a manifest or a CSV with clip_id and class, to compare with clip by clip.
        apex: How to estimate an apex that the annotation does not give; apex_source in the manifest says so.
        doubtful: What becomes of clips whose apex is their onset, or that last for seconds: kept as annotated, left
            out, or (of the former) the apex estimated as --apex says.
        by_time: Resample videos to this many frames a second by their time stamps, where their rate varies.
        follow_links: Folders outside root into which links within it may lead.
        strict: Exit with status 1 when there are problems or differences.
    """
    from mer_tf.datasets import dataset_listing
    from mer_tf.datasets.adapters import videos
    from mer_tf.datasets.apex import estimate_apexes
    from mer_tf.datasets.counts import manifest_report
    from mer_tf.datasets.doubts import decided
    from mer_tf.datasets.labels import FROM_DATA, is_file, load_protocol, protocol_for, protocol_of
    from mer_tf.datasets.manifest import write_manifest
    from mer_tf.files import following

    if protocol and protocol != FROM_DATA and not is_file(protocol):
        load_protocol(protocol)  # an unknown one is refused before the tree is read
    with following(follow_links):
        listing = dataset_listing(dataset, root, sheet, pattern)
    wanted = protocol_of(protocol, listing.rows) if protocol else protocol_for(listing.rows)
    report, clean = manifest_report(listing, wanted, reference)
    print(report)
    rows = listing.rows if by_time is None else videos.by_time(listing.rows, by_time)
    rows = decided(rows, doubtful, apex)
    slow = apex in ("peak", "divide-and-conquer")
    write_manifest(estimate_apexes(rows, apex, on_error="skip", progress=slow), out)
    print(f"{len(rows)} clips of {len({r.subject for r in rows})} subjects: {out}")
    if strict and not clean:
        sys.exit(1)


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
