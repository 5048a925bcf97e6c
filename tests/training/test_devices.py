"""A batch shared among devices: the training of one device, on virtual CPUs of processes of their own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers.two_devices import train

from mer_tf.config import MerError, Train
from mer_tf.models.xla import by_xla
from mer_tf.training.devices import scope_of

TESTS = Path(__file__).parents[1]
TENSORFLOW = keras.backend.backend() == "tensorflow"
TRIED = ("cnn_lstm_fusion",) if TENSORFLOW else ("cnn_lstm_fusion", "gia_bia_bilstm", "vggface_lstm")
"""One of two stages, one of several inputs, one with batch statistics, which TensorFlow would take of each share."""
PARALLEL = Train(data_parallel=True)


def trained(name: str, devices: int, folder: Path) -> dict[str, np.ndarray]:
    """On one device here, on several in a process of its own."""
    file = folder / f"{devices}.npz"
    if devices == 1:
        train(name, str(file))
    else:
        done = start(name, devices, file)
        assert done.returncode == 0, done.stderr[-3000:]
    with np.load(file, allow_pickle=False) as values:
        return dict(values)


def start(name: str, devices: int, file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "helpers.two_devices", name, str(devices), str(file)]
    environment = os.environ | {"KERAS_BACKEND": keras.backend.backend()}
    return subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIED)
def test_two_devices_train_as_one(name: str, tmp_path: Path) -> None:
    one, two = (trained(name, devices, tmp_path) for devices in (1, 2))
    assert (int(one.pop("devices")), int(two.pop("devices"))) == (1, 2)
    assert list(one) == list(two)
    for what, value in one.items():
        np.testing.assert_allclose(two[what], value, rtol=1e-4, atol=1e-5, err_msg=what)


@pytest.mark.slow
@pytest.mark.skipif(not TENSORFLOW, reason="JAX normalises over the whole batch")
def test_statistics_of_one_share_are_refused(tmp_path: Path) -> None:
    done = start("vggface_lstm", 2, tmp_path / "2.npz")
    assert done.returncode == 1
    assert "MerError: train.data_parallel: fc1_bn, fc2_bn would see one device's share" in done.stderr


def test_a_batch_is_shared_equally(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0", "gpu:1", "gpu:2"])
    with pytest.raises(MerError, match="batch_size=20 is no multiple of the 3 devices"):
        scope_of(PARALLEL)


def test_one_device_trains_as_ever_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    with caplog.at_level(logging.WARNING), scope_of(PARALLEL)():
        assert "one device, gpu:0" in caplog.text
    caplog.clear()
    with scope_of(replace(PARALLEL, data_parallel=False))():
        assert caplog.text == ""


@pytest.mark.parametrize("asked", [True, False])
def test_xla_is_used_as_asked(asked: bool) -> None:
    assert by_xla(asked, faster_on_cpu=not asked) is asked


@pytest.mark.parametrize(
    ("devices", "faster", "chosen"),
    [(["cpu:0"], True, True), (["cpu:0"], False, False), (["cpu:0", "gpu:0"], False, True), (["cuda:0"], False, True)],
)
def test_auto_goes_by_device_and_by_what_was_measured(
    monkeypatch: pytest.MonkeyPatch, devices: list[str], faster: bool, chosen: bool
) -> None:
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: devices)
    assert by_xla("auto", faster) is chosen
