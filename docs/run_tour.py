"""Run docs/tour.ipynb from its first cell to its last and store its outputs, with the code versions they are of.

pip install -e ".[docs]" && python docs/run_tour.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mer_tf.code_version import CODE
from mer_tf.files import read_json, write_text

TOUR = Path(__file__).with_name("tour.ipynb")


def main() -> None:
    """Execute in docs/, as a reader does."""
    import nbclient
    import nbformat

    notebook = nbformat.read(TOUR, as_version=4)
    nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(TOUR.parent)}}).execute()
    write_text(TOUR, nbformat.writes(kept(notebook)) + "\n")


def kept(notebook: Any) -> Any:
    """The notebook without times, versions of Python, progress, and what TensorFlow says of itself."""
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr" and not _of_tensorflow(one)]
    known = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    notebook.metadata = {**known, "mer_tf": CODE}
    return notebook


def _of_tensorflow(output: Any) -> bool:
    return str(output.get("text", "")).startswith("WARNING:tensorflow")


def sources() -> list[str]:
    """The code of each cell, in its order."""
    return ["".join(cell["source"]) for cell in read_json(TOUR)["cells"] if cell["cell_type"] == "code"]


if __name__ == "__main__":
    main()
