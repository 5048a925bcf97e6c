"""Drawn long videos: truth, sheets in two layouts, and that amplitude and distractors leave the truth alone."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from mer_tf.cli import main
from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.manifest import read_manifest
from mer_tf.preprocessing.pictures import write_picture
from mer_tf.preprocessing.video import iter_video, probe_video
from mer_tf.synthetic.long.plan import DISTRACTORS, GAP, MICRO, plan_video
from mer_tf.synthetic.long.write import write_long

HOMES = {"casme-sq": "rawpic/s15/15_0101disgustingteeth", "samm-lv": "SAMM_longvideos/006_1"}
NAMES = {"casme-sq": "img{}.jpg", "samm-lv": "006_1_{:04d}.jpg"}


@pytest.fixture
def blank(monkeypatch):
    """Empty frames where faces would be drawn: what is tested is the truth beside them."""

    def frames(plan, subject, fps, amplitude, key):
        yield from [np.zeros((240, 320, 3), np.uint8)] * round(plan.seconds * fps)

    monkeypatch.setattr("mer_tf.synthetic.long.write.draw_long", frames)


def test_expressions_stand_clear_of_each_other_and_of_cuts():
    plan = plan_video(300, DISTRACTORS, False, (0, 0))
    spans = sorted((e.span for e in plan.expressions), key=lambda span: span.start)
    assert len(spans) > 40
    assert all(a.end + GAP <= b.start for a, b in pairwise(spans))
    assert not any(s.near(cut) for s in spans for cut in (*plan.spans["cut"], *plan.spans["away"]))
    for one in plan.expressions:
        if one.kind == "micro-expression":
            assert MICRO[0] <= one.span.end - one.span.start <= MICRO[1]
        course = one.strength(np.array([one.span.start, one.apex, one.span.end]))
        np.testing.assert_allclose(course, [0, 1, 0], atol=1e-12)


def test_distractors_leave_the_expressions_alone():
    whole, bare = (plan_video(60, names, False, (1, 2)) for names in (DISTRACTORS, ()))
    assert whole.expressions == bare.expressions
    assert not bare.spans
    assert set(whole.spans) == set(DISTRACTORS)
    assert plan_video(60, DISTRACTORS, True, (1, 2)).expressions == ()


@pytest.mark.parametrize("layout", ["casme-sq", "samm-lv"])
def test_the_sheet_is_read_by_the_adapter_and_says_the_frames_of_the_manifest(tmp_path, layout, blank):
    """The sheet counts from 1, as frame files do; so do the frames written here from the video."""
    root = write_long(tmp_path / "long", layout=layout, subjects=1, seconds=6, fps=12, progress=False)
    rows = {row.clip_id: row for row in read_manifest(root / "manifest.csv")}
    row = next(iter(rows.values()))
    assert probe_video(root / row.video).frames == 72
    folder = root / HOMES[layout]
    folder.mkdir(parents=True)
    for number, frame in iter_video(root / row.video, 0, 71):
        write_picture(folder / NAMES[layout].format(number + 1), frame)
    listed = {r.clip_id: r for r in dataset_listing(layout, root).rows}
    assert listed.keys() == rows.keys()
    for clip, one in listed.items():
        given = rows[clip]
        assert (one.onset, one.apex, one.offset) == (given.onset + 1, given.apex + 1, given.offset + 1)
        assert (one.subject, one.session, one.label_raw) == (given.subject, given.session, given.label_raw)


def _smooth(video, last):
    return {n: cv2.GaussianBlur(frame, (0, 0), 2).astype(int) for n, frame in iter_video(video, 0, last)}


@pytest.mark.slow
def test_an_expression_moves_the_face_by_its_amplitude_alone(tmp_path):
    """Apex against the frame before the onset, with and without amplitude: the rest of the picture stays."""
    roots = [
        write_long(tmp_path / str(a), amplitude=a, subjects=1, seconds=6, fps=12, distractors=(), progress=False)
        for a in (0.0, 6.0)
    ]
    row = read_manifest(roots[0] / "manifest.csv")[0]
    assert row == type(row)(**(vars(read_manifest(roots[1] / "manifest.csv")[0]) | {"root": row.root}))
    still, moved = (
        {n: cv2.GaussianBlur(f, (0, 0), 2) for n, f in iter_video(r / row.video, 0, row.apex)} for r in roots
    )
    at_rest, at_apex = (np.abs(still[n].astype(int) - moved[n]).max() for n in (row.onset - 3, row.apex))
    assert at_apex > 3 * at_rest


def test_a_finished_tree_is_kept_and_others_are_refused(tmp_path, blank, capsys):
    line = ["synth", "--dataset", "long", "--out", str(tmp_path / "x"), "--subjects", "1", "--clips-per-class", "1"]
    line += ["--seconds", "6", "--fps", "10", "--distractors", "none"]
    main(line)
    marker = (tmp_path / "x" / "synthetic.json").stat().st_mtime_ns
    main(line)
    assert (tmp_path / "x" / "synthetic.json").stat().st_mtime_ns == marker
    with pytest.raises(SystemExit, match="other arguments"):
        main([*line, "--seed", "3"])
    with pytest.raises(SystemExit, match="--fps and --distractors are for --dataset long"):
        main(["synth", "--out", str(tmp_path / "y"), "--fps", "30"])
    with pytest.raises(MerError, match=r"among blink.*not yawn"):
        write_long(tmp_path / "z", distractors=("yawn",))
