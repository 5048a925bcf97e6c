"""A log gets whole lines, few of them; a terminal gets tqdm's bar."""

import io
import re
from pathlib import Path

import pytest

from mer_tf import progress
from mer_tf.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def stream():
    """A file, as a log is."""
    return io.StringIO()


def test_a_stage_is_one_line_of_a_log(stream):
    with Progress(total=500, desc="features", unit="frame", file=stream) as bar:
        for _ in range(500):
            bar.update()
    assert re.fullmatch(r"features: 500 frames in 00:\d\d\n", stream.getvalue())


def test_a_long_stage_says_where_it_is_now_and_then(stream, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with Progress(total=3, desc="training", unit="epoch", file=stream) as bar:
        bar.set_postfix({"in": "fold 0"}, refresh=False)
        bar.update(2)
    assert re.fullmatch(
        r"training: 2 of 3 epochs in 00:00, 00:00 to go, in=fold 0\ntraining: 2 epochs in 00:00, in=fold 0\n",
        stream.getvalue(),
    )


def test_a_stage_within_another_moves_no_cursor(stream):
    for _ in Progress(range(2), "runs", unit="run", file=stream):
        assert list(Progress(range(2), "clips", unit="clip", file=stream)) == [0, 1]
    assert re.fullmatch(r"(clips: 2 clips in .*\n){2}runs: 2 runs in .*\n", stream.getvalue())


@pytest.mark.parametrize("options", [{"total": 0}, {"total": 9, "disable": True}])
def test_what_does_nothing_says_nothing(stream, options):
    with Progress(desc="training", unit="epoch", file=stream, **options) as bar:
        bar.update(0)
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    list(Progress(range(3), "features", unit="frame", file=stream))
    assert "\r" in stream.getvalue()
    assert "3/3" in stream.getvalue()


def test_all_bars_are_this_one():
    sources = (Path(__file__).parents[1] / "mer_tf").rglob("*.py")
    assert [p.name for p in sources if "import tqdm" in p.read_text(encoding="utf-8")] == ["progress.py"]
