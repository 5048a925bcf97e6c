"""A page of spotted events that were made up, on two drawn videos that a browser plays."""

import base64

import cv2
import numpy as np

from helpers.videos import write_video
from mer_tf.reporting.spotting_page import ShownEvent, ShownTrack, ShownVideo, Spotted, packed

FPS = 25.0
REGIONS = {"brow_inner_left": "brow", "brow_inner_right": "brow", "lip_lower": "mouth"}
HEAT, NO_HEAT = {"text": "apex with heat by occlusion"}, {"text": "No heat map: the head is turned."}
LIMITS = ("It was trained on drawings.",)
HOSTILE = "</script><script>alert(1)</script>"


def spotted(folder, faces=True):
    """Two videos of two seconds in `folder`, in each a micro-expression, a macro one and a blink."""
    names = ["anna.webm", "bert.webm"]
    for k, name in enumerate(names):
        write_video(folder / name, [_picture(k, t) for t in range(50)], "VP80", FPS)
    tracks, events = [], []
    for k, name in enumerate(names):
        curve, every = packed(_curve())
        tracks.append(ShownTrack(k, 1, 0, 50, "end", (0.05, 0.06, 0.2), k == 1, curve, every))
        for number, (onset, verdict, cause) in enumerate(
            ((5, "micro", ""), (20, "rejected", "blink"), (30, "macro", ""))
        ):
            row = _row(name, onset, verdict, cause, 1.5 + number)
            answer = {"text": "positive 0.90", "long": f"Recognised: positive. {HOSTILE}"} if verdict == "micro" else {}
            warm = HEAT | {"source": _uri(np.full((8, 8, 3), 200, np.uint8))}
            heat = {"micro": warm, "macro": NO_HEAT}.get(verdict, {})
            events.append(ShownEvent(row, k, FPS, _pictures(), _film(onset), answer, heat))
    videos = [ShownVideo(n, n, FPS, 50, n, 0) for n in names]
    return Spotted(videos, tracks, events, REGIONS, 4.5, ("events.csv",), LIMITS, faces)


def _picture(k, t):
    texture = np.random.default_rng(k).integers(0, 256, (6, 6, 3), np.uint8)
    return np.roll(cv2.resize(texture, (64, 64), interpolation=cv2.INTER_CUBIC), t * (1 - 2 * k), axis=1)


def _curve():
    curve = np.zeros((50, 3))
    curve[5:12, 0] = curve[30:48, 2] = 2.0
    return curve


def _row(name, onset, verdict, cause, peak):
    length = 17 if verdict == "macro" else 6
    seconds = {
        "onset_seconds": onset / FPS,
        "apex_seconds": (onset + 3) / FPS,
        "offset_seconds": (onset + length) / FPS,
    }
    span = {"onset": onset, "apex": onset + 3, "offset": onset + length, "frames": length + 1}
    said = {"verdict": verdict, "cause": cause, "regions": "brow_inner_left", "suggested_aus": "1+2"}
    return {"video": name, "track": 1, **span, **seconds, **said, "peak_px": peak, "peak_noise": 4 * peak}


def _pictures():
    return {name: _uri(np.full((8, 8, 3), 90, np.uint8)) for name in ("onset", "apex less onset, × 4")}


def _film(onset):
    return {"source": _uri(np.zeros((16, 160, 3), np.uint8)), "frames": list(range(onset, onset + 10)), "side": 16}


def _uri(picture):
    return f"data:image/png;base64,{base64.b64encode(cv2.imencode('.png', picture)[1]).decode()}"
