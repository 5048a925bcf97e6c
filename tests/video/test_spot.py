"""From a drawn video to the table: what was planted is found, and a stopped run ends as a whole one."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest

from mer_tf.cli import main
from mer_tf.datasets.manifest import read_manifest
from mer_tf.errors import MerError
from mer_tf.preprocessing.pictures import write_picture
from mer_tf.preprocessing.video import iter_video
from mer_tf.synthetic.long.write import video_writer, write_long
from mer_tf.video import people, spot
from mer_tf.video.sources import open_source


@pytest.fixture
def found_faces(monkeypatch, drawn_five):
    """The drawn face where it was drawn: the detector takes seconds to load."""
    monkeypatch.setattr(people, "find_faces", lambda picture: [drawn_five])


@pytest.mark.slow
def test_planted_expressions_are_found_and_a_stopped_run_goes_on_to_the_same_table(
    six_seconds, found_faces, tmp_path, monkeypatch, capsys
):
    root, video = six_seconds
    monkeypatch.setattr(spot, "BLOCK", 2.0)
    main(["spot", str(video), "--out", str(tmp_path / "whole"), "--no-recognise"])
    events = pd.read_csv(tmp_path / "whole" / "events.csv", keep_default_na=False)
    truth = read_manifest(root / "manifest.csv")
    called = events[events["verdict"] != "rejected"]
    for row in truth:
        assert ((called["onset"] < row.offset) & (called["offset"] > row.onset)).any(), row
    assert len(called) <= len(truth) + 1
    said = json.loads((tmp_path / "whole" / "events.json").read_text())
    assert "not an emotion" in said["note"]
    assert [(v["frames"], v["people"]) for v in said["videos"]] == [(90, 1)]

    stopped, whole = people.People.step, people.People.step

    def interrupted(self, index, picture):
        if index == 65:
            raise KeyboardInterrupt
        return stopped(self, index, picture)

    monkeypatch.setattr(people.People, "step", interrupted)
    with pytest.raises(SystemExit, match="the same command goes on"):
        main(["spot", str(video), "--out", str(tmp_path / "parts"), "--no-recognise"])
    seen = []
    monkeypatch.setattr(people.People, "step", lambda s, i, p: (seen.append(i), whole(s, i, p))[1])
    main(["spot", str(video), "--out", str(tmp_path / "parts"), "--no-recognise"])
    assert seen[0] == 60, "two blocks of thirty frames were kept"
    assert (tmp_path / "parts/events.csv").read_bytes() == (tmp_path / "whole/events.csv").read_bytes()
    capsys.readouterr()
    main(["score", str(tmp_path / "whole/events.csv"), "--intervals", str(root / "manifest.csv")])
    assert "total" in capsys.readouterr().out


def test_a_cut_ends_a_track(six_seconds, found_faces, tmp_path):
    _, video = six_seconds
    frames = [frame for _, frame in iter_video(video, 0, 39)]
    other = np.ascontiguousarray(np.roll(frames[0][::-1], 90, axis=1))
    with video_writer(tmp_path / "cut.mp4", 20, (320, 240)) as writer:
        for frame in (*frames[:20], *[other] * 3, *frames[20:]):
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    store = spot.follow(open_source(tmp_path / "cut.mp4"), tmp_path / "work", progress=False)
    first = store.pieces()[0]
    assert (first.end, len(first.curves.light)) == ("cut", 20)


def test_without_a_face_there_is_no_track_and_no_event(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(people, "find_faces", lambda picture: [])
    folder = tmp_path / "frames"
    folder.mkdir()
    for n in range(7, 19):
        write_picture(folder / f"f{n}.png", np.full((60, 80, 3), 9 * n % 255, np.uint8))
    main(["spot", str(folder), "--out", str(tmp_path / "out"), "--fps", "25"])
    said = json.loads((tmp_path / "out" / "events.json").read_text())
    assert said["events"] == said["tracks"] == []
    assert said["videos"][0]["frames"] == 12
    assert list(pd.read_csv(tmp_path / "out" / "events.csv").columns)[:3] == ["video", "track", "onset"]


def test_pictures_of_a_folder_keep_their_numbers_and_are_skipped(tmp_path):
    for n in range(3, 9):
        write_picture(tmp_path / f"f{n}.png", np.full((8, 8, 3), n, np.uint8))
    source = open_source(tmp_path, 10)
    assert [(p.number, round(p.seconds, 3)) for p in source.pictures(4)] == [(7, 0.4), (8, 0.5)]
    assert source.frames == 6


def test_pictures_are_decoded_ahead_and_what_fails_there_is_said(tmp_path):
    for n in range(6):
        write_picture(tmp_path / f"f{n}.png", np.full((8, 8, 3), n, np.uint8))
    (tmp_path / "f3.png").write_bytes(b"no picture")
    pictures = open_source(tmp_path, 10).pictures()
    assert [next(pictures).number for _ in range(3)] == [0, 1, 2]
    with pytest.raises(MerError, match="f3.png"):
        list(pictures)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["nowhere.mp4", "--out", "o"], "nowhere.mp4: no such video or folder"),
        (["--out", "o"], "name videos or folders of frames, or a camera"),
        (["a.mp4", "--out", "o", "--seconds", "5"], "--seconds is for --camera"),
        (["a.mp4", "--out", "o", "--run", "nowhere"], "--run nowhere: no such run or bundle"),
        (["a.mp4", "--out", "o", "--embed", "--no-faces"], "--no-faces leaves the people out"),
        (["a.mp4", "--out", "o", "--run", "r", "--no-recognise"], "leave one out"),
        (["--camera", "97", "--out", "o"], "camera 97: cannot be opened"),
    ],
)
def test_what_cannot_be_read_is_said(line, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=said):
        main(["spot", *line])


@pytest.mark.slow
def test_spotting_with_the_detector(tmp_path):
    """A true run: every micro-expression of 3 pixels among all distractors, at least half of them found."""
    root = write_long(tmp_path / "long", amplitude=3, subjects=1, seconds=30, seed=7, progress=False)
    row = read_manifest(root / "manifest.csv")[0]
    main(["spot", str(root / row.video), "--out", str(tmp_path / "out"), "--no-recognise"])
    table, manifest, out = (
        str(p) for p in (tmp_path / "out/events.csv", root / "manifest.csv", tmp_path / "score.json")
    )
    main(["score", table, "--intervals", manifest, "--out", out])
    said = json.loads((tmp_path / "score.json").read_text())
    assert said["micro"]["recall"] >= 0.5
    assert said["micro"]["precision"] >= 0.5
