"""One clip, as frames and as video, before the shipped network."""

import json

import cv2
import numpy as np
import pytest
from helpers.running import mer_tf
from helpers.videos import write_video

from mer_tf.au_flow import recogniser
from mer_tf.au_flow.use import read_pair
from mer_tf.config import MerError
from mer_tf.evaluation.calibration import read_calibration
from mer_tf.models.patch_codes import card_of
from mer_tf.preprocessing.frames import read_frame
from mer_tf.synthetic.action_units.geometry import crop_of, geometry_of
from mer_tf.synthetic.action_units.movement import move_units
from mer_tf.synthetic.action_units.rendered import frame_pair
from mer_tf.synthetic.faces.appearance import draw_neutral, make_subject
from mer_tf.synthetic.faces.portraits import load_portraits


@pytest.fixture(autouse=True, scope="module")
def soon_trained():
    """What answers is trained on fewer drawn images than a user's is: seconds, and its own tests take all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recogniser, "DRAWN", 40)
        recogniser.of_drawn.cache_clear()
        yield
    recogniser.of_drawn.cache_clear()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A smile of 3 pixels in frames 11 to 17 of a folder, strongest in frame 15."""
    folder = tmp_path_factory.mktemp("clip") / "frames"
    folder.mkdir()
    rng = np.random.default_rng(2)
    neutral = draw_neutral(make_subject(load_portraits()[0], rng), rng)
    box = crop_of(neutral.points, "tight")
    face = geometry_of(neutral.points, neutral.face_width, box)
    whole = move_units([[6, 12]], face, rng).scaled(np.array([3 / box[2]])).blobs(0, box)
    for number, share in zip(range(11, 18), (0, 0.1, 0.4, 0.7, 1.0, 0.7, 0.4), strict=True):
        frame = frame_pair(neutral, whole.scaled(share), rng, None)[1]
        cv2.imwrite(str(folder / f"img{number:03d}.png"), frame[..., ::-1])
    return folder


def test_a_smile_in_frames_is_positive_and_the_limits_are_said(clip, tmp_path):
    shown = mer_tf("classify", clip, "--out", tmp_path / "out")
    said = json.loads((tmp_path / "out" / "classify.json").read_text())
    assert shown.startswith("positive")
    assert "limit: It was trained on drawn action units alone" in shown
    assert sum(said["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    calibration = read_calibration(card_of("flow-patches-1")["answers_kept_out"]["answers"])
    believed = calibration(np.array([[said["uncalibrated"][name] for name in calibration.classes]]))[0]
    assert [said["probabilities"][name] for name in calibration.classes] == pytest.approx(believed)
    assert "record: positive was right 108 of 152 times on drawn images of a kind that was kept out" in shown
    assert (said["onset"], said["apex_source"]) == (11, "peak")
    assert abs(said["apex"] - 15) <= 1
    assert read_frame(tmp_path / "out" / "flow_image.png").shape == (28, 28, 3)
    assert (tmp_path / "out" / "classify.png").stat().st_size > 10_000


def test_a_video_with_onset_and_apex_given(clip, tmp_path):
    path = write_video(tmp_path / "clip.avi", (cv2.imread(str(frame)) for frame in sorted(clip.iterdir())), "FFV1", 100)
    shown = mer_tf("classify", path, "--out", tmp_path / "out", "--onset", 0, "--apex", 4)
    said = json.loads((tmp_path / "out" / "classify.json").read_text())
    assert shown.startswith("positive")
    assert (said["onset"], said["apex"], said["apex_source"]) == (0, 4, "given")


def test_bad_input_is_named(clip, tmp_path):
    with pytest.raises(MerError, match="has no frame 99 for --apex; its frames are 11 to 17"):
        read_pair(clip, None, 99)
    with pytest.raises(MerError, match="does not come after the onset, frame 14"):
        read_pair(clip, 14, 12)
    with pytest.raises(MerError, match="neither a folder of frames nor a video"):
        read_pair(tmp_path / "none.txt", None, None)
    with pytest.raises(MerError, match="1 frames from 17 on"):
        read_pair(clip, 17, None)
