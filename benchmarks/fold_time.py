"""Frames a second of a training step whose frames are folded into the batch, and of one with TimeDistributed, in turns.

    python benchmarks/fold_time.py          # exp6; prints the table and writes it into benchmarks/RESULTS.md

`train_step.py` times its variants one after the other, so that minutes lie between the two; here they take turns on one
batch, with XLA and without, and medians count.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tyro
from results import keep, processor, table, timed
from train_step import SMALL_DATA, Repeated, one_batch, variant

from mer_tf.runner import declared, open_bench
from mer_tf.training.trainer import compile_model

WAYS = ("folded", "TimeDistributed")


def main(script: Path = Path("experiments/exp6_gia_bia_bilstm.py"), steps: int = 8, rounds: int = 7) -> None:
    """Measure, print the table, and write it into RESULTS.md.

    Args:
        script: Experiment, in its embedded declaration.
        steps: Steps of a turn.
        rounds: Turns of each variant, after one that compiles and does not count.
    """
    experiment = declared(script, "embedded", SMALL_DATA)
    with TemporaryDirectory(prefix="fold-time-") as folder:
        data = replace(experiment.data, cache=str(Path(folder) / "data"))
        bench, _ = open_bench(replace(experiment, data=data), Path(folder))
        batch = one_batch(bench)
        models = {}
        for way, xla in product(WAYS, (True, False)):
            models[way, xla] = variant(bench, way, "float32")
            compile_model(models[way, xla], replace(experiment.train, jit_compile=xla))
        spent: dict[tuple[str, bool], list[np.ndarray]] = {key: [] for key in models}
        for _ in range(rounds + 1):
            for key, model in models.items():
                spent[key].append(timed(partial(model.fit, Repeated(batch, steps), epochs=1, verbose=0, shuffle=False)))
    frames = len(batch[1]) * next(iter(batch[0].values())).shape[1] * steps
    rates = {key: frames / np.median(times[1:], axis=0) for key, times in spent.items()}
    lines = [
        [way, "yes" if xla else "no", *(f"{x:.0f}" for x in rate), f"{rate[1] / rates[WAYS[0], xla][1]:.2f}"]
        for (way, xla), rate in rates.items()
    ]
    text = (
        f"## Frames folded or one by one\n\n`python benchmarks/fold_time.py`: training steps of {experiment.name}, "
        f"{processor()}.\n\n"
        + table(["frames", "XLA", "frames/s", "frames a CPU second", "of folded's, by CPU time"], lines)
    )
    print(text)
    keep("fold-time", text)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
