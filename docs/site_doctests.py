"""Examples of docstrings (>>>) as code on the site, wherever in the text they stand."""

from __future__ import annotations

import re
from typing import Any

import griffe


class Doctests(griffe.Extension):
    """Puts a fence around each example of each docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for each class, function and attribute that is read."""
        if obj.docstring:
            obj.docstring.value = re.sub(
                r"^>>> .*(?:\n.+)*", lambda found: f"```pycon\n{found[0]}\n```", obj.docstring.value, flags=re.MULTILINE
            )
