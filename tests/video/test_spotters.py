"""Spotters side by side: what they learn from made-up curves, and the whole experiment on drawn videos of seconds."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.running import EXPERIMENTS, printed

from mer_tf.errors import MerError
from mer_tf.scoring.intervals import Interval
from mer_tf.synthetic.long import write
from mer_tf.video import side_by_side
from mer_tf.video.blocks import Piece
from mer_tf.video.comparison import RATE, DrawnVideos, HoofLstm
from mer_tf.video.hoof_lstm import BINS, HoofLstmSpotter, _oriented, _runs, _windows, hoof
from mer_tf.video.regions import GROUPS, NAMES
from mer_tf.video.side_by_side import compare, followed, left_out
from mer_tf.video.spotters import FlowSpotter, Followed, best_threshold
from mer_tf.video.track import Curves
from mer_tf.video.verdict import UNLIKE, VerdictSpotter

ROOT = Path(__file__).parents[2]
FPS, T = 30.0, 450
TRUE, FALSE = (60, 160, 260, 360), (110, 210, 310, 410)


def made(name, fps=FPS):
    """A video in which the brows rise at TRUE, and at FALSE as far while the chin falls, which no rule rejects."""
    rng, step = np.random.default_rng(len(name)), fps / FPS
    frames = round(T * step)
    positions = rng.normal(0, 0.01, (frames, len(NAMES), 2))
    for place in (*TRUE, *FALSE):
        phase = np.clip((np.arange(frames) - place * step) / (6 * step), -1, 1)
        course = (1 + np.cos(np.pi * phase)) / 2
        positions[:, NAMES.index("brow_inner_left"), 1] -= course
        if place in FALSE:
            positions[:, NAMES.index("cheek_left"), 0] += 2 * course
    still = np.zeros((frames, 2))
    curves = Curves(0, positions.astype(np.float32), still, np.full(frames, 120.0), np.zeros(frames, np.float32))
    true = [Interval(name, round((p - 6) * step), round((p + 6) * step), "micro") for p in TRUE]
    return Followed(name, name, fps, [Piece(1, curves, "end")], true)


VIDEOS = [made(name) for name in ("a", "bb", "ccc")]


@pytest.mark.slow
def test_a_learned_verdict_rejects_what_the_rules_let_pass():
    flow = left_out(FlowSpotter(), VIDEOS)
    learned = left_out(VerdictSpotter(), VIDEOS)
    assert len(flow) == 24
    assert len(learned) == 12
    assert all(max(one.iou(true) for video in VIDEOS for true in video.true) > 0.5 for one in learned)


@pytest.mark.slow
def test_what_is_rejected_by_what_was_learned_says_so():
    spotter = VerdictSpotter()
    spotter.fit(VIDEOS)
    _, scene, found = VIDEOS[0].seen[0]
    assert {spotter.verdict.judge(one, scene) for one in found} == {"", UNLIKE}
    with pytest.raises(MerError, match="every one, is an expression"):
        spotter.fit([replace(video, true=[]) for video in VIDEOS])


@pytest.mark.slow
def test_the_lstm_learns_where_the_expressions_are_at_any_frame_rate():
    spotter = HoofLstmSpotter(HoofLstm(window=2, units=8, dropout=0, epochs=25, batch_size=8, learning_rate=0.02))
    spotter.fit(VIDEOS)
    for video in (VIDEOS[0], made("a", 60.0)):
        found = spotter.spot(video)
        assert sum(max((f.iou(t) for f in found), default=0) > 0.3 for t in video.true) >= 3
        assert len(found) <= 6


def test_hoof_keeps_direction_and_length():
    shares = _oriented(np.array([[[3.0, 0.0], [0.0, 2.0], [-1.0, 1.0]]]))
    assert shares.sum(axis=1)[0, [0, 2, 3]] == pytest.approx([3, 2, 2**0.5])
    piece = VIDEOS[0].pieces[0]
    assert hoof(piece, FPS).shape == (round(T * RATE / FPS), len(GROUPS) * 2 * BINS)


def test_windows_cover_all_frames_and_runs_end():
    windows, places = _windows(np.arange(11.0)[:, None], 4)
    assert places == [0, 2, 4, 6, 7]
    assert windows.shape == (5, 4, 1)
    assert _windows(np.ones((2, 1)), 4)[0].shape == (1, 4, 1)
    assert _runs(np.array([True, False, True, True])) == [(0, 1), (2, 4)]


def test_of_thresholds_that_score_alike_the_middle_one():
    assert best_threshold(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.2, 0.5, 0.5, 0.5])) == 0.3


def test_one_subject_is_too_few():
    with pytest.raises(MerError, match="videos of 2 or more"):
        left_out(FlowSpotter(), VIDEOS[:1])


def test_frames_of_a_folder_count_from_its_first_number():
    video = replace(VIDEOS[0], first=7)
    assert {one.onset - 7 for one in FlowSpotter().spot(video)} == {one.onset for one in FlowSpotter().spot(VIDEOS[0])}


@pytest.fixture
def no_reading(monkeypatch):
    """Drawn videos are as many bytes as their plan, and are followed to made-up curves."""
    drawn = lambda path, video, arguments: (path.parent.mkdir(parents=True, exist_ok=True), path.write_bytes(b"x"))  # noqa: E731
    monkeypatch.setattr(write, "_write_video", drawn)
    monkeypatch.setattr(side_by_side, "followed", lambda rows, work: VIDEOS)


@pytest.mark.slow
def test_the_experiment_writes_its_table_with_what_is_printed_elsewhere(no_reading, tmp_path):
    declared = runpy.run_path(str(ROOT / "experiments" / "exp10_spotting.py"))["SPOTTING"]
    small = HoofLstm(window=2, units=2, epochs=1)
    drawn = DrawnVideos(subjects=2, seconds=6, fps=10)
    shown = compare(replace(declared, lstm=small, drawn=drawn, recognise=False, out=str(tmp_path)))
    (run,) = (tmp_path / "exp10_spotting").glob("2*")
    table = pd.read_csv(run / "spotting.csv")
    assert set(table["dataset"]) == {"casme-sq", "samm-lv"}
    assert {"flow", "HOOF + LSTM", "flow, verdict learned"} < set(table["spotter"])
    assert set(table["data"]) == {"drawn", "printed"}
    assert table[table["data"] == "printed"]["F1"].max() == 0.4717
    assert "unsolved" in shown


@pytest.mark.slow
def test_the_experiment_from_drawing_to_strs(tmp_path):
    options = ["--drawn.seconds", "8", "--drawn.subjects", "2", "--drawn.fps", "20", "--drawn.amplitude", "4"]
    script = EXPERIMENTS / "exp10_spotting.py"
    printed(script, *options, "--lstm.epochs", "2", "--lstm.units", "4", cwd=tmp_path)
    (run,) = (tmp_path / "runs" / "exp10_spotting").glob("2*")
    table = pd.read_csv(run / "spotting.csv").set_index(["data", "dataset", "spotter", "kind"])
    flow = table.loc[("drawn", "casme-sq", "flow", "total")]
    assert flow["F1"] >= 0.5
    assert flow["STRS"] >= 0
    assert len(pd.read_csv(run / "intervals.csv")) >= flow["found"]


def test_true_positives_are_recognised_for_strs(monkeypatch):
    video = replace(VIDEOS[0], true=[replace(one, emotion="surprise") for one in VIDEOS[0].true])
    given = iter(["surprise", "surprise", "negative", ""])
    monkeypatch.setattr(side_by_side, "emotion_of", lambda path, one: next(given))
    result = side_by_side.recognised([video], {"a": Path()}, video.true)
    assert result.counts["total"].f1 == 1
    assert result.strs == pytest.approx(0.8)  # two of three; a class that no face shows does not count


def test_videos_without_expressions_are_read_too(tmp_path, monkeypatch):
    monkeypatch.setattr(
        write, "_write_video", lambda path, *_: (path.parent.mkdir(parents=True, exist_ok=True), path.touch())
    )
    rows = side_by_side.drawn_rows("samm-lv", DrawnVideos(subjects=4, seconds=6, fps=10), tmp_path)
    monkeypatch.setattr(
        side_by_side, "open_source", lambda path, fps: type("S", (), {"name": str(path), "fps": fps, "path": None})()
    )
    monkeypatch.setattr(side_by_side, "follow", lambda source, work: type("S", (), {"pieces": list})())
    videos = followed(rows, tmp_path)
    assert len(videos) == 4
    assert [bool(video.true) for video in videos].count(False) == 1
    assert all(video.subject.startswith("samm/") for video in videos)
