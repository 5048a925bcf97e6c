"""Ready-made images of another size, or that cannot be read, are left out by name; nothing else is lost."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.preparation import index_images


def images(folder, sizes):
    """One row a size (height, width); None is a file that is no image."""
    rows = []
    for k, size in enumerate(sizes):
        data = b"no image" if size is None else cv2.imencode(".png", np.full((*size, 3), k, np.uint8))[1].tobytes()
        (folder / f"{k}.png").write_bytes(data)
        given = ("flow-images", f"smic/s{k}", "", str(folder), "", "", 0, None, 0, 100.0, "negative", "", "")
        rows.append(ClipRow(f"flow-images/{k}", *given, image=f"{k}.png"))
    return rows


def test_one_odd_image_and_one_broken_one_are_named(tmp_path):
    clips, faults = index_images(images(tmp_path, [(28, 28), (28, 28), (30, 28), None, (28, 28)]))
    assert [c.clip_id for c in clips] == ["flow-images/0", "flow-images/1", "flow-images/4"]
    assert "3.png" in faults[0]
    assert faults[1] == "clip flow-images/2: its image is 28 x 30, those of most are 28 x 28"


@pytest.mark.parametrize("sizes", [[(28, 28), (30, 30)], [(4, 4), (5, 5), (6, 6)], [(4, 4)] * 2 + [(4, 5)] * 2])
def test_sizes_of_which_none_is_that_of_most_are_refused(tmp_path, sizes):
    with pytest.raises(MerError, match="images of several sizes .* bring them all to one size"):
        index_images(images(tmp_path, sizes))


def test_images_of_which_none_can_be_read_are_refused(tmp_path):
    with pytest.raises(MerError, match="none of 2 images can be read; the first: "):
        index_images(images(tmp_path, [None, None]))


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from([(4, 4), (4, 5), None]), min_size=1, max_size=7))
def test_images_that_are_kept_have_one_size_and_no_clip_is_lost_in_silence(tmp_path_factory, sizes):
    rows = images(tmp_path_factory.mktemp("sizes"), sizes)
    try:
        clips, faults = index_images(rows)
    except MerError:
        return
    assert len({sizes[int(c.clip_id.split("/")[1])] for c in clips}) == 1
    assert len(clips) + len(faults) == len(rows)
