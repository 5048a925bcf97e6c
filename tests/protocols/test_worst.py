"""The worst clips: the misclassified ones of least true probability, each with a filmstrip."""

from types import SimpleNamespace

import cv2
import numpy as np

from mer_tf.protocols.pictures.worst import worst_clips, write_worst


def test_worst_are_wrong_and_least_probable(frame):
    frame = frame.copy()
    frame.loc[3, "p_negative"] = 0.4
    table = worst_clips(frame, 12)
    assert set(table["clip_id"]) == set(frame.loc[frame["y_true"] != frame["y_pred"], "clip_id"])
    assert table["clip_id"].iloc[-1] == "c03"
    assert len(worst_clips(frame, 2)) == 2


def test_filmstrips_are_written_of_the_worst(frame, tmp_path):
    wanted = worst_clips(frame)["clip_id"].tolist()
    frame.to_csv(tmp_path / "predictions.csv", index=False)
    bench = SimpleNamespace(frames=lambda ids: {n: np.full((20, 32, 32, 3), 90, np.uint8) for n in ids})
    table = write_worst(bench, tmp_path)
    assert table["clip_id"].tolist() == wanted
    assert sorted(p.name for p in (tmp_path / "worst").iterdir()) == [*table["file"], "worst.csv"]
    assert cv2.imread(str(tmp_path / "worst" / "01.jpg")).shape == (16 + 64, 8 * 32, 3)
