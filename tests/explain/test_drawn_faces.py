"""On drawn clips, where the moving part of the face is known, the heat lies there."""

from dataclasses import replace
from itertools import islice

import keras
import numpy as np
import pytest

from mer_tf.config import Model
from mer_tf.datasets.action_units import expression
from mer_tf.datasets.synthetic import draw, smic_clips
from mer_tf.explain.gradcam import GradCam
from mer_tf.explain.regions import aligned_landmarks, region_masks
from mer_tf.explain.upsampling import cell_grid, upsample
from mer_tf.models.encoders import build_encoder
from mer_tf.models.vggface_lstm import build, end_to_end
from mer_tf.preprocessing.faces import ALIGNED_BY, TEMPLATE, similarity, warp

SIZE, FRAMES, SUBJECTS, TESTED = 96, 6, 14, 4
SHOWN = {"mouth": ((12,), (15,), ()), "brows": ((1, 2), (4,), ())}
"""Action units of the three classes."""
LABELS = ("negative", "positive", "surprise")


def aligned(clip):
    """FRAMES aligned frames of a clip, from its onset to its apex."""
    points = clip.neutral.points
    eyes = [(points[f"eye_outer_{s}"] + points[f"eye_inner_{s}"]) / 2 for s in ("left", "right")]
    known = np.array([*eyes, points["mouth_corner_left"], points["mouth_corner_right"]])
    matrix = similarity(known, TEMPLATE[list(ALIGNED_BY)] * SIZE - 0.5)
    apex = int(clip.motion.course.argmax())
    drawn = list(islice(draw(clip), apex + 1))
    return np.stack([warp(drawn[i], matrix, SIZE) for i in np.linspace(0, apex, FRAMES).round().astype(int)])


def moving_clips(part):
    """Frames, class indices and subjects of clips in which only one part of the face moves."""
    frames, labels, subjects = [], [], []
    for clip in smic_clips(subjects=SUBJECTS, clips_per_class=2):
        if clip.label not in LABELS:
            continue
        label = LABELS.index(clip.label)
        blobs = expression(SHOWN[part][label], clip.neutral.points, clip.neutral.face_width, (1.0, 1.0))
        size = 3 * clip.intensity * clip.neutral.face_width / 96
        frames.append(aligned(replace(clip, motion=replace(clip.motion, expression=blobs.scaled(size)))))
        labels.append(label)
        subjects.append(clip.subject)
    return np.stack(frames).astype("float32"), np.array(labels), np.array(subjects)


def trained(encoder, frames, labels):
    features = encoder.predict(frames.reshape(-1, SIZE, SIZE, 3), verbose=0).reshape(*frames.shape[:2], -1)
    keras.utils.set_random_seed(1)
    config = Model(embedding=(64, 32), lstm_units=32, lstm_layers=1, head_units=32, center="onset", bn_momentum=0.9)
    head = build(config, features.shape[2:], 3)
    head.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    head.fit(inputs(features), labels, epochs=30, batch_size=16, verbose=0)
    return end_to_end(encoder, head)


def inputs(frames):
    return {"frames": frames, "onset": frames[:, :1], "mask": np.ones(frames.shape[:2], bool)}


@pytest.mark.slow
def test_heat_lies_where_the_face_moves():
    masks = region_masks(aligned_landmarks(SIZE), SIZE)
    masks["brows"] |= masks["eyes"]  # the skin of a raised brow moves down to the upper lid
    lift: dict[tuple[str, str, bool], float] = {}
    for part in SHOWN:
        frames, labels, subjects = moving_clips(part)
        tested = np.isin(subjects, np.unique(subjects)[:TESTED])
        encoder = build_encoder(Model(encoder="mtcnn-onet"), input_size=SIZE).model
        model = trained(encoder, frames[~tested], labels[~tested])
        assert (model.predict(inputs(frames[tested]), verbose=0).argmax(-1) == labels[tested]).mean() > 0.5
        shown = tested & (labels < 2)
        tapped = GradCam(model, ["prelu2"])(inputs(frames[shown]), labels[shown])["prelu2"]
        for local in (False, True):
            maps = tapped.cam(minus_onset=True, local=local).sum(axis=1)
            heat = upsample(maps, SIZE, cell_grid(encoder, "prelu2"))
            for region in SHOWN:
                lift[part, region, local] = heat[:, masks[region]].sum() / heat.sum() / masks[region].mean()
    for part, other in (("mouth", "brows"), ("brows", "mouth")):
        assert lift[part, part, False] > 1.5
        assert lift[part, part, True] > 2.5
        for local in (False, True):
            assert lift[part, part, local] > 1.5 * lift[part, other, local]
            assert lift[part, part, local] > 1.5 * lift[other, part, local]
