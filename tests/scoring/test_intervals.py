"""Spotting as MEGC counts it, on cases counted by hand."""

import json
from dataclasses import replace

import pytest

from mer_tf.cli import main
from mer_tf.datasets.manifest import ClipRow, write_manifest
from mer_tf.scoring.intervals import Counts, Interval, kind_of, score_spotting


def of(onset, offset, kind="micro", video="a.mp4", emotion=""):
    return Interval(video, onset, offset, kind, emotion)


@pytest.mark.parametrize(
    ("one", "other", "iou"),
    [
        ((10, 19), (10, 19), 1.0),
        ((10, 19), (15, 24), 5 / 15),
        ((10, 19), (10, 14), 0.5),  # five of ten frames: both ends count
        ((10, 19), (20, 29), 0.0),
        ((10, 19), (19, 19), 0.1),
    ],
)
def test_overlap_counts_both_end_frames(one, other, iou):
    assert of(*one).iou(of(*other)) == pytest.approx(iou) == of(*other).iou(of(*one))
    assert of(*one).iou(of(*other, video="b.mp4")) == 0


def test_counts_by_hand():
    """Micro: 3 true, 4 found, 2 hits. Macro: 1 true, 1 found, 1 hit. A micro of the macro's frames is no hit."""
    true = [of(10, 19), of(50, 59), of(10, 19, video="b.mp4"), of(100, 159, "macro")]
    found = [of(10, 14), of(30, 39), of(12, 21, video="b.mp4"), of(100, 159), of(110, 169, "macro")]
    result = score_spotting(true, found)
    assert result.counts == {"micro": Counts(3, 4, 2), "macro": Counts(1, 1, 1), "total": Counts(4, 5, 3)}
    assert result.counts["micro"].precision == 0.5
    assert result.counts["micro"].recall == pytest.approx(2 / 3)
    assert result.counts["micro"].f1 == pytest.approx(4 / 7)
    assert result.counts["total"].f1 == pytest.approx(6 / 9)
    assert result.strs is None


def test_each_true_interval_is_matched_once_and_as_many_as_can_be():
    assert score_spotting([of(10, 19)], [of(10, 19), of(11, 19)]).counts["micro"] == Counts(1, 2, 1)
    # the first found one overlaps both true ones best; taken greedily, only one would be hit
    true, found = [of(10, 19), of(14, 21)], [of(12, 20), of(8, 17)]
    assert score_spotting(true, found).counts["micro"] == Counts(2, 2, 2)
    assert score_spotting(true, []).counts["total"] == Counts(2, 0, 0)
    assert score_spotting(true, []).counts["total"].f1 == 0


def test_pooled_over_videos_and_not_averaged():
    """One video of 1 hit in 1, one of 0 in 3: the mean of their F1 would be .5."""
    true = [of(10, 19), *(of(n, n + 9, video="b.mp4") for n in (10, 50, 90))]
    found = [of(10, 19), *(of(n, n + 9, video="b.mp4") for n in (30, 70, 110))]
    assert score_spotting(true, found).counts["total"].f1 == pytest.approx(2 / 8)


def test_strs_by_hand():
    """3 of 4 hit, F1 6/8; of the hits a and b are named right, c as a: F1 of a 2/3, of b 1, of c 0, UF1 5/9."""
    true = [of(n, n + 9, emotion=e) for n, e in ((0, "a"), (20, "b"), (40, "c"), (60, "a"))]
    found = [of(n, n + 9, emotion=e) for n, e in ((0, "a"), (20, "b"), (40, "a"), (80, "a"))]
    result = score_spotting(true, found)
    assert result.uf1 == pytest.approx(5 / 9)
    assert result.strs == pytest.approx(0.75 * 5 / 9)


def test_half_a_second_bounds_a_micro_expression():
    assert kind_of(0, 15, 30) == "micro"
    assert kind_of(0, 16, 30) == "macro"
    assert kind_of(0, 100, 200) == "micro"


@pytest.fixture
def manifest(tmp_path):
    named = {"clip_id": "x/1", "dataset": "x", "subject": "s1", "root": str(tmp_path), "video": "d/one.mp4"}
    base = ClipRow(**named, onset=10, offset=19, fps=30.0, label_raw="happy")
    rows = [base, replace(base, clip_id="x/2", onset=40, offset=99, label_raw="sad")]
    return write_manifest([*rows, replace(base, clip_id="x/3", video="d/two.mp4", subject="s2")], tmp_path / "m.csv")


def test_anybodys_table_by_path_name_or_stem(tmp_path, manifest, capsys):
    """Types by length where none is given; rejected rows of `mer-tf spot` are no findings."""
    table = tmp_path / "found.csv"
    table.write_text(
        "video,onset,offset,verdict,emotion\n"
        "d/one.mp4,10,19,micro,happy\nONE,40,99,,happy\ntwo.mp4,100,109,rejected,\nthree,1,9,micro,\n"
    )
    main(["score", str(table), "--intervals", str(manifest), "--out", str(tmp_path / "s.json")])
    shown = capsys.readouterr().out
    said = json.loads((tmp_path / "s.json").read_text())
    assert (said["micro"]["true"], said["micro"]["found"], said["micro"]["hits"]) == (2, 2, 1)
    assert (said["macro"]["true"], said["macro"]["found"], said["macro"]["hits"]) == (1, 1, 1)
    assert said["total"]["F1"] == pytest.approx(4 / 6)
    assert said["recognition_UF1"] == pytest.approx(1 / 3)  # happy 2/3, sad 0
    assert "1 video(s) are not in the manifest" in shown
    assert f"STRS {4 / 6 / 3:.4f}" in shown


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("one,19,10,", "line 2: onset '19' and offset '10' are no frame numbers"),
        ("one,1,x,", "line 2: onset '1' and offset 'x'"),
        ("one,1,2,tiny", "line 2: type 'tiny' is neither micro nor macro"),
    ],
)
def test_a_bad_row_is_named(tmp_path, manifest, row, said):
    table = tmp_path / "found.csv"
    table.write_text(f"video,onset,offset,type\n{row}\n")
    with pytest.raises(SystemExit, match=said):
        main(["score", str(table), "--intervals", str(manifest)])
