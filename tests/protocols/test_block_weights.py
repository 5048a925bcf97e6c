"""Block weights of a finished run: a row a frame and block of every test clip, by the model that never saw it."""

from dataclasses import replace
from types import MethodType

import numpy as np
import pandas as pd
import pytest

from mer_tf.config import Clip, MerError, Train
from mer_tf.inputs.batches import FeatureStore
from mer_tf.inputs.blocks import BlockStore
from mer_tf.inputs.prepare import Encoded
from mer_tf.models.gia_bia_bilstm import Blocks, GiaBiaBiLstm
from mer_tf.preprocessing.face_blocks import load_blocks
from mer_tf.protocols.cross_validation import cross_validate
from mer_tf.protocols.pictures.blocks import FACE, FILE, clip_weights, write_block_weights
from mer_tf.protocols.selection import epochs_a_fold
from mer_tf.protocols.summary import summarise
from mer_tf.protocols.workbench import Bench

SIDE, FRAMES = 8, 3
BLOCKS = Blocks(window=3, filters=3, units=3, gate_filters=3, gate_units=3, reduce_units=6, gia_units=3, psi="gap")


@pytest.fixture(scope="module")
def finished(make_bench, experiment, tmp_path_factory, quick, eagerly):
    """(bench, run directory, table) of a run on noise, 18 clips of 6 subjects, two folds."""
    settings = replace(
        experiment,
        clip=Clip(frames=FRAMES, mirror=False, balance=False),
        model=GiaBiaBiLstm(center="onset", lstm_units=4, blocks=replace(BLOCKS, over_time="mean")),
        train=Train(epochs=1, batch_size=8, jit_compile=False),
        evaluation=replace(experiment.evaluation, folds=2),
    )
    _, clips = make_bench(settings)
    clips = replace(clips, labelled=clips.labelled[::2])
    rng, centres = np.random.default_rng(0), rng_centres()
    maps = {name: rng.normal(size=(FRAMES, SIDE, SIDE, 2)).astype("float32") for name in clips.table["clip_id"]}
    store = BlockStore(FeatureStore(maps, {}), (dict.fromkeys(maps, centres),), dict.fromkeys(maps, 2), (1.5, 4.0))
    bench = Bench(settings, clips, Encoded(store, None, None, {"encoder": "drawn", "weights": {"source": "none"}}, ()))
    face = np.full((FRAMES, 32, 32, 3), 90, np.uint8)
    bench.shown = MethodType(lambda self, ids: dict.fromkeys(ids, face), bench)
    run = tmp_path_factory.mktemp("run")
    cross_validate(bench, run)
    summarise(bench, clips, run)
    return bench, run, write_block_weights(bench, run)


def rng_centres():
    return np.random.default_rng(1).uniform(2, 6, (10, 2)).astype("float32")


@pytest.mark.slow
def test_every_frame_and_block_of_every_clip_has_a_weight(finished):
    _, run, table = finished
    blocks = load_blocks("10")
    assert len(table) == 18 * FRAMES * 11
    pd.testing.assert_frame_equal(pd.read_csv(run / FILE), table, check_dtype=False)
    one = table[table["clip_id"] == table["clip_id"].iloc[0]]
    assert one["block"].tolist()[:11] == [*blocks.names, FACE]
    assert one["region"].tolist()[:11] == [*blocks.regions, "face"]
    assert one["frame"].tolist() == [f for f in range(FRAMES) for _ in range(11)]
    assert table["weight"].between(0, 1).all()
    assert table["weight"].nunique() > 300


@pytest.mark.slow
def test_weights_are_those_of_the_model_of_the_clips_own_fold(finished):
    bench, _, table = finished
    names = table.groupby("fold")["clip_id"].unique()
    known = {fold.number: set(bench.ids(fold.test)) for fold in bench.folds()}
    assert {fold: set(ids) for fold, ids in names.items()} == known
    last = bench.folds()[-1].number
    ids = sorted(known[last])[:3]
    found = clip_weights(bench, bench.trainer().model, ids)  # trained last, so it is that fold's
    for name in ids:
        written = table[table["clip_id"] == name]["weight"].to_numpy().reshape(FRAMES, 11)
        np.testing.assert_allclose(found[name], written, atol=1e-6)


@pytest.mark.slow
def test_pictures_are_listed_and_there(finished):
    _, run, _ = finished
    listed = pd.read_csv(run / "pictures" / "pictures.csv")
    assert listed["section"].unique().tolist() == ["attention"]
    assert len(listed) == 3 + 1
    assert all((run / "pictures" / name).stat().st_size > 3000 for name in listed["file"])
    assert listed["caption"].iloc[-1].count(":") == 3


@pytest.mark.slow
def test_a_lost_checkpoint_is_named(finished, tmp_path):
    bench, run, _ = finished
    (tmp_path / "predictions.csv").write_bytes((run / "predictions.csv").read_bytes())
    with pytest.raises(MerError, match=r"fold-0/model.keras: no such checkpoint"):
        write_block_weights(bench, tmp_path)


@pytest.mark.slow
def test_epochs_of_the_first_stage_are_counted(finished):
    settings = finished[0].experiment
    staged = replace(settings, model=replace(settings.model, blocks=BLOCKS), train=Train(epochs=3, stream_epochs=5))
    assert (epochs_a_fold(settings), epochs_a_fold(staged)) == (1, 8)
