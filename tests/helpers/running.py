"""Experiments and commands on tiny clips: in a process of their own, or in this one, which knows TensorFlow already."""

import io
import runpy
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from functools import partial
from pathlib import Path

import pytest

from mer_tf import cli
from mer_tf.cli import script

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
EXP2 = EXPERIMENTS / "exp2_vggface_lstm.py"
FEW = ("--data.subjects=2", "--data.clips_per_class=1", "--evaluation.folds=2")
TINY = (
    *FEW,
    "--data.label_protocol=smic-4",
    "--clip.stride=12",
    "--clip.non_micro_stride=12",
    "--model.encoder=mtcnn-onet",
    "--model.lstm_units=8",
    "--train.epochs=1",
    "--train.stream_epochs=1",
    "--train.jit_compile=False",
)
LACKS = {"exp1_vggface_frames": "--model.lstm_units=8", "exp4_cnn_lstm_fusion": "--model.encoder=mtcnn-onet"}
"""What of TINY the model of a script has not."""
SHALLOW = ("--model.lstm_layers=1", "--model.embedding=8")
"""For exp2: its graph takes half as long to trace."""
CLIPS = 2 * 4
"""What TINY draws: two subjects, four classes."""


def tiny(script):
    """TINY, as far as the model of the script has its settings."""
    return [option for option in TINY if option != LACKS.get(script.stem)]


def process(script, *arguments, cwd):
    """A script as a user starts it: a process of its own, which has ended."""
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=800)


def printed(path, *arguments, cwd):
    """What a script prints, run in this process as if it had been started in `cwd`."""
    with pytest.MonkeyPatch.context() as patch:
        for main in (script.main, script.pretrain_main, script.spotting_main):
            patch.setattr(script, main.__name__, partial(main, arguments=[str(a) for a in arguments]))
        return _printed(lambda: runpy.run_path(str(path), run_name="__main__"), cwd)


def mer_tf(*arguments, cwd=None):
    """What a command of mer-tf prints, run in this process as if it had been started in `cwd`."""
    return _printed(lambda: cli.main([str(a) for a in arguments]), cwd or Path.cwd())


def _printed(main, cwd):
    """Where `main` ends with an exit status, what it printed goes to stdout, for capsys."""
    try:
        with chdir(cwd), redirect_stdout(io.StringIO()) as shown:
            main()
    except SystemExit:
        print(shown.getvalue(), end="")
        raise
    return shown.getvalue()


def last_directory(text, cwd, kind="run"):
    """The directory that the last line of what was printed names."""
    return cwd / text.strip().splitlines()[-1].removeprefix(f"{kind} directory: ")
