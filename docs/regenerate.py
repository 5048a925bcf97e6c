"""Make again every result that README.md and docs/ show, and write beside each on what it was made.

    python docs/regenerate.py                                   # all of it: some hours on two cores
    python docs/regenerate.py --only exp2_vggface_lstm ladder   # some of it
    python docs/regenerate.py --list                            # names, minutes, and what is stale
    python docs/regenerate.py --readme                          # only what pages say of what is stored

Stopped, the same command goes on: runs below --work that code of the same versions has finished are kept.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Annotated

import tyro
from pieces import DOCS, PIECES, ROOT, Piece, home
from readme_blocks import BLOCKS, PAGES, papers_markdown

from mer_tf.code_version import CODE
from mer_tf.config import MerError
from mer_tf.files import read_json, write_json, write_text
from mer_tf.quiet import quiet_tensorflow
from mer_tf.reporting.made import Made, maker, read_made, seeds_of, stale, write_made
from mer_tf.reporting.readme import update
from mer_tf.run_directory import environment, finished_run, newest_run

PROGRAMS = {"python": [sys.executable], "mer-tf": [sys.executable, "-c", "from mer_tf.cli import main; main()"]}
OLD = "is of before versions were counted"


def main(
    only: tuple[str, ...] = (),
    work: Path = ROOT / "runs" / "shown",
    show: Annotated[bool, tyro.conf.arg(name="list")] = False,
    readme: bool = False,
) -> None:
    """Make pieces, one after the other, each followed by what README.md and docs/ say of it.

    Args:
        only: Names of pieces; without any all are made.
        work: Folder for runs, records and features.
        show: List the pieces, the minutes that each takes, and what of them is stale; make none.
        readme: Write anew what README.md and docs/ say of what is stored, and docs/papers.md; make none.
    """
    if unknown := sorted(set(only) - PIECES.keys()):
        sys.exit(f"error: --only {' '.join(unknown)}: choose among {', '.join(PIECES)}")
    chosen = [PIECES[name] for name in only or PIECES]
    if show:
        print("\n".join(f"{piece.name:36} {minutes(piece):4.0f} min  {state(piece)}" for piece in chosen))
    elif readme:
        write_readme()
    else:
        print(f"pieces: {len(chosen)}, about {sum(map(minutes, chosen)):.0f} minutes")
        for number, piece in enumerate(chosen, 1):
            print(f"[{number}/{len(chosen)}] {piece.name}, about {minutes(piece):.0f} min", flush=True)
            seconds = make(piece, work.resolve() / "-".join(f"{name}-{v}" for name, v in CODE.items()))
            write_readme()
            print(f"[{number}/{len(chosen)}] {piece.name}: {seconds / 60:.1f} min", flush=True)


def minutes(piece: Piece) -> float:
    """What the piece took when it was made last, where that is recorded; else about what it takes on two cores."""
    seconds = read_made(piece.record).seconds if piece.record.exists() else None
    return seconds / 60 if seconds else float(piece.minutes)


def state(piece: Piece) -> str:
    """In words: whether what is stored is what would be made now."""
    if not piece.record.exists():
        return "not made yet"
    if found := stale(piece.record, piece.lines, piece.settings()):
        return f"stale: {'; '.join(found)}"
    return "as declared" if all(one.code for one in read_made(piece.record).made_by) else f"as declared, but {OLD}"


def make(piece: Piece, work: Path) -> float:
    """Run the lines of a piece, store what they made with its record; return the seconds it took in all."""
    note, start = work / "seconds" / f"{piece.name}.json", time.monotonic()
    before = read_json(note) if note.exists() else 0
    try:
        for line in piece.lines:
            run_line(line, piece, work)
    finally:
        seconds = before + round(time.monotonic() - start)
        write_json(note, seconds)
    files, environments = piece.publish(piece, work)
    found = [maker(read_json(p), piece.counts) for p in environments] or [maker(environment(), piece.counts)]
    makers = tuple(one for place, one in enumerate(found) if one not in found[:place])
    settings = piece.settings()
    made = Made(piece.lines, makers, seeds_of(settings), date.today().isoformat(), seconds, settings)
    write_made(piece.record, made, files)
    return float(seconds)


def run_line(line: str, piece: Piece, work: Path) -> None:
    """One command in a process of its own; a run that is finished is not run again, and one that was begun goes on."""
    words = [word.replace("WORK", str(work)) for word in shlex.split(line)]
    given = dict(word.split("=") for word in words[: next(k for k, word in enumerate(words) if word in PROGRAMS)])
    program, *rest = words[len(given) :]
    if program == "python":
        experiment = piece.experiment(piece.scripts[0], home(line, work))
        if finished_run(experiment):
            return
        rest += ["--out", experiment.out, "--data.cache", experiment.data.cache]
        if begun := newest_run(experiment, "config.json"):
            rest += ["--resume", str(begun)]
    subprocess.run([*PROGRAMS[program], *rest], cwd=ROOT, env=os.environ | given, check=True)


def write_readme() -> None:
    """Write docs/papers.md, and every block of a page whose result docs/ holds."""
    write_text(DOCS / "papers.md", papers_markdown())
    for name, block in BLOCKS.items():
        try:
            update(ROOT / PAGES[name], block(DOCS), name)
        except FileNotFoundError as error:
            print(f"{PAGES[name]}: {name} stays as it is, {error.filename} was not made yet")


if __name__ == "__main__":
    quiet_tensorflow()
    try:
        tyro.cli(main, description=__doc__)
    except MerError as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {shlex.join(error.cmd)} failed; its last words are above. The same command goes on")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on where it was")
