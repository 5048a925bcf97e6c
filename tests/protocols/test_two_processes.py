"""One run, one fold and one cache have one writer: a second process is refused, or waits for the first."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers.another_process import holding
from helpers.running import EXP2, printed
from helpers.tiny_run import TINY

from mer_tf.config import Experiment, MerError
from mer_tf.files import write_json
from mer_tf.inputs.feature_cache import encode_clips
from mer_tf.models.encoders.weight_files import download_weights
from mer_tf.protocols.cross_validation import cross_validate
from mer_tf.records.index import IndexedClip
from mer_tf.runner import collect, run


@pytest.mark.usefixtures("quick")
def test_a_fold_that_another_process_trains_is_refused_and_others_are_not(make_bench, tmp_path: Path) -> None:
    bench, _ = make_bench()
    with holding(tmp_path / "fold-1"):
        cross_validate(bench, tmp_path, {0})
        with pytest.raises(MerError, match="fold-1 is being written by another process; wait for it to end"):
            cross_validate(bench, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) in (["fold-0"], [".fold-1.lock", "fold-0"])
    cross_validate(bench, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fold-0", "fold-1", "fold-2"]


def test_a_run_that_another_process_has_in_hand_is_refused(tmp_path: Path) -> None:
    experiment = Experiment(name="x")
    directory = tmp_path / "run"
    write_json(directory / "config.json", {"experiment": dataclasses.asdict(experiment)})
    with holding(directory):
        with pytest.raises(MerError, match="run is being written by another process; wait"):
            run(experiment, directory)
        with pytest.raises(MerError, match="run is being written by another process; wait"):
            collect(directory)
    assert [p.name for p in directory.iterdir()] == ["config.json"]


def test_features_that_another_process_computes_are_waited_for_and_then_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image = keras.Input((4, 4, 3))
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    shown = np.zeros((3, 4, 4, 3), np.uint8)
    clips = {IndexedClip("c", "toy", "toy/s1", "", 3, 100.0, "", hashlib.sha256(b"c").hexdigest()): 1}
    folder = tmp_path / "features"
    with holding(folder, "time.sleep(0.5); Path('let-go').touch()") as other:
        assert other.stdin is not None
        print(file=other.stdin, flush=True)
        encode_clips(lambda: [("c", shown)], clips, encoder, folder)
        assert (tmp_path / "let-go").exists()
    with holding(folder):  # what is whole is read by as many as like
        encode_clips(lambda: [], clips, encoder, folder)


def test_a_download_waits_for_another_and_takes_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MER_TF_WEIGHTS", str(tmp_path))
    monkeypatch.delattr("urllib.request.urlopen")
    name = "rcmalli_vggface_tf_notop_vgg16.h5"
    with holding(tmp_path / name, f"time.sleep(0.3); Path({str(tmp_path / name)!r}).write_bytes(b'weights')") as other:
        assert other.stdin is not None
        print(file=other.stdin, flush=True)
        assert download_weights(name, limit=60).read_bytes() == b"weights"
    with holding(tmp_path / "rcmalli_vggface_tf_vgg16.h5"), pytest.raises(MerError, match="by another process"):
        download_weights("rcmalli_vggface_tf_vgg16.h5", limit=0.2)


@pytest.mark.slow
def test_of_two_processes_that_go_on_with_a_run_one_does(tmp_path: Path) -> None:
    """As users start them, both at once; a fold that another process trains is refused above."""
    begun = printed(EXP2, *TINY, f"--data.cache={tmp_path / 'cache'}", "--folds=none", cwd=tmp_path)
    directory = begun.split()[-1]
    command = [sys.executable, str(EXP2), "--resume", directory]
    started = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=600)[1] for one in started]
    (code, _), (other, second) = sorted((one.returncode, text) for one, text in zip(started, said, strict=True))
    assert (code, other) == (0, 1), said
    assert second.rstrip().endswith("is being written by another process; wait for it to end")
    assert (tmp_path / directory / "metrics.json").exists()
