"""Where the seconds of a run go: each second belongs to one stage."""

import json
import time
from pathlib import Path

from mer_tf.stage_times import stage, timed_run


def test_a_stage_leaves_out_what_is_inside_it(tmp_path: Path) -> None:
    with timed_run() as times, stage("outer"):
        time.sleep(0.02)
        with stage("inner"):
            time.sleep(0.1)
        with stage("inner"):
            time.sleep(0.1)
    times.write(tmp_path)
    said = json.loads((tmp_path / "stages.json").read_text())
    assert list(said) == ["inner", "outer", "all"] or list(said) == ["outer", "inner", "all"]
    assert said["inner"]["seconds"] >= 0.2 > said["outer"]["seconds"]
    assert said["all"]["seconds"] == said["inner"]["seconds"] + said["outer"]["seconds"]


def test_without_a_run_nothing_is_counted() -> None:
    with stage("alone"):
        pass
