"""SIGKILL at 25 random moments of one job: it goes on each time, and ends with the bytes of an undisturbed one."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.tiny_clips import make_rows, tree

from mer_tf.config import Preprocess
from mer_tf.datasets.manifest import write_manifest
from mer_tf.records.inspect import check
from mer_tf.records.write import write_records

KILLS = 25
CLIPS = 150
CONFIG = Preprocess(face="none", size=64, flow="farneback", clips_per_shard=1)

LAUNCHER = """
import json, os, random, signal, sys, time
from pathlib import Path
import tensorflow  # once for all jobs: each is a fork of this process, which has started no thread of it
from mer_tf.config import Preprocess
from mer_tf.datasets.manifest import read_manifest
from mer_tf.records.write import write_records

rows, out, config = read_manifest(Path(sys.argv[1])), Path(sys.argv[2]), Preprocess(**json.loads(sys.argv[3]))

def job():
    if (pid := os.fork()):
        return pid
    write_records(rows, config, out, progress=False)
    os._exit(0)

chance, ended, torn = random.Random(0), [], 0
for kill in range(int(sys.argv[4])):
    wanted = len(list(out.glob("*/*.json"))) + 1 + chance.randrange(4)
    pid = job()
    while len(list(out.glob("*/*.json"))) < wanted:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.03))
    os.kill(pid, signal.SIGKILL)
    ended.append(os.waitpid(pid, 0)[1])
    torn += bool(list(out.glob("*/.*.part*")))
    assert not list(out.glob("*/index.json")), f"finished before kill {kill}"
assert ended == [signal.SIGKILL] * int(sys.argv[4]), ended
assert torn, "no kill hit a half-written file"
assert os.waitpid(job(), 0)[1] == 0
"""


@pytest.mark.slow
def test_killed_25_times_a_job_ends_with_the_same_bytes(tmp_path: Path) -> None:
    rows = make_rows(tmp_path / "source", CLIPS)
    manifest = write_manifest(rows, tmp_path / "manifest.csv")
    settings = json.dumps(dataclasses.asdict(CONFIG))
    command = [sys.executable, "-c", LAUNCHER, str(manifest), str(tmp_path / "killed"), settings, str(KILLS)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    (killed,) = (tmp_path / "killed").iterdir()
    undisturbed = write_records(rows, CONFIG, tmp_path / "whole", progress=False)
    assert killed.name == undisturbed.name
    assert tree(killed) == tree(undisturbed)
    assert check(killed, progress=False) == []
