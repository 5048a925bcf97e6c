"""Spotted events before a recogniser: asked in small groups, so that no more pictures are held than one takes."""

from __future__ import annotations

from mer_tf.video.page_pictures import Keep, Looked
from mer_tf.video.preconditions import Moment, refusal
from mer_tf.video.recognise import Answer, Asked, Shown

TOGETHER = 200_000_000
"""Bytes of pictures that a run is asked about at once, as it is opened anew each time."""


class Answers:
    """What a recogniser says of the expressions of one video; of no recogniser, nothing."""

    def __init__(self, asked: Asked | None, fps: float, *, explain: bool = False) -> None:
        """`explain`: whether heat is wanted."""
        self.asked, self.fps, self.explain = asked, fps, explain
        self.keep: Keep = "none" if asked is None else "all" if asked.parts else "ends"
        self._found: dict[int, Answer] = {}
        self._waiting: dict[int, Shown] = {}

    def take(self, one: Looked) -> None:
        """Ask about an event, or say why that makes no sense."""
        if self.asked is None or not one.wanted.called:
            return
        key, wanted = one.wanted.key, one.wanted
        seconds = (wanted.apex - wanted.onset) / self.fps
        faces = one.faces.get("onset"), one.faces.get("apex")
        why = refusal(Moment(*faces, seconds, wanted.size, wanted.noise))
        if why or faces[0] is None:
            self._found[key] = Answer(refused=why)
            return
        part = [one.part[n] for n in sorted(one.part)]
        place = sorted(one.part).index(wanted.apex)
        ends = one.part[wanted.onset], one.part[wanted.apex]
        part = part if self.asked.parts else []
        self._waiting[key] = Shown(*ends, faces[0], self.fps, part, place, self.explain)
        held = sum(f.nbytes for s in self._waiting.values() for f in (s.onset, s.apex, *s.part))
        if held > TOGETHER or not self.asked.parts:
            self._ask()

    def all(self) -> dict[int, Answer]:
        """Event -> its answer."""
        self._ask()
        return self._found

    def _ask(self) -> None:
        if self.asked is not None and self._waiting:
            self._found |= dict(zip(self._waiting, self.asked(list(self._waiting.values())), strict=True))
            self._waiting = {}
