"""Windows cut by slices: the entries that plain numbering gives, from any view of a clip."""

import numpy as np
import pytest

from mer_tf.inputs.batches import fill

CLIP = np.arange(2 * 12 * 3).reshape(12, 2, 3)
VIEWS = {"whole": CLIP, "mirror": CLIP[:, ::-1], "every second": CLIP[::2], "one": CLIP[:1]}


@pytest.mark.parametrize("step", [1, 2, 5])
@pytest.mark.parametrize("start", [-9, -2, 0, 3, 11, 40])
@pytest.mark.parametrize("view", VIEWS)
def test_entries_beyond_the_ends_repeat_them(view, start, step):
    clip, out = VIEWS[view], np.full((6, 2, 3), -1)
    fill(out, clip, start, step)
    assert (out == clip[np.clip(start + step * np.arange(6), 0, len(clip) - 1)]).all()
