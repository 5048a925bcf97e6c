"""Threads write the records that one process writes, byte for byte."""

from pathlib import Path

from helpers.tiny_clips import TINY

from mer_tf.datasets.manifest import ClipRow
from mer_tf.records.write import write_records


def test_threads_write_the_same_bytes(rows: list[ClipRow], tmp_path: Path) -> None:
    alone, beside = (
        write_records(rows, TINY, tmp_path / str(number), workers=number, engine=engine, progress=False)
        for number, engine in ((1, "local"), (3, "threads"))
    )
    names = sorted(path.name for path in alone.iterdir())
    assert names == sorted(path.name for path in beside.iterdir())
    assert all((alone / name).read_bytes() == (beside / name).read_bytes() for name in names)
