"""Pages of the site that are written elsewhere: its first is README.md, and the tour is the notebook with its outputs.

mkdocs calls these functions (`hooks` in mkdocs.yml).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
TOUR = "tour.ipynb"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; README's links, which lead into docs/, lead from there."""
    from mkdocs.structure.files import File

    pages = {"index.md": readme_page(), "tour.md": notebook_page(json.loads((ROOT / "docs" / TOUR).read_text("utf-8")))}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def readme_page() -> str:
    """README.md as a page of docs/: what the repository alone holds is named there and not linked."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](", text)
    return re.sub(r"\[([^\]]+)\]\((CONTRIBUTING\.md|LICENSE|CITATION\.cff)\)", r"\1", text)


def notebook_page(notebook: dict[str, Any]) -> str:
    """The notebook as Markdown; pictures stand in the text itself."""
    parts = [f"[The notebook]({TOUR}) to run yourself."]
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
        else:
            parts += [f"```python\n{text}\n```", *map(_output, cell["outputs"])]
    first, heading, *rest = [*parts, ""]
    return "\n\n".join([heading, first, *filter(None, rest)])


def _output(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return f"```text\n{''.join(output['text']).rstrip()}\n```"
    data = output.get("data", {})
    if "image/png" in data:
        return f"![Output of the cell above](data:image/png;base64,{''.join(data['image/png']).replace(chr(10), '')})"
    return f"```text\n{''.join(data.get('text/plain', '')).rstrip()}\n```"
