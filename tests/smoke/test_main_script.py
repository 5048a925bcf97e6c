"""The README's main script as a user starts it: a process of its own, in an empty folder."""

import pandas as pd
import pytest
from helpers.run_checks import is_complete, predicts_every_clip_once
from helpers.running import EXP2, SHALLOW, TINY, last_directory, process


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The finished process and its working folder."""
    folder = tmp_path_factory.mktemp("exp2")
    done = process(EXP2, *TINY, *SHALLOW, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return done, folder


@pytest.fixture(scope="module")
def run(ran):
    """The run directory that the script's last line names."""
    done, folder = ran
    return last_directory(done.stdout, folder)


def test_the_last_line_names_a_complete_run_directory(run):
    is_complete(run, EXP2.stem)
    pictures = run / "pictures"
    listed = pd.read_csv(pictures / "pictures.csv")["file"]
    assert len(listed) == 1 + 4, "a clip of each class, and before and after training"
    assert all((pictures / file).exists() for file in listed)


def test_every_clip_is_predicted_exactly_once_and_subjects_stay_apart(run):
    predicts_every_clip_once(run)


def test_tensorflow_writes_nothing_between_the_answers(ran):
    lines = [
        line for line in ran[0].stderr.splitlines() if any(word in line for word in ("cuda", "CUDA", "absl", ".cc:"))
    ]
    assert lines == []
