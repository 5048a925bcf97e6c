"""Whole clips through tf.data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.tiny_clips import TINY, make_rows

from mer_tf.config import MerError
from mer_tf.records.clip import ClipRecord, process_clip
from mer_tf.records.read import clip_dataset
from mer_tf.records.write import write_records


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, ClipRecord]]:
    root = tmp_path_factory.mktemp("read")
    rows = make_rows(root / "source")
    return write_records(rows, TINY, root, progress=False), {r.clip_id: process_clip(r, TINY) for r in rows}


def test_clips_come_whole_and_in_index_order(stored: tuple[Path, dict[str, ClipRecord]]) -> None:
    dataset = clip_dataset(stored[0], flow=True)
    clips = list(dataset.as_numpy_iterator())
    assert int(dataset.cardinality()) == 6
    assert [c["clip_id"].decode() for c in clips] == sorted(stored[1])
    for clip in clips:
        source = stored[1][clip["clip_id"].decode()]
        np.testing.assert_array_equal(clip["frames"], source.frames)
        np.testing.assert_array_equal(clip["flow"], source.flow)


def test_missing_flow_is_refused(tmp_path: Path) -> None:
    config = TINY.__class__(face="none", size=16, flow="none")
    bare = write_records(make_rows(tmp_path / "s", 2), config, tmp_path, progress=False)
    with pytest.raises(MerError, match="holds no flow"):
        clip_dataset(bare, flow=True)
