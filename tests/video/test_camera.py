"""A camera: each recording has a name and a folder of its own, and its pictures are kept unless they are not wanted."""

import json
from datetime import datetime

import cv2
import numpy as np
import pandas as pd
import pytest

from mer_tf.cli import main
from mer_tf.video import people, sources

NAME = "camera 0 2031-05-06 07:08:09"


class Camera:
    """What OpenCV opens: the frames of a drawn video as a camera's."""

    frames, reads = (), 0

    def __init__(self, which):
        assert which == 0
        self.place = -1

    def isOpened(self):
        return True

    def get(self, what):
        return 15.0 if what == cv2.CAP_PROP_FPS else 0.0

    def grab(self):
        self.place += 1
        return self.place < len(self.frames)

    def retrieve(self):
        Camera.reads += 1
        return True, self.frames[self.place]

    def release(self):
        pass


@pytest.fixture(scope="module")
def drawn(six_seconds):
    """Frames of four seconds with expressions."""
    capture = cv2.VideoCapture(str(six_seconds[1]))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames[:60]


@pytest.fixture
def camera(drawn, drawn_five, monkeypatch):
    opened = cv2.VideoCapture
    Camera.frames, Camera.reads = drawn, 0
    monkeypatch.setattr(cv2, "VideoCapture", lambda which: Camera(which) if which == 0 else opened(which))
    monkeypatch.setattr(people, "find_faces", lambda picture: [drawn_five])

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2031, 5, 6, 7, 8, 9)

    monkeypatch.setattr(sources, "datetime", Clock)


def spot(out, *more):
    main(["spot", "--camera", "0", "--out", str(out), "--no-recognise", *more])
    return json.loads((out / "events.json").read_text()), (out / "index.html").read_text(encoding="utf-8")


def test_a_recording_has_its_time_as_name_and_the_page_has_its_pictures(camera, drawn, tmp_path, capsys):
    said, text = spot(tmp_path / "out")
    assert f"{NAME}: pictures are kept in {tmp_path}" in capsys.readouterr().out
    assert [v["video"] for v in said["videos"]] == [NAME]
    assert set(pd.read_csv(tmp_path / "out" / "events.csv")["video"]) == {NAME}
    kept = tmp_path / "out" / "camera_0_2031-05-06_07_08_09.avi"
    capture, held = cv2.VideoCapture(str(kept)), []
    while (read := capture.read())[0]:
        held.append(read[1])
    assert len(held) == len(drawn) == 60
    assert np.abs(held[40].astype(int) - drawn[40]).mean() < 3
    assert Camera.reads == 60, "the page is made from what was kept"
    assert text.count("data:image/jpeg") > 3
    assert "pictures are kept in camera_0_2031-05-06_07_08_09.avi" in text
    (player,) = (tmp_path / "out").glob("*-small.webm")
    assert f'src="{player.name}"' in text
    assert '"clip":"camera_0_2031-05-06_07_08_09.avi"' in text


def test_nothing_is_kept_where_that_is_not_wanted_and_a_second_recording_takes_no_other_s_place(camera, tmp_path):
    said, text = spot(tmp_path / "out", "--no-keep")
    assert said["events"]
    assert "Nothing of the camera was kept" in text
    assert "data:image/jpeg" not in text
    assert not [*(tmp_path / "out").glob("*.avi"), *(tmp_path / "out").glob("*.webm")]
    with pytest.raises(SystemExit, match=f"out: holds the result of {NAME}; give a recording a folder of its own"):
        spot(tmp_path / "out")


def test_ctrl_c_ends_a_recording_and_what_was_seen_is_kept(camera, tmp_path, monkeypatch):
    step = people.People.step

    def stopped(self, index, picture):
        if index == 45:
            raise KeyboardInterrupt
        return step(self, index, picture)

    monkeypatch.setattr(people.People, "step", stopped)
    said, text = spot(tmp_path / "out")
    assert said["videos"][0]["frames"] == 45
    assert said["events"]
    assert text.count("data:image/jpeg") > 3
