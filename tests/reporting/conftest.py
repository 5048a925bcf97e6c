"""A run for the report to read."""

import pytest
from reporting.made_up_runs import write_pictures, write_run


@pytest.fixture
def run_directory(tmp_path):
    """A finished run with pictures."""
    directory = write_run(tmp_path / "run")
    write_pictures(directory)
    return directory
