"""From labelled clips to what a model is given: images, flow, descriptors, or a frozen encoder's output."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from mer_tf.cached import cache_folder
from mer_tf.code_version import TRAINING, counted
from mer_tf.config import GRADCAM, Experiment, digest
from mer_tf.descriptors import Classical
from mer_tf.descriptors.grids import candidates
from mer_tf.explain.upsampling import cell_grid
from mer_tf.inputs.after import after_notice
from mer_tf.inputs.batches import FeatureStore, Store
from mer_tf.inputs.blocks import BlockStore, nearest_frame
from mer_tf.inputs.clips import Clips
from mer_tf.inputs.descriptor_grid import grid_store
from mer_tf.inputs.descriptors import described_store
from mer_tf.inputs.feature_cache import encode_clips, weights_digest
from mer_tf.inputs.flow_images import FlowImageStore, flow_image_store
from mer_tf.inputs.images import image_store
from mer_tf.inputs.key_frames import key_frame_store, key_images
from mer_tf.models.encoders.build import Encoder, build_encoder
from mer_tf.models.encoders.parts import encoder_parts
from mer_tf.models.kinds import FeatureModel
from mer_tf.models.xla import by_xla
from mer_tf.notices import UNTRAINED, Notice, danger, note
from mer_tf.preprocessing.face_blocks import load_blocks, mirrored
from mer_tf.preprocessing.frames import read_frame
from mer_tf.records.clip import ClipRecord
from mer_tf.records.landmarks import fitted_landmarks, recorded_landmarks
from mer_tf.records.stored import frame_numbers, stored_clips

log = logging.getLogger("mer_tf")


@dataclass(frozen=True)
class Encoded:
    """What models are given of all frames, and what made it."""

    store: Store
    encoder: keras.Model | None
    """The whole encoder, images to features; None for a model that takes images."""
    tail: keras.Model | None
    resolved: dict[str, Any]
    warnings: tuple[Notice, ...]
    step: int = 1
    """Every step-th stored frame is given to models."""


def encode(experiment: Experiment, clips: Clips) -> Encoded:
    """What the model takes: descriptors, images and flow, one flow image, or an encoder's frozen part's output."""
    model = experiment.model
    if isinstance(model, Classical):
        found = _descriptors(model, experiment, clips)
    elif isinstance(model, FeatureModel):
        found = _features(model, experiment, clips)
    else:
        found = (_flow_images if model.takes == "flow image" else _images)(experiment, clips)
    return replace(found, warnings=(*found.warnings, *after_notice(model.name)))


def _descriptors(model: Classical, experiment: Experiment, clips: Clips) -> Encoded:
    if model.tune and (offered := candidates(experiment)):
        grid = grid_store(offered, experiment, clips, lambda one: _with_apexes(one, offered[0].method.flow))
        said = f"{model.name}, chosen in each fold among {len(grid.matrices)} settings of the descriptor"
        return _without_encoder(grid, said)
    config, descriptor = experiment.preprocess, model.descriptor()
    arrays = ((x.clip_id, x.frames, x.flow, apex) for x, apex in _with_apexes(clips, model.flow))
    fitted = None if config.landmarks == "mtcnn" else fitted_landmarks(clips.records)
    store = described_store(arrays, descriptor, experiment.clip.step, config.flow_from, fitted)
    return _without_encoder(store, " ".join(str(descriptor).split()) if descriptor else "none")


def _flow_images(experiment: Experiment, clips: Clips) -> Encoded:
    if clips.of_images:
        return _without_encoder(FlowImageStore({name: frames[0] for name, frames in clip_frames(clips)}))
    arrays: Iterator[Any] = ((x.clip_id, x.frames, x.flow, apex) for x, apex in _with_apexes(clips))
    return _without_encoder(flow_image_store(arrays, experiment.clip, cache_folder(experiment.data.cache)))


def _with_apexes(clips: Clips, flow: bool = True) -> Iterator[tuple[ClipRecord, int | None]]:
    """`_stored` clips, each with the index of the frame nearest to its apex, where that is known."""
    for record in _stored(clips, flow):
        apex = clips.by_id[record.clip_id].row.apex
        yield record, None if apex is None else nearest_frame(record.frame_numbers, apex)


def _images(experiment: Experiment, clips: Clips) -> Encoded:
    clip, flow_from = experiment.clip, experiment.preprocess.flow_from
    arrays: Iterator[tuple[str, Any, Any]] = ((x.clip_id, x.frames, x.flow) for x in _stored(clips))
    if clip.keyframes != "none":
        arrays = key_images(((x.clip_id, x.frames, apex) for x, apex in _with_apexes(clips, flow=False)), clip)
    store = image_store(arrays, clip, flow_from, cache_folder(experiment.data.cache))
    return _without_encoder(store, step=clip.step)


def _stored(clips: Clips, flow: bool = True) -> Iterator[ClipRecord]:
    return stored_clips(clips.records, flow=flow, wanted=clips.by_id)


def _without_encoder(store: Store, said: str = "none, trained from the start", step: int = 1) -> Encoded:
    """`said`: what stands in the place of an encoder."""
    resolved = {"encoder": said, "encoder_requested": "none", "weights": {"source": "none"}}
    return Encoded(store, None, None, resolved, (), step)


def _features(config: FeatureModel, experiment: Experiment, clips: Clips) -> Encoded:
    """Frozen part of the encoder over every frame of every copy, once."""
    block = None if config.retrain_from == GRADCAM else config.retrain_from
    encoder = build_encoder(config, input_size=experiment.preprocess.size)
    log.info("encoder: %s, weights: %s", encoder.name, encoder.weights["source"])
    trunk, tail = encoder_parts(encoder.model, block, encoder.features_at)
    trunk.compile(jit_compile=by_xla(experiment.train.jit_compile, faster_on_cpu=False) and encoder.jit_compile)
    at = encoder.features_at
    size, version = experiment.preprocess.size, counted(TRAINING)
    name = features_key(trunk, encoder.name, config.preproc, block, at, size, *version)
    folder = cache_folder(experiment.data.cache) / "features" / f"{encoder.name}-{name}"
    multiply, sides = experiment.clip.multiply, 2 if experiment.clip.mirror or experiment.clip.mirrored_only else 1
    copies = {clip.stored: multiply[clip.label] if multiply else sides for clip in clips.labelled}
    store = encode_clips(lambda: clip_frames(clips), copies, trunk, folder)
    resolved = {"encoder": encoder.name, "encoder_requested": encoder.requested, "weights": encoder.weights}
    if at:
        log.info("features: map %s, %s", at, " x ".join(map(str, store.shape)))
        resolved["features_at"] = at
    step = experiment.clip.step
    given = _given(config, experiment, clips, trunk, store.every(step))
    return Encoded(given, encoder.model, tail, resolved, _encoder_warnings(encoder), step)


def features_key(trunk: keras.Model, *settings: Any) -> str:
    """Digest of all that a trunk's features depend on; how it was compiled changes their last digits."""
    return digest(*settings, weights_digest(trunk), keras.backend.backend(), str(trunk.jit_compile))


def _given(
    model: FeatureModel, experiment: Experiment, clips: Clips, trunk: keras.Model, features: FeatureStore
) -> Store:
    """What models are given of the features: all frames, with the places of face blocks, or key frames alone."""
    config = experiment.clip
    if model.face_blocks is not None:
        return _with_blocks(model.face_blocks, experiment, clips, trunk, features)
    if config.keyframes == "none":
        return features
    arrays = ((x.clip_id, x.frames, x.frame_numbers) for x in _stored(clips, flow=False))
    return key_frame_store(features, arrays, _apexes(clips), config)


def _apexes(clips: Clips) -> dict[str, int | None]:
    """The number of each clip's apex in the source, where that is known."""
    return {clip.row.clip_id: clip.row.apex for clip in clips.labelled}


def _with_blocks(
    chosen: str, experiment: Experiment, clips: Clips, trunk: keras.Model, features: FeatureStore
) -> BlockStore:
    """The trunk's maps with the places of face blocks in them; the middle of a clip stands for an unknown apex."""
    landmarks, numbers = recorded_landmarks(clips.records), frame_numbers(clips.records)
    blocks, apex = load_blocks(chosen), _apexes(clips)
    rows, columns = cell_grid(trunk, trunk.layers[-1].name)
    start, step = np.array([columns.start, rows.start]), np.array([columns.step, rows.step])

    def centres(points: np.ndarray) -> np.ndarray:
        pixels = blocks.centres(points) * experiment.preprocess.size - 0.5
        return ((pixels - start) / step + 0.5).astype("float32")

    plain = {name: centres(landmarks[name]) for name in features.plain}
    turned = {name: centres(mirrored(landmarks[name])) for name in features.mirrored}
    apexes = {name: nearest_frame(numbers[name][:: experiment.clip.step], apex[name]) for name in features.plain}
    return BlockStore(features, (plain, turned), apexes, (columns.start, columns.step))


def clip_frames(clips: Clips, ids: Collection[str] | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """(clip_id, frames uint8 (T, H, W, 3)) of the labelled clips, in the order they are stored; T = 1 for an image.

    With `ids` of these clips alone: the others are not decoded.
    """
    kept = clips.by_id if ids is None else set(ids)
    if clips.of_images:
        rows = (clip.row for clip in clips.labelled if clip.row.clip_id in kept)
        yield from ((row.clip_id, read_frame(row.image_path())[None]) for row in rows)
        return
    yield from ((record.clip_id, record.frames) for record in stored_clips(clips.records, wanted=kept))


def _encoder_warnings(encoder: Encoder) -> tuple[Notice, ...]:
    if encoder.weights["source"] == "random":
        return (danger(UNTRAINED, f"{encoder.name} was never trained"),)
    if encoder.requested == "auto" and not encoder.name.startswith("vggface"):
        name, wanted = encoder.name, "VGGFace2's"
        if encoder.features_at:
            name, wanted = f"{name}, its map {encoder.features_at}", "VGG-Face's"
        text = f"encoder auto became {name}: {wanted} weights are not here; config.json says where they go"
        return (note("encoder", text),)
    return ()
