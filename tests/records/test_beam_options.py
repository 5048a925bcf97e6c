"""The cluster commands of docs/preprocessing.md: options that the installed Beam knows, and that reach it as given."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.running import mer_tf

from mer_tf.records.beam import pipeline_flags

PAGE = (Path(__file__).parents[2] / "docs" / "preprocessing.md").read_text(encoding="utf-8")


def shown() -> list[list[str]]:
    """The options of each --beam line of the page."""
    (block,) = re.findall(r"<!-- beam -->\n```bash\n(.*?)```", PAGE, flags=re.DOTALL)
    return [line.split("--beam ")[1].split() for line in block.splitlines() if "--beam " in line]


@pytest.mark.parametrize("options", shown(), ids=lambda options: options[0])
def test_beam_knows_every_option(options: list[str]) -> None:
    beam = pytest.importorskip("apache_beam.options.pipeline_options")
    read = beam.PipelineOptions(pipeline_flags(options, workers=1)).get_all_options(drop_default=True)
    for option in options:
        name, value = option.split("=", 1)
        assert str(read[name]) == value


@pytest.mark.parametrize("options", shown(), ids=lambda options: options[0])
def test_the_command_hands_them_on(options: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken = {}

    def write_records(*_: object, **settings: object) -> Path:
        taken.update(settings)
        return tmp_path

    monkeypatch.setattr("mer_tf.records.write.write_records", write_records)
    monkeypatch.setattr("mer_tf.records.inspect.describe", lambda directory: "")
    monkeypatch.setattr("mer_tf.datasets.manifest.read_manifest", lambda path: [])
    mer_tf("preprocess", "--manifest", "m.csv", "--out", "out", "--engine", "beam", "--beam", *options)
    assert taken["engine"] == "beam"
    assert list(taken["beam"]) == options
    assert pipeline_flags(taken["beam"], workers=4) == [f"--{option}" for option in options]


def test_dask_is_known_by_its_short_name_and_gets_a_shard_at_once() -> None:
    whole = "--runner=apache_beam.runners.dask.dask_runner.DaskRunner"
    given = ["runner=DaskRunner", "dask_client_address=tcp://host:8786"]
    assert pipeline_flags(given, 4) == [whole, f"--{given[1]}", "--dask_partition_size=8"]
    assert pipeline_flags([*given, "dask_npartitions=2"], 4) == [whole, f"--{given[1]}", "--dask_npartitions=2"]
