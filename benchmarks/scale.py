"""How lists of clips grow: manifest, index and scores of 10 to 10^6 clips, and the clock of a job on many machines.

python benchmarks/scale.py --out scale.csv                      # 10, 1000, 100000, 1000000 clips: a quarter of an hour
python benchmarks/scale.py --out scale.csv --clips 10 1000      # a look
python benchmarks/scale.py --clips 10 100 1000 --only features epoch   # training, and other names of WORK
python benchmarks/scale.py --clips 1000000 --simulate 1 8 64 512   # by clip times that --clip gives, without lists

Each measurement has a process of its own: seconds of its processor, without what it loads, and the most memory.
"""

from __future__ import annotations

import argparse
import heapq
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scale_work

from mer_tf.config import Clip, Evaluation, Experiment, Preprocess
from mer_tf.datasets.manifest import ClipRow, manifest_digest, read_manifest, write_manifest
from mer_tf.datasets.windows import plan_windows
from mer_tf.evaluation.folds import make_folds
from mer_tf.evaluation.metrics import evaluate
from mer_tf.evaluation.predictions import predictions_frame, read_predictions, write_predictions
from mer_tf.files import write_json
from mer_tf.parallel import in_own_process
from mer_tf.records.index import Index, IndexedClip, read_index, write_index
from mer_tf.records.shards import plan_shards
from mer_tf.reporting.report import write_report

CLASSES = ("negative", "positive", "surprise")


def main() -> None:
    """Measure or simulate as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--clips", type=int, nargs="+", default=[10, 1000, 100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", default=list(MEASURES), choices=[*MEASURES, *WORK])
    parser.add_argument("--simulate", type=int, nargs="+", metavar="WORKERS", help="machines' processors")
    parser.add_argument("--clip", type=float, nargs=2, default=(0.39, 0.13), help="mean and deviation of a clip, s")
    parser.add_argument("--start", type=float, default=6.0, help="seconds until a worker can begin")
    given = parser.parse_args()
    rows = _simulated(given) if given.simulate else [measured(n, k) for n in given.clips for k in given.only]
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    if given.out:
        table.to_csv(given.out, index=False)


def measured(clips: int, name: str) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return {"what": name, "clips": clips, **in_own_process(_measure, name, clips, Path(folder))}


def _measure(name: str, clips: int, folder: Path) -> dict[str, Any]:
    made = (MEASURES | WORK)[name](clips, folder)
    begun = time.process_time()
    made()
    seconds = time.process_time() - begun
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept = [path for path in folder.iterdir() if path.suffix in (".csv", ".json", ".html")]
    kept += folder.glob("features/*/*.npy")
    size = sum(path.stat().st_size for path in kept) / 2**20
    return {"seconds": round(seconds, 2), "memory_mib": round(most), "file_mib": round(size, 1)}


def clip_rows(clips: int, folder: Path) -> list[ClipRow]:
    """Rows as a manifest of frame folders has them."""
    rest = {"session": "", "root": str(folder), "video": "", "apex": 12, "fps": 100.0, "aus": "", "sheet_sha": ""}
    return [
        ClipRow(
            clip_id=f"own/s{k // 100:05d}/c{k:07d}",
            dataset="own",
            subject=f"own/s{k // 100:05d}",
            frames_dir=f"s{k // 100:05d}/c{k:07d}",
            onset=1,
            offset=31,
            label_raw=CLASSES[k % 3],
            **rest,
        )
        for k in range(clips)
    ]


def _manifest_write(clips: int, folder: Path) -> Callable[[], Any]:
    rows = clip_rows(clips, folder)
    return lambda: write_manifest(rows, folder / "manifest.csv")


def _manifest_read(clips: int, folder: Path) -> Callable[[], Any]:
    write_manifest(clip_rows(clips, folder), folder / "manifest.csv")
    return lambda: read_manifest(folder / "manifest.csv")


def _plan(clips: int, folder: Path) -> Callable[[], Any]:
    rows, config = clip_rows(clips, folder), Preprocess(clips_per_shard=256)
    return lambda: (plan_shards(rows, config, folder), manifest_digest(rows))


def index_of(clips: int, folder: Path) -> Index:
    """An index of so many clips in shards of 256, which are there, empty."""
    rows, config = clip_rows(clips, folder), Preprocess(clips_per_shard=256)
    stored = []
    for shard in plan_shards(rows, config, folder):
        shard.path.touch()
        stored += [
            IndexedClip(r.clip_id, r.dataset, r.subject, r.label_raw, 31, r.fps, shard.path.name, f"{k:064x}")
            for k, r in enumerate(shard.rows)
        ]
    names = dict.fromkeys((clip.shard for clip in stored), "0" * 64)
    return Index(folder, config, "digest", tuple(stored), names, 0, {})


def _index_write(clips: int, folder: Path) -> Callable[[], Any]:
    index = index_of(clips, folder)
    return lambda: write_index(index)


def _index_read(clips: int, folder: Path) -> Callable[[], Any]:
    write_index(index_of(clips, folder))
    return lambda: read_index(folder)


def _scores(clips: int, folder: Path) -> Callable[[], Any]:
    write_predictions(_predicted(clip_rows(clips, folder), 1), folder / "predictions.csv")
    return lambda: evaluate(read_predictions(folder / "predictions.csv"), bootstrap=2000, permutations=99)


def _predicted(rows: Sequence[ClipRow], folds: int) -> pd.DataFrame:
    """Predictions by chance, a subject in one fold."""
    table = pd.DataFrame({"clip_id": [r.clip_id for r in rows], "dataset": "own", "subject": [r.subject for r in rows]})
    fold = table["subject"].factorize()[0] % folds
    table = table.assign(fold=fold, seed=0, y_true=[r.label_raw for r in rows])
    shares = np.random.default_rng(0).dirichlet(np.ones(3), len(rows))
    return predictions_frame(table, shares, CLASSES, "whole")


def _report(clips: int, folder: Path) -> Callable[[], Any]:
    """A run of five folds without pictures, as its folder has it."""
    rows, run = clip_rows(clips, folder), folder / "run"
    frame = _predicted(rows, 5)
    write_manifest(rows, run / "manifest.csv")
    write_predictions(frame, run / "predictions.csv")
    write_predictions(frame.assign(y_pred=CLASSES[0]), run / "baseline_onset.csv")
    experiment = Experiment("scale", evaluation=Evaluation(folds=5, bootstrap=2000, permutations=99))
    weights = {"source": "none"}
    resolved = {"encoder": "none", "weights": weights, "records": str(folder)}
    write_json(run / "config.json", {"experiment": asdict(experiment), "resolved": resolved, "command": ["scale.py"]})
    write_json(run / "env.json", {"mer_tf": "", "git_commit": "0" * 40, "git_dirty": False, "packages": {}})
    write_json(run / "metrics.json", {"warnings": []})
    write_json(run / "self_test.json", [])
    return lambda: write_report([run], folder / "report.html")


def _planned(clips: int, folder: Path) -> Callable[[], Any]:
    """What training does before its first step: folds over subjects, and the windows of one of them."""
    rows = clip_rows(clips, folder)
    table = pd.DataFrame({"clip_id": [r.clip_id for r in rows], "subject": [r.subject for r in rows]})
    labels, names = np.arange(clips) % len(CLASSES), table["clip_id"].tolist()
    config, lengths = Clip(frames=16, stride=8), dict.fromkeys(names, 31)

    def planned() -> Any:
        fold = next(iter(make_folds(table["subject"], labels, Evaluation(folds=min(5, max(2, clips // 100))))))
        known = {names[k]: int(labels[k]) for k in fold.train}
        return plan_windows(known, lengths.__getitem__, config, CLASSES, 0)

    return planned


MEASURES: dict[str, Callable[[int, Path], Callable[[], Any]]] = {
    "manifest, written": _manifest_write,
    "manifest, read and checked": _manifest_read,
    "shards planned": _plan,
    "index, written": _index_write,
    "index, read and checked": _index_read,
    "predictions read and scored": _scores,
    "folds and windows planned": _planned,
    "report": _report,
}
WORK: dict[str, Callable[[int, Path], Callable[[], Any]]] = {
    "features": lambda n, folder: scale_work.features(clip_rows(n, folder), folder),
    "features, 224 px": lambda n, folder: scale_work.features(clip_rows(n, folder), folder, scale_work.FULL),
    "epoch": lambda n, folder: scale_work.epoch(clip_rows(n, folder), folder),
    "epoch, from files": lambda n, folder: scale_work.epoch(clip_rows(n, folder), folder, budget=0),
    "page": scale_work.page,
    "page, no faces": lambda n, folder: scale_work.page(n, folder, pictures=False),
}
"""Of clips and, in the last two, of videos; asked for by name, since they take minutes."""


def _simulated(given: argparse.Namespace) -> list[dict[str, Any]]:
    """The clock of a job whose clips take as long as a few measured ones did, by so many workers."""
    return [
        {"clips": n, "workers": w, "hours": round(clock(n, w, *given.clip, given.start) / 3600, 2)}
        for n in given.clips
        for w in given.simulate
    ]


def clock(clips: int, workers: int, mean: float, deviation: float, start: float, shard: int = 256) -> float:
    """Seconds until the last worker ends, when each takes the next shard as soon as it is free.

    Times of clips are lognormal, of this mean and standard deviation in seconds.
    """
    spread = float(np.log1p((deviation / mean) ** 2))
    rng = np.random.default_rng(0)
    times = rng.lognormal(np.log(mean) - spread / 2, spread**0.5, clips)
    shards: Sequence[float] = np.add.reduceat(times, np.arange(0, clips, shard)).tolist()
    free = [start] * min(workers, len(shards))
    for seconds in shards:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


if __name__ == "__main__":
    main()
