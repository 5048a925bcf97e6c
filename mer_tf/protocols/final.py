"""final/ of a run: one more network, trained on all clips once every fold is tested. No figure is measured on it."""

from __future__ import annotations

import logging
from pathlib import Path

from mer_tf.config import GRADCAM
from mer_tf.evaluation.folds import Fold
from mer_tf.files import write_json
from mer_tf.locks import held
from mer_tf.progress import Progress
from mer_tf.protocols.cross_validation import train_network
from mer_tf.protocols.layer_choice import choose_block
from mer_tf.protocols.selection import epochs_a_fold
from mer_tf.protocols.workbench import Bench, Workbench
from mer_tf.reporting.card import FINAL, FINAL_SAID

log = logging.getLogger("mer_tf")


def train_final(bench: Workbench, directory: Path) -> None:
    """Train on all clips, as each fold on its own: the same epochs, or those chosen on inner subjects of all.

    Its labels are known, and nothing of it is tested. A finished one is kept.
    """
    assert isinstance(bench, Bench)  # of a network, as the run was asked for
    folder = directory / FINAL
    with held(folder):
        if (folder / "final.json").exists():
            return
        everything = Fold(number=len(bench.folds()), train=tuple(range(len(bench.clips))), test=())
        if getattr(bench.network, "retrain_from", None) == GRADCAM:
            bench = bench.retrained_from(choose_block(bench, everything, folder))
        labels, seed = bench.seal().training(everything), bench.experiment.train.seed
        with Progress(total=epochs_a_fold(bench.experiment), desc="final model", unit="epoch") as bar:
            train_network(bench, everything, labels, seed, folder, bar)
        write_json(folder / "final.json", {"clips": len(labels), "seed": seed, "claim": FINAL_SAID})
    log.info("final model: %s", FINAL_SAID)
