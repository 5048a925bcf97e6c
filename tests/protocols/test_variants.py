"""Rows of a table, one run each: what goes wrong in one is told with its row."""

from dataclasses import replace

import pytest

from mer_tf.errors import MerError
from mer_tf.protocols.variants import run_variants


@pytest.mark.parametrize(("key", "named"), [(("E/mdmo", "SMIC"), "tables, E/mdmo, SMIC: "), (3, "tables, 3: ")])
def test_the_error_of_a_run_names_its_row(key, named, experiment, tmp_path):
    def run(_):
        raise MerError("s01.bmp: cannot be read; make it again")

    one = replace(experiment, out=str(tmp_path))
    with pytest.raises(MerError, match=f"^{named}s01.bmp: cannot be read; make it again$"):
        run_variants({key: one}, run, "tables")


def test_equal_rows_run_once_where_the_run_is_kept(experiment, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr("mer_tf.protocols.variants.finished_run", lambda _: made[0] if made else None)
    one = replace(experiment, out=str(tmp_path))
    runs = run_variants({"a": one, "b": one}, lambda _: made.append(tmp_path / "run") or made[0], "tables")
    assert runs == dict.fromkeys("ab", tmp_path / "run")
    assert len(made) == 1
