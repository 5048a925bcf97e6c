"""What benchmarks count and keep. What they time is their own affair."""

import functools
import os
import shlex
import subprocess
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest
import tyro
from keras import layers

from mer_tf.model import models
from mer_tf.models.kinds import Network
from mer_tf.models.layers.shared import FoldTime

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module


def test_a_section_of_results_is_replaced_and_the_others_stay(benchmark, tmp_path):
    keep, path = benchmark("results").keep, tmp_path / "RESULTS.md"
    keep("a", "first\n", path)
    keep("a b", "second", path)
    keep("a", "third", path)
    text = path.read_text()
    assert text.startswith("# Results of the benchmarks\n\n<!-- a -->\nthird\n<!-- /a -->\n")
    assert text.endswith("<!-- a b -->\nsecond\n<!-- /a b -->\n")
    keep("a", "third", path)
    assert path.read_text() == text


def test_operations_of_layers_by_hand(benchmark):
    frames = keras.Input((5, 8, 8, 3), name="frames")
    image = keras.Input((8, 8, 3))
    cnn = keras.Model(image, layers.Flatten()(layers.Conv2D(4, 3, strides=2, padding="same")(image)))
    x = FoldTime(cnn)(frames)
    x = layers.BatchNormalization()(layers.Dense(7)(x))
    x = layers.Bidirectional(layers.LSTM(6, return_sequences=True))(x)
    model = keras.Model({"frames": frames}, layers.Dense(2)(layers.LSTM(3)(x)))
    batch, time = 2, 5
    conv, dense, last = time * 4 * 4 * (3 * 3 * 3 * 4), time * 4 * 4 * 4 * 7, 3 * 2
    lstms = time * (2 * 4 * 6 * (7 + 6) + 4 * 3 * (12 + 3))
    found = benchmark("flops").forward_flops(model, {"frames": np.zeros((batch, time, 8, 8, 3), "float32")})
    assert found == 2 * batch * (conv + dense + lstms + last)


def test_stages_end_with_the_files_that_end_them(benchmark, tmp_path):
    defaults = benchmark("defaults")
    times = {"manifest.csv": 10, "config.json": 25, "fold-0/predictions.csv": 40, "fold-1/predictions.csv": 55}
    times |= {"model_card.json": 58}
    for run, start in (("x/1", 100), ("x/2", 200)):
        for name, at in times.items():
            path = tmp_path / "runs" / run / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.utime(path, (start + at, start + at))
    spent = defaults.stages(defaults.run_directories(tmp_path), 100, 260)
    assert list(spent.values()) == [10 + 52, 15 + 15, 30 + 30, 3 + 3, 2]


def test_a_run_without_manifest_has_its_stages_too(benchmark, tmp_path):
    defaults, path = benchmark("defaults"), tmp_path / "runs" / "pretraining" / "1" / "config.json"
    path.parent.mkdir(parents=True)
    path.touch()
    os.utime(path, (130, 130))
    spent = defaults.stages(defaults.run_directories(tmp_path), 100, 160)
    assert list(spent.values()) == [0, 30, 0, 0, 30]


def test_a_finished_experiment_is_not_run_again(benchmark, tmp_path):
    defaults, script, folder = benchmark("defaults"), tmp_path / "exp.py", tmp_path / "kept"
    folder.mkdir()
    script.write_text("open('count.txt', 'a').write('x')")
    first, second = (defaults.run_once(script, [], folder) for _ in range(2))
    assert first == second
    assert first.peak_mib > 0
    assert (folder / "count.txt").read_text() == "x"
    with pytest.raises(SystemExit, match="was run with"):
        defaults.run_once(script, ["--train.epochs=3"], folder)


def test_the_clock_of_a_job_on_many_machines_by_hand(benchmark):
    clock = benchmark("scale").clock
    even = {"mean": 1.0, "deviation": 1e-9, "start": 5.0, "shard": 256}
    assert clock(1024, 4, **even) == pytest.approx(5 + 256)  # a shard each
    assert clock(1024, 3, **even) == pytest.approx(5 + 512)  # one takes two
    assert clock(1024, 99, **even) == pytest.approx(5 + 256)  # a shard is not divided
    assert clock(100_000, 1, mean=0.4, deviation=0.2, start=0.0) == pytest.approx(40_000, rel=0.01)


def test_a_list_of_clips_is_written_and_read_as_it_is_measured(benchmark, tmp_path):
    scale = benchmark("scale")
    for name, prepare in scale.MEASURES.items():
        folder = tmp_path / name
        folder.mkdir()
        assert prepare(300, folder)() is not None, name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["epoch", "page, no faces"])
def test_training_and_a_page_are_made_as_they_are_measured(benchmark, tmp_path, name):
    assert benchmark("scale").WORK[name](10, tmp_path)() is not None
    made = tmp_path / "index.html" if name.startswith("page") else tmp_path / "features"
    assert made.exists()


@pytest.mark.parametrize("mode", [{}, {"SMALL": "1"}])
def test_the_commands_of_the_script_for_a_gpu_are_taken_by_their_programs(benchmark, tmp_path, mode):
    shown = subprocess.run(
        ["bash", str(BENCHMARKS / "gpu.sh"), str(tmp_path)],
        env={**os.environ, "DRY": "1", **mode},
        capture_output=True,
        text=True,
        check=True,
    )
    commands = [shlex.split(line) for line in shown.stdout.splitlines()]
    assert {name for name, *_ in commands} == {"model_steps.py", "resnet50.py", "loso.py", "input_pipeline.py"}
    for name, *arguments in commands:
        main = benchmark(Path(name).stem).main
        taken = tyro.cli(functools.wraps(main)(lambda **given: given), args=[*arguments, "--rows", str(tmp_path / "r")])
        assert taken["rows"] == tmp_path / "r"


def test_the_limits_of_the_script_for_a_gpu_are_8_minutes_in_all():
    *_, full = (BENCHMARKS / "gpu.sh").read_text().split("else\n")
    limits = [int(line.split()[1]) for line in full.splitlines() if line.startswith("  part")]
    assert len(limits) == 5
    assert sum(limits) <= 8 * 60


def test_rows_become_a_section_of_their_device_and_what_is_measured_again_stands_once(benchmark, tmp_path):
    results, rows, path = benchmark("results"), tmp_path / "rows.jsonl", tmp_path / "RESULTS.md"
    row = results.Row("H200", "training step", "ststnet", "bfloat16", 1234.5, "frames/s", 0.125, "batch 2")
    results.add_rows(rows, [replace(row, value=1.0), row])
    results.add_rows(rows, [results.Row("another", "ResNet-50 step", "PyTorch", note="left out: torch not installed")])
    results.keep_rows(rows, path)
    text = path.read_text()
    assert "## On H200" in text
    assert text.count("| ststnet |") == 1
    assert "| training step | ststnet | bfloat16 | 1234 frames/s | 12.5% | batch 2 |" in text
    assert "| ResNet-50 step | PyTorch |  |  |  | left out: torch not installed |" in text


def test_every_network_is_measured_but_the_one_that_is_trained_on_drawings(benchmark):
    measured = {one.model.name for one in benchmark("declared").experiments("paper").values()}
    assert measured == {name for name, kind in models().items() if issubclass(kind, Network)} - {"au_flow"}


@pytest.mark.parametrize("name", ["ststnet", "exp4_cnn_lstm_fusion"])
def test_a_batch_of_noise_is_what_the_network_takes(benchmark, name):
    declared = benchmark("declared")
    changes = {"train.batch_size": 2, "preprocess.size": 64}
    if name == "exp4_cnn_lstm_fusion":
        changes |= {"model.fusion.channels": (4, 4, 4, 4, 4), "model.fusion.fc_units": 8, "clip.frames": 4}
    one = declared.network(name, declared.changed(declared.experiments("embedded")[name], changes))
    assert one.frames == {"ststnet": 2, "exp4_cnn_lstm_fusion": 2 * 3}[name]
    assert one.build()(one.batch[0]).shape == (2, declared.CLASSES)


def test_false_events_are_counted_by_kind_of_video(benchmark, monkeypatch):
    spotting = benchmark("spotting")
    seen = [("d18.mp4", 20.0, "1 of 2", 1), ("d19.mp4", 10.0, "0 of 1", 2), ("own.mp4", 0.0, "0 of 0", 0)]
    columns = ("video", "seconds followed", "abstained", "events")
    monkeypatch.setattr(spotting, "real_rows", lambda videos: [dict(zip(columns, row, strict=True)) for row in seen])
    posed, other = spotting.kind_rows([])
    assert (posed["videos"], posed["tracks abstained"], posed["events"]) == ("d18.mp4, d19.mp4", "1 of 3", 3)
    assert posed["events a minute"] == 6
    assert (other["kind"], other["events a minute"]) == ("other", 0)
