"""A run whose data cannot be had leaves no directory behind; one that was begun before stays as it is."""

import logging

import pytest
from helpers.own_folders import small_experiment

from mer_tf.errors import MerError
from mer_tf.run_directory import log_to, open_run, preparing
from mer_tf.runner import run


@pytest.fixture
def refused(monkeypatch):
    """Preparing the clips ends with an error."""

    def prepare(*_):
        raise MerError("no face in any clip")

    monkeypatch.setattr("mer_tf.inputs.clips.prepare_clips", prepare)


@pytest.fixture
def experiment(own_tree, tmp_path):
    return small_experiment(own_tree, tmp_path / "encoder.keras", tmp_path)


def test_a_failed_start_leaves_no_directory(refused, experiment, tmp_path):
    (tmp_path / "encoder.keras").touch()
    with pytest.raises(MerError, match="no face in any clip"):
        run(experiment)
    assert not list(tmp_path.rglob("config.json"))
    assert not list(tmp_path.rglob("run.log"))


def test_a_run_that_was_begun_stays(experiment):
    directory = open_run(experiment, None)
    log_to(directory)
    with pytest.raises(MerError), preparing(directory, resumed=True):
        raise MerError("gone")
    assert (directory / "run.log").exists()
    with pytest.raises(MerError), preparing(directory, resumed=False):
        raise MerError("gone")
    assert not directory.exists()
    assert not any(isinstance(h, logging.FileHandler) for h in logging.getLogger().handlers)
