"""The preprocessing job against the bare kernels it cannot do without, on the same cores in the same run.

    python benchmarks/preprocess.py            # prints the tables and writes them into benchmarks/RESULTS.md

The limit is cv2.imread, cv2.resize and the optical flow of the same files, for aligned faces with one detection by
mtcnn a clip as well; nothing is checked, aligned, encoded or written. As many processes as the job has workers run at
the same time, each with one thread, and each takes turns: the same few clips through the kernels and through the job.
Times are CPU seconds, and a share is the median over turns, so that what else the machine does meets both alike.

mtcnn's three networks run as its package runs them, but on the levels of `pyramid_scales`: with a smallest face above
its default of 20 px mtcnn itself ends in levels that are too small for its first network, and finds nothing or raises
an error, depending on the processor. So job and limit look for faces of the same size in the same levels.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import resource
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import cv2
import numpy as np
import tyro
from results import keep
from skimage.data import astronaut

from mer_tf.config import Preprocess
from mer_tf.datasets.manifest import ClipRow

FRAMES = 20
TURN = 4
"""Clips a turn."""
KERNELS = ("imread", "resize", "flow", "detect")
FACES = "faces found and aligned"


@dataclasses.dataclass(frozen=True)
class Job:
    """One job as a user starts it."""

    seconds: float
    parent_mib: float
    """Peak resident memory."""
    worker_mib: float
    """Of the largest worker."""


def main(clips: int = 40, size: int = 96, workers: int = 2, write: bool = True) -> None:
    """Measure, print the tables, and write them into RESULTS.md.

    Args:
        clips: Clips of the large job; the small one has a fifth of them.
        size: Side of the stored frames, pixels.
        workers: Processes of the job and of the kernels.
        write: Write the tables into RESULTS.md too.
    """
    folder = Path(mkdtemp(prefix="preprocess-"))
    align = Preprocess(face="align", size=size, flow="dis")
    whole = dataclasses.replace(align, face="none")
    raw = dataclasses.replace(whole, image_format="raw")
    configs = {"whole frames": whole, "whole frames, stored raw": raw, FACES: align}
    try:
        rows = draw_clips(folder / "source", clips)
        spent = in_turns(rows, list(configs.values()), folder / "turns", workers)
        jobs = {
            (name, n): run_job(rows[:n], configs[name], folder / "out", workers)
            for name in ("whole frames", FACES)
            for n in (clips // 5, clips)
        }
        text = report(spent, jobs, list(configs), stages(rows[:10], align), workers, size)
    finally:
        shutil.rmtree(folder)
    print(text)
    if write:
        keep("preprocess", text)


def draw_clips(root: Path, count: int) -> list[ClipRow]:
    """Clips of FRAMES JPEG images of 640x480, the resolution of SMIC: a face that moves by half a pixel a frame."""
    face = cv2.resize(cv2.cvtColor(astronaut()[:240, 60:380], cv2.COLOR_RGB2BGR), (640, 480))
    shifts = [np.array([[1, 0, t / 2], [0, 1, t / 4]], np.float32) for t in range(FRAMES)]
    images = [cv2.imencode(".jpg", cv2.warpAffine(face, s, (640, 480), borderMode=1))[1].tobytes() for s in shifts]
    rows = []
    for k in range(count):
        (root / f"{k:04d}").mkdir(parents=True)
        for t, image in enumerate(images):
            (root / f"{k:04d}" / f"img{t:03d}.jpg").write_bytes(image)
        names = {"clip_id": f"bench/{k:04d}", "dataset": "bench", "subject": f"bench/{k % 16}", "label_raw": ""}
        rows.append(ClipRow(**names, root=str(root), frames_dir=f"{k:04d}", offset=FRAMES - 1, fps=100.0))
    return rows


def in_turns(rows: Sequence[ClipRow], configs: Sequence[Preprocess], folder: Path, workers: int) -> np.ndarray:
    """CPU seconds (turns, 4 + configs) of the kernels and of each job, on the same clips, turn by turn."""
    parts = [(rows[i::workers], configs, folder / str(i)) for i in range(workers)]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return np.concatenate(pool.starmap(turns, parts))


def turns(rows: Sequence[ClipRow], configs: Sequence[Preprocess], folder: Path) -> np.ndarray:
    """The same of one process; its first turn, which loads what each job needs, is not counted."""
    from mer_tf.parallel import use_threads
    from mer_tf.records.shards import Shard, write_shard

    use_threads(1)
    folder.mkdir(parents=True)
    spent = []
    for start in range(0, len(rows), TURN):
        part, times = tuple(rows[start : start + TURN]), []
        for config in configs:
            at = time.process_time()
            write_shard(Shard(folder / f"{start}.tfrecord", part), config, {}, tick=lambda: None)
            times.append(time.process_time() - at)
        spent.append([*bare_kernels(part, configs[0]), *times])
    return np.array(spent[1:])


def bare_kernels(rows: Sequence[ClipRow], config: Preprocess) -> list[float]:
    """CPU seconds that imread, resize and flow of some clips and a detection of each take, and nothing else."""
    detector, size = reference_detector(), config.size
    dis = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
    dis.setFinestScale(0)
    spent = np.zeros(len(KERNELS))
    for row in rows:
        files = [str(Path(row.root) / row.frames_dir / f"img{t:03d}.jpg") for t in range(FRAMES)]
        images = timed(spent[0:1], (cv2.imread(file) for file in files))
        small = timed(spent[1:2], (cv2.resize(i, (size, size), interpolation=cv2.INTER_AREA) for i in images))
        greys = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in small]
        timed(spent[2:3], (dis.calc(a, b, np.zeros((size, size, 2), np.float32)) for a, b in pairwise(greys)))
        first = images[0][..., ::-1]
        found = timed(spent[3:4], (detector.detect_faces(f, min_face_size=config.min_face) for f in [first]))
        assert len(found[0]) == 1, "the reference must find the one face that it is timed on"
    return list(spent)


@lru_cache(maxsize=1)
def reference_detector() -> Any:
    """mtcnn with its later stages as its package makes them, and its first over the levels that our detector takes."""
    from mtcnn import MTCNN
    from mtcnn.stages import StageONet, StageRNet

    from mer_tf.preprocessing.mtcnn import ProposalStage

    return MTCNN(stages=[ProposalStage, StageRNet, StageONet])


def timed(spent: np.ndarray, work: Iterable[Any]) -> list[Any]:
    """The results of `work`; the CPU seconds it took are added to `spent` (1,)."""
    at = time.process_time()
    done = list(work)
    spent += time.process_time() - at
    return done


def run_job(rows: Sequence[ClipRow], config: Preprocess, out: Path, workers: int) -> Job:
    """The whole job in a process of its own, whose memory can be told."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_job, args=(rows, config, out, workers, send))
    process.start()
    job: Job = receive.recv()
    process.join()
    shutil.rmtree(out)
    return job


def _job(rows: Sequence[ClipRow], config: Preprocess, out: Path, workers: int, send: Connection) -> None:
    from mer_tf.records.write import write_records

    at = time.perf_counter()
    write_records(rows, config, out, workers=workers, progress=False)
    seconds = time.perf_counter() - at
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    send.send(Job(seconds, *(u.ru_maxrss / 1024 for u in used)))


def stages(rows: Sequence[ClipRow], config: Preprocess) -> dict[str, float]:
    """Frames a CPU second of each stage of the job alone."""
    from mer_tf.datasets.clip_frames import read_clip
    from mer_tf.parallel import use_threads
    from mer_tf.preprocessing.faces import detect_face, face_transform, warp
    from mer_tf.preprocessing.flow import flow_clip
    from mer_tf.preprocessing.tvl1 import tvl1_clip
    from mer_tf.records.clip import process_clip
    from mer_tf.records.schema import encode

    use_threads(1)
    clips = [read_clip(row)[0] for row in rows]
    face = detect_face(clips[0][0], config.min_face)
    align, whole = (face_transform(face, mode, config.size, config.margin, (480, 640)) for mode in ("align", "none"))
    records = [process_clip(row, config) for row in rows]
    tvl1_clip(records[0].frames)  # compiled once a process, some 8 seconds
    work: dict[str, Iterable[Any]] = {
        "decode and check (`read_clip`)": (read_clip(row) for row in rows),
        "find the face, once a clip (`detect_face`)": (detect_face(clip[0], config.min_face) for clip in clips),
        "align (`warp`)": (warp(f, align, config.size) for clip in clips for f in clip),
        "shrink whole frames (`warp`)": (warp(f, whole, config.size) for clip in clips for f in clip),
        "flow (`flow_clip`, dis)": (flow_clip(record.frames, "dis") for record in records),
        "flow (`flow_clip`, tvl1: scikit-image, pair by pair)": (flow_clip(r.frames, "tvl1") for r in records),
        "flow (`tvl1_clip`, compiled, a clip's pairs at once)": (tvl1_clip(record.frames) for record in records),
        "PNG and serialise (`encode`)": (encode(record, config.image_format) for record in records),
    }
    rates = {}
    for name, calls in work.items():
        timed(spent := np.zeros(1), calls)
        rates[name] = FRAMES * len(rows) / float(spent[0])
    return rates


def report(
    spent: np.ndarray,
    jobs: Mapping[tuple[str, int], Job],
    names: Sequence[str],
    alone: Mapping[str, float],
    workers: int,
    size: int,
) -> str:
    """The tables, in Markdown."""
    kernels, jobs_spent = np.split(spent, [len(KERNELS)], axis=1)
    limits, frames = np.cumsum(kernels, axis=1), FRAMES * TURN
    columns = {f"{name} alone": kernels[:, k] for k, name in enumerate(KERNELS)}
    columns |= {" + ".join(KERNELS[: k + 1]): limits[:, k] for k in (2, 3)}
    columns |= {f"job: {name}": jobs_spent[:, k] for k, name in enumerate(names)}
    lines = [
        "## Preprocessing",
        "",
        f"`python benchmarks/preprocess.py`: clips of {FRAMES} JPEG frames of 640x480 to {size} px,",
        f"{workers} processes, {os.cpu_count()} cores.",
        "The limit is the bare kernels on the same clips, cores and minutes; `detect` is mtcnn's networks as its",
        "package runs them, once a clip, on the levels that the job takes; whole frames need none. The job also",
        f"checks, encodes, hashes and writes. CPU seconds, medians over {len(spent)} turns of {TURN} clips.",
        "",
        "| | frames a CPU second | of imread + resize + flow | with detect |",
        "|-|-|-|-|",
    ]
    for name, times in columns.items():
        shares = (f"{np.median(limits[:, k] / times):.0%}" for k in (2, 3))
        lines.append(f"| {name} | {np.median(frames / times):.0f} | {' | '.join(shares)} |")
    lines += ["", "| stage of the job, alone | frames a CPU second |", "|-|-|"]
    lines += [f"| {name} | {rate:.0f} |" for name, rate in alone.items()]
    lines += ["", "| job, as started | clips | seconds | peak of a worker, MiB | of the parent |", "|-|-|-|-|-|"]
    for (name, clips), job in jobs.items():
        lines.append(f"| {name} | {clips} | {job.seconds:.0f} | {job.worker_mib:.0f} | {job.parent_mib:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    tyro.cli(main)
