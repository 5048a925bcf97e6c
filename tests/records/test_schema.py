"""A clip comes back from its bytes as it went in."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers.tensorflow_reader import parsed

from mer_tf.config import MerError
from mer_tf.preprocessing.faces import Face
from mer_tf.records.clip import ClipRecord
from mer_tf.records.schema import ImageFormat, decode, encode

RNG = np.random.default_rng(0)


def record(frames: int = 5, flow: bool = True, face: bool = True) -> ClipRecord:
    found = Face(RNG.uniform(0, 99, 4).round(2), 0.9971, RNG.uniform(0, 99, (5, 2)).round(2)) if face else None
    return ClipRecord(
        clip_id="toy/ç1",
        dataset="toy",
        subject="toy/s1",
        label_raw="",
        fps=29.97,
        frame_numbers=np.arange(559740, 559740 + frames),
        frames=RNG.integers(0, 256, (frames, 12, 12, 3), np.uint8),
        flow=RNG.normal(size=(frames - 1, 12, 12, 2)).astype(np.float16) if flow else None,
        face=found,
        detected_in=559741 if face else None,
        transform=RNG.normal(size=(2, 3)),
    )


@pytest.mark.parametrize("image_format", ["png", "raw"])
@pytest.mark.parametrize(("flow", "face"), [(True, True), (False, False)])
def test_decode_undoes_encode_to_the_bit(image_format: ImageFormat, flow: bool, face: bool) -> None:
    before = record(flow=flow, face=face)
    after = decode(encode(before, image_format), image_format)
    for name in ("clip_id", "dataset", "subject", "label_raw", "fps", "detected_in", "content_sha256"):
        assert getattr(after, name) == getattr(before, name)
    for name in ("frame_numbers", "frames", "flow", "transform"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert (after.face is None) == (before.face is None)
    if before.face and after.face:
        assert after.face.confidence == before.face.confidence
        np.testing.assert_array_equal(after.face.box, before.face.box)
        np.testing.assert_array_equal(after.face.landmarks, before.face.landmarks)


@pytest.mark.parametrize("image_format", ["png", "raw"])
def test_tensorflow_reads_the_same(image_format: ImageFormat) -> None:
    before = record()
    values = parsed(encode(before, image_format), image_format)
    assert values["clip_id"].numpy().decode() == before.clip_id
    np.testing.assert_array_equal(values["frames"], before.frames)
    np.testing.assert_array_equal(values["flow"], before.flow)
    np.testing.assert_array_equal(values["frame_numbers"], before.frame_numbers)
    assert decode(encode(before, image_format), image_format, flow=False).flow is None


def test_what_is_no_record_is_refused() -> None:
    for data in (b"", b"\xff\xff nonsense", encode(record(), "raw")[:-40]):
        with pytest.raises(MerError, match="not a clip record"):
            decode(data, "raw")


def test_the_content_hash_is_of_the_pixels_alone() -> None:
    before = record()
    renamed = dataclasses.replace(before, clip_id="another", fps=1.0, flow=None)
    assert renamed.content_sha256 == before.content_sha256
    pixels = before.frames.copy()
    pixels[2, 3, 4, 1] ^= 1
    assert dataclasses.replace(before, frames=pixels).content_sha256 != before.content_sha256
    assert (
        dataclasses.replace(before, frames=before.frames.reshape(5, 6, 24, 3)).content_sha256 != before.content_sha256
    )
