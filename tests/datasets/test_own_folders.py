"""Folders of a user's own: what patterns say, what is guessed, tables by hand, and label protocols of a user."""

import openpyxl
import pytest
from helpers.own_folders import write_clip, write_tree
from helpers.rows import made_row
from helpers.videos import greys, write_video

from mer_tf.check import check_people, label_faults
from mer_tf.config import Evaluation, MerError
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.adapters.path_pattern import PathPattern, fitting_patterns
from mer_tf.datasets.labels import protocol_of


@pytest.mark.parametrize(
    ("paths", "patterns"),
    [
        (["happy/c1", "sad/c2"], ["{label}/{clip}"]),
        (["s01/happy/c1", "s02/sad/c1"], ["{subject}/{label}/{clip}"]),
        (["happy/s01/c1", "sad/s02/c1"], ["{label}/{subject}/{clip}"]),
        (["happy/s01_1.mp4", "sad/s01_2.mp4", "sad/s02_1.mp4"], ["{label}/{subject}_{clip}"]),
        (["s01/happy/c1/frames", "s02/sad/c2/frames"], ["{subject}/{label}/{clip}/frames"]),
        (["s01/happy/c1", "s01/sad/c2"], ["{subject}/{label}/{clip}"]),
        (["anna/happy/c1", "bert/sad/c2"], ["{subject}/{label}/{clip}", "{label}/{subject}/{clip}"]),
        (["s01/c1", "s02/c1"], []),
        (["c1", "c2"], []),
        (["happy/c1", "s01/sad/c1"], []),
    ],
)
def test_usual_patterns_are_guessed(paths, patterns):
    assert fitting_patterns(paths) == patterns
    assert all(PathPattern(pattern).match(path) for pattern in patterns for path in paths)


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("{subject}/{label}/{clip}", "s01/happy/c1", {"subject": "s01", "label": "happy", "clip": "c1"}),
        ("{label}/{subject}_{clip}", "happy/s01_a_2.mp4", {"label": "happy", "subject": "s01", "clip": "a_2.mp4"}),
        ("*/{label}/{clip}.mp4", "2024/happy/c1.mp4", {"label": "happy", "clip": "c1"}),
        ("{label}/{clip}", "a/b/c", None),
    ],
)
def test_a_pattern_says_what_each_part_of_a_path_is(pattern, path, fields):
    assert PathPattern(pattern).match(path) == fields


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("{label}", "names no clip"), ("{person}/{clip}", "knows no {person}"), ("{clip}/{clip}", "{clip} twice")],
)
def test_a_pattern_that_can_mean_nothing_is_refused(pattern, said):
    with pytest.raises(MerError, match=said):
        PathPattern(pattern)


def test_a_tree_is_listed_by_its_folders_and_what_is_filled_in_is_said(own_tree):
    listing = dataset_listing("folders", own_tree)
    assert listing.problems == []
    assert {(r.clip_id, r.subject, r.label_raw, r.onset, r.offset) for r in listing.rows} >= {
        ("folders/s01/positive/positive_1", "folders/s01", "positive", 0, 4)
    }
    said = " ".join(listing.notes)
    for part in ("{subject}/{label}/{clip}, which fits all 6 clips", "onset and offset of 6", "30 are taken"):
        assert part in said


def test_every_second_frame_of_a_clip_is_a_clip_and_one_lost_frame_is_a_gap(tmp_path):
    for subject, lost in (("s01", (1, 3)), ("s02", (2,))):
        folder = write_clip(tmp_path / subject / "happy" / "c", frames=5)
        for number in lost:
            (folder / f"img{number:03d}.png").unlink()
    listing = dataset_listing("folders", tmp_path)
    assert [(row.onset, row.offset) for row in listing.rows] == [(0, 4), (0, 4)]
    (problem,) = listing.problems
    assert "s02/happy/c: 1 frame(s) are missing between its first and last: 2" in problem
    assert any(note.startswith("frame numbers of 1 clip(s) rise by 2") for note in listing.notes)


def test_a_span_of_a_table_that_leaves_a_thinned_clip_is_a_problem(tmp_path):
    folder = write_clip(tmp_path / "c", frames=9)
    for number in range(1, 9, 2):
        (folder / f"img{number:03d}.png").unlink()
    sheet = tmp_path / "mine.csv"
    problems = {}
    for offset in (7, 12):
        sheet.write_text(f"clip,subject,label,onset,offset\nc,1,a,1,{offset}\n")
        problems[offset] = dataset_listing("folders", tmp_path, sheet).problems
    assert problems[7] == []
    assert "of its frames 1 to 12 are missing" in problems[12][0]


def test_several_patterns_are_asked_for_and_one_is_taken(tmp_path):
    root = write_tree(tmp_path, subjects=("anna", "bert"), frames=2)
    with pytest.raises(MerError, match="several patterns fit .* choose with --data.pattern"):
        dataset_listing("folders", root)
    listing = dataset_listing("folders", root, pattern="{label}/{subject}/{clip}")
    assert {r.label_raw for r in listing.rows} == {"anna", "bert"}
    with pytest.raises(MerError, match="smic-hs has a layout of its own"):
        dataset_listing("smic-hs", root, pattern="{label}/{clip}")


def test_clips_without_subjects_are_people_of_their_own_and_that_is_said(tmp_path):
    for label in ("happy", "sad"):
        write_clip(tmp_path / label / f"{label}1", frames=2)
    write_video(tmp_path / "sad" / "clip2.avi", greys(5))
    (tmp_path / "happy" / "loose.txt").touch()
    listing = dataset_listing("folders", tmp_path)
    assert {r.clip_id for r in listing.rows} == {"folders/happy/happy1", "folders/sad/sad1", "folders/sad/clip2"}
    assert all(r.subject == r.clip_id for r in listing.rows)
    assert any("figures are too good" in said for said in listing.notes)


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx"])
def test_a_table_by_hand_needs_clip_subject_and_label(own_tree, tmp_path, kind):
    lines = [
        ["Clip path", "Subject", "Label", "Onset", "Offset"],
        ["s01/negative/negative_1", "7", "bad", "1", "3"],
        ["s02/positive/positive_1", "8", "good", "", ""],
        ["s02/nothing", "8", "good", "", ""],
        ["s02/surprise/surprise_1", "8", "", "", ""],
    ]
    sheet = tmp_path / f"mine.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append(line)
        book.save(sheet)
    else:
        sheet.write_text("\n".join({"csv": ",", "tsv": "\t"}[kind].join(line) for line in lines))
    listing = dataset_listing("folders", own_tree, sheet)
    found = {(r.clip_id, r.subject, r.label_raw, r.onset, r.offset) for r in listing.rows}
    assert found == {
        ("folders/s01/negative/negative_1", "folders/7", "bad", 1, 3),
        ("folders/s02/positive/positive_1", "folders/8", "good", 0, 4),
    }
    assert any("line 5: label is empty" in problem for problem in listing.problems)
    assert any("s02/nothing" in problem for problem in listing.problems)


def test_a_tree_without_clips_is_told(tmp_path):
    with pytest.raises(MerError, match="holds no clip"):
        dataset_listing("folders", tmp_path)
    with pytest.raises(MerError, match="no such folder"):
        dataset_listing("folders", tmp_path / "none")


def of(*people):
    """Rows of (subject, label)."""
    return [
        made_row(
            clip_id=f"folders/{k}", dataset="folders", subject=f"folders/{who}", frames_dir=str(k), label_raw=label
        )
        for k, (who, label) in enumerate(people)
    ]


def test_labels_of_the_data_are_classes_where_no_protocol_is_named():
    rows = of(("a", "Sad"), ("a", "happy"), ("b", "happy"))
    protocol = protocol_of("data", rows)
    assert protocol.classes == ("Sad", "happy")
    assert [protocol.class_name(row) for row in rows] == ["Sad", "happy", "happy"]
    assert list(label_faults(protocol, rows)) == []


def test_a_user_s_protocol_joins_and_leaves_out_labels(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("raw,class\nsad,negative\nangry,negative\nhappy,positive\nodd,\n")
    rows = of(("a", "Sad"), ("a", "odd"), ("b", "happy"), ("b", "angry"))
    protocol = protocol_of(str(path), rows)
    assert protocol.classes == ("negative", "positive")
    assert [protocol.class_name(row) for row in rows] == ["negative", None, "positive", "negative"]
    path.write_text("raw,class\nsad,negative\nSAD,positive\n")
    with pytest.raises(MerError, match="line 3: the label 'SAD' stands there twice"):
        protocol_of(str(path), rows)
    path.write_text("raw,klass\nsad,negative\n")
    with pytest.raises(MerError, match="class"):
        protocol_of(str(path), rows)


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([("a", "x"), ("b", "x")], "all 2 clips are of one class, x; .* clips of another class"),
        ([("a", "x"), ("a", "y")], "all 2 clips are of one subject, folders/a, .* choose evaluation.split=clip"),
    ],
)
def test_one_class_or_one_person_is_refused_with_the_mend(people, said):
    rows = of(*people)
    with pytest.raises(MerError, match=said):
        check_people(Evaluation(), protocol_of("data", rows), rows)


def test_a_class_of_one_person_is_said(caplog):
    rows = of(("a", "x"), ("b", "x"), ("a", "y"))
    check_people(Evaluation(), protocol_of("data", rows), rows)
    assert "class y has clips of one subject alone (folders/a)" in caplog.text


def test_clips_of_one_video_are_told_apart_by_their_onset_and_rejected_lines_left_out(tmp_path):
    write_video(tmp_path / "long.avi", greys(12))
    write_clip(tmp_path / "frames", frames=6)
    sheet = tmp_path / "marks.csv"
    lines = ["long.avi,a,sad,0,0,4,", "long.avi,a,happy,5,7,9,accepted", "frames,b,sad,0,1,2,", "frames,b,happy,3,4,5,"]
    sheet.write_text(
        "\n".join(["clip,subject,label,onset,apex,offset,mark", *lines, "long.avi,a,,1,2,3,Rejected"]) + "\n"
    )
    listing = dataset_listing("folders", tmp_path, sheet=sheet)
    assert listing.problems == []
    assert [r.clip_id for r in listing.rows] == [
        "folders/frames-0",
        "folders/frames-3",
        "folders/long.avi-0",
        "folders/long.avi-5",
    ]
    assert [(r.onset, r.apex, r.apex_source, r.label_raw) for r in listing.rows[2:]] == [
        (0, 0, "given", "sad"),
        (5, 7, "given", "happy"),
    ]
    assert any("1 line(s) are marked rejected and left out" in note for note in listing.notes)
