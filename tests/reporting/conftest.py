"""A run for the report to read."""

import pytest
from helpers.made_up_runs import write_pictures, write_run


@pytest.fixture
def run_directory(tmp_path):
    """A finished run with pictures."""
    directory = write_run(tmp_path / "run")
    write_pictures(directory)
    return directory


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """The same for those that change nothing in it."""
    directory = write_run(tmp_path_factory.mktemp("reporting") / "run")
    write_pictures(directory)
    return directory
