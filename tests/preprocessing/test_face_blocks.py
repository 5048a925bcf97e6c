"""Face blocks: the published sets on the canonical face, other sets from a file, and what is wrong with a row."""

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.files import facts
from mer_tf.preprocessing.face_blocks import load_blocks, mirrored
from mer_tf.preprocessing.landmarks import canonical_landmarks

HEADER = "name,landmarks,dx,dy,region,source\n"


def written(tmp_path, text, header=HEADER):
    path = tmp_path / "mine.csv"
    path.write_text(header + text)
    return str(path)


@pytest.mark.parametrize(("name", "count"), [("24", 24), ("10", 10), ("none", 0)])
def test_published_sets(name, count):
    blocks = load_blocks(name)
    assert len(blocks.names) == len(set(blocks.names)) == len(blocks.regions) == count
    assert blocks.weights.shape == (count, 68)
    assert blocks.weights.sum(axis=1) == pytest.approx(np.ones(count))


def test_regions_lie_where_they_are_said_to():
    for name in ("24", "10"):
        blocks = load_blocks(name)
        centres, regions = blocks.centres(canonical_landmarks()), np.array(blocks.regions)
        height = {region: centres[regions == region, 1] for region in set(regions)}
        assert height["brow"].max() < height["nose"].max() < height["mouth"].min()
        assert height["brow"].max() < height["cheek"].min()
        assert ((centres > 0.1) & (centres < 0.99)).all()


def test_24_blocks_are_those_of_gacnn():
    rows = facts("face_blocks.csv").query("set == '24'")
    single = [18, 21, 22, 25, 38, 36, 43, 45, 27, 29, 48, 50, 52, 54, 58, 56]
    assert rows["landmarks"].tolist()[:16] == [str(p) for p in single]
    assert set(rows["landmarks"][16:22]) == {"23+25", "42+45", "18+20", "36+39", "17+58", "26+56"}
    shifted = load_blocks("24").offsets[22:] * 224
    assert shifted == pytest.approx(np.array([[-16, -16], [16, -16]]))


def test_centre_is_the_mean_of_landmarks_and_an_offset(tmp_path):
    points = np.random.default_rng(0).uniform(0, 1, (3, 68, 2))
    blocks = load_blocks(written(tmp_path, "a,3+5+67,22.4,-44.8,eye,x\nb,0,0,0,jaw,x\n"))
    expected = points[:, [3, 5, 67]].mean(axis=1) + np.array([0.1, -0.2])
    assert blocks.centres(points) == pytest.approx(np.stack([expected, points[:, 0]], axis=1))
    assert blocks.regions == ("eye", "jaw")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,68,0,0,eye,x\n", r"mine.csv, row 2 \(a\): landmarks \[68\] are not among 0 to 67"),
        ("a,3,0,0,eye,x\nb,3;4,0,0,eye,x\n", r"row 3 \(b\): .*joined by \+"),
        ("a,3,left,0,eye,x\n", r"row 2 \(a\): .*dx and dy pixels"),
        ("a,3,inf,0,eye,x\n", r"row 2 \(a\): dx and dy are pixels"),
        ("a,3,300,0,eye,x\n", r"face 224 wide, got 300"),
        ("a,3,0,0,eye,x\na,4,0,0,eye,x\n", "a is listed twice"),
        ("", "lists no block"),
    ],
)
def test_a_bad_row_is_named(tmp_path, text, said):
    with pytest.raises(MerError, match=said):
        load_blocks(written(tmp_path, text))


def test_unknown_sets_and_files_are_named(tmp_path):
    with pytest.raises(MerError, match="one of 24, 10, none, or a .csv file"):
        load_blocks("11")
    with pytest.raises(MerError, match="no such file"):
        load_blocks(str(tmp_path / "lost.csv"))
    with pytest.raises(MerError, match="lacks the columns landmarks"):
        load_blocks(written(tmp_path, "a,0,0,eye,x\n", "name,dx,dy,region,source\n"))


def test_a_mirrored_face_has_its_landmarks_in_the_usual_order():
    face = canonical_landmarks()  # symmetric but for the rounding of its table
    assert mirrored(face) == pytest.approx(face, abs=1e-3)
    uneven = face.copy()
    uneven[36] = (0.2, 0.3)  # outer corner of the eye on the left of the image
    assert mirrored(uneven)[45] == pytest.approx((0.8, 0.3))
    assert mirrored(mirrored(uneven)) == pytest.approx(uneven)
