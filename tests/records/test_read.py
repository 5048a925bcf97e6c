"""Whole clips and planned windows through tf.data."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.tiny_clips import LENGTHS, TINY, make_rows

from mer_tf.config import MerError
from mer_tf.datasets.windows import Window
from mer_tf.records.clip import ClipRecord, process_clip
from mer_tf.records.read import clip_dataset, window_dataset
from mer_tf.records.write import write_records

N = 5
LABELS = {f"toy/c{i:02d}": i for i in range(6)}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, ClipRecord]]:
    root = tmp_path_factory.mktemp("read")
    rows = make_rows(root / "source")
    return write_records(rows, TINY, root, progress=False), {r.clip_id: process_clip(r, TINY) for r in rows}


CUT = [Window(clip, start, copy) for clip, start in (("toy/c00", 2), ("toy/c00", 0), ("toy/c03", 0)) for copy in (0, 1)]


@pytest.fixture(scope="module")
def cut(stored: tuple[Path, dict[str, ClipRecord]]) -> Any:
    """The windows of CUT, in order."""
    return batches(stored, CUT, shuffle=False, flow=True)


@pytest.fixture(scope="module")
def cut_arrays(cut: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Inputs and labels of the windows of CUT."""
    (inputs, labels), (more, others) = cut.as_numpy_iterator()
    return {k: np.concatenate([v, more[k]]) for k, v in inputs.items()}, np.concatenate([labels, others])


def every_window() -> list[Window]:
    """All starts of all clips, each plain and mirrored, one of them three times."""
    starts = [(f"toy/c{i:02d}", s) for i, n in enumerate(LENGTHS) for s in range(max(1, n - N + 1))]
    return [Window(c, s, m) for c, s in starts for m in (False, True)] + [Window("toy/c01", 0, False)] * 2


def batches(stored: tuple[Path, Any], plan: list[Window], seed: int = 0, **options: Any) -> Any:
    return window_dataset(stored[0], plan, labels=LABELS, frames=N, batch_size=4, seed=seed, **options)


def keys(dataset: Any) -> list[bytes]:
    """What tells windows apart, in the order they come."""
    return [
        f.tobytes() + bytes([label])
        for x, y in dataset.as_numpy_iterator()
        for f, label in zip(x["frames"], y, strict=True)
    ]


def expected(clip: ClipRecord, window: Window) -> dict[str, np.ndarray]:
    """The window cut with numpy."""
    places = np.arange(window.start, window.start + N)
    mask = places < len(clip.frames)
    frames = clip.frames[np.minimum(places, len(clip.frames) - 1)]
    assert clip.flow is not None
    flow = clip.flow[np.minimum(places[:-1], len(clip.flow) - 1)] * mask[1:, None, None, None]
    onset = clip.frames[:1]
    if window.copy:
        frames, onset, flow = frames[:, :, ::-1], onset[:, :, ::-1], flow[:, :, ::-1] * np.array([-1, 1], np.float16)
    return {"frames": frames, "onset": onset, "flow": flow, "mask": mask}


def test_clips_come_whole_and_in_index_order(stored: tuple[Path, dict[str, ClipRecord]]) -> None:
    dataset = clip_dataset(stored[0], flow=True)
    clips = list(dataset.as_numpy_iterator())
    assert int(dataset.cardinality()) == 6
    assert [c["clip_id"].decode() for c in clips] == sorted(stored[1])
    for clip in clips:
        source = stored[1][clip["clip_id"].decode()]
        np.testing.assert_array_equal(clip["frames"], source.frames)
        np.testing.assert_array_equal(clip["flow"], source.flow)


def test_each_window_is_cut_mirrored_and_padded_as_planned(
    stored: tuple[Path, dict[str, ClipRecord]], cut_arrays: tuple[dict[str, np.ndarray], np.ndarray]
) -> None:
    inputs, labels = cut_arrays
    assert labels.tolist() == [0, 0, 0, 0, 3, 3]
    assert labels.dtype == np.int32
    assert {name: value.dtype.name for name, value in inputs.items()} == {
        "frames": "uint8",
        "onset": "uint8",
        "mask": "bool",
        "flow": "float16",
    }
    for i, window in enumerate(CUT):
        for name, value in expected(stored[1][window.clip_id], window).items():
            np.testing.assert_array_equal(inputs[name][i], value, err_msg=f"{name} of {window}")
    assert inputs["mask"][4].tolist() == [True, True, True, False, False]


def test_a_mirrored_window_moves_the_other_way(cut_arrays: tuple[dict[str, np.ndarray], np.ndarray]) -> None:
    """The flow of the mirrored frames, not only the flow mirrored: the toy clips move to the right."""
    plain, mirrored = (float(cut_arrays[0]["flow"][i, :, 4:-4, 4:-4, 0].mean()) for i in (2, 3))
    assert plain > 0.1
    assert mirrored == pytest.approx(-plain, rel=1e-2)


def test_each_window_once_an_epoch_clips_mixed_and_order_by_seed(stored: tuple[Path, dict[str, ClipRecord]]) -> None:
    plan = every_window()
    plain = keys(batches(stored, plan, shuffle=False))
    dataset = batches(stored, plan)
    gc.collect()
    first, second = keys(dataset), keys(dataset)
    again, other = keys(batches(stored, plan)), keys(batches(stored, plan, seed=1))
    assert int(dataset.cardinality()) == -(-len(plan) // 4)
    assert Counter(plain) == Counter(first) == Counter(second) == Counter(other)
    assert len(plain) == len(plan)
    assert first == again
    assert len({tuple(order) for order in (plain, first, second, other)}) == 4
    labels = [window[-1] for window in first]
    assert np.mean(np.diff(labels) == 0) < 0.5, "neighbours are of one clip too often"


def test_only_planned_clips_come_and_repeat_goes_on(stored: tuple[Path, dict[str, ClipRecord]]) -> None:
    plan = [Window("toy/c02", 0, False), Window("toy/c05", 0, True)]
    dataset = batches(stored, plan, repeat=True)
    labels = np.concatenate([y for _, y in dataset.take(5).as_numpy_iterator()])
    assert len(labels) == 20
    assert Counter(labels.tolist()) == {2: 10, 5: 10}


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (Window("toy/c99", 0, False), "planned but not stored"),
        (Window("toy/c03", 3, False), "no window starts at 3"),
        (Window("toy/c03", -1, False), "no window starts at -1"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(stored: tuple[Path, Any], window: Window, reason: str) -> None:
    with pytest.raises(MerError, match=reason):
        batches(stored, [window])


def test_missing_labels_flow_and_windows_are_refused(stored: tuple[Path, Any], tmp_path: Path) -> None:
    with pytest.raises(MerError, match="has no label"):
        window_dataset(stored[0], [Window("toy/c00", 0, False)], labels={}, frames=N, batch_size=2, seed=0)
    with pytest.raises(MerError, match="no window"):
        batches(stored, [])
    config = TINY.__class__(face="none", size=16, flow="none")
    bare = write_records(make_rows(tmp_path / "s", 2), config, tmp_path, progress=False)
    with pytest.raises(MerError, match="holds no flow"):
        clip_dataset(bare, flow=True)


def test_a_model_with_convolutions_can_be_traced(cut: Any) -> None:
    """Time and image have their sizes before the first batch is read; only the batch's own is open."""
    inputs, label = cut.element_spec
    shapes = {name: tuple(spec.shape) for name, spec in inputs.items()}
    image = (TINY.size, TINY.size)
    assert shapes["frames"] == (None, N, *image, 3)
    assert shapes["onset"][2:] == (*image, 3)
    assert shapes["flow"] == (None, N - 1, *image, 2)
    assert tuple(shapes["mask"]) == (None, N)
    assert tuple(label.shape) == (None,)


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_second_frame_beside_every_frame(stored: tuple[Path, Any], shuffle: bool) -> None:
    plan = [Window("toy/c00", 1, 0, 2), Window("toy/c00", 0), Window("toy/c04", 4, 0, 2)]
    found = {}
    for inputs, _ in batches(stored, plan, shuffle=shuffle).as_numpy_iterator():
        found |= {f.tobytes(): m.tolist() for f, m in zip(inputs["frames"], inputs["mask"], strict=True)}
    for window in plan:
        clip = stored[1][window.clip_id].frames
        places = window.start + window.step * np.arange(N)
        assert found[clip[np.minimum(places, len(clip) - 1)].tobytes()] == (places < len(clip)).tolist()
