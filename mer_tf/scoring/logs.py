"""The plain-text logs that published three-class networks leave: the only trace of many published results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mer_tf.config import MerError
from mer_tf.table_files import decoded, is_excel, read_bytes, read_text

SUBJECT = re.compile(r"^\s*subject(?:\s+name)?\s*[:=]\s*(\S.*?)\s*$", re.IGNORECASE)
LABELS = re.compile(r"^\s*(best\s+)?(predict(?:ed|ions?)?|ground\s*truth)\s*[:=]\s*(.*)$", re.IGNORECASE)
LIST = re.compile(r"^(?:tensor|array)?\(?\s*\[([^\[\]]*)\](?:,\s*(?:device|dtype)=[^)]*)*\)?\s*$")
HEADING = re.compile(r"^\s*([\w()-]+)\s+(\S+)\s*$")
MEND = "give a table, a log or a run directory"
CLIP = re.compile(r"^\s*(\S+)\s+(-?\d+)\s+(-?\d+)\s*$")


@dataclass
class Block:
    """What a log says of one subject: labels by kind ("predicted", "best predicted", "truth")."""

    subject: str
    line: int
    labels: dict[str, list[str]] = field(default_factory=dict)


def read_log(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Predictions table of a training log, a fold a subject, and notes on it.

    Two shapes are known. Blocks of lines `Subject: sub01`, `Predicted : [0, 1]`, `Ground Truth : [0, 2]`, the last two
    in any order, as Python lists, numpy arrays (also over several lines) or torch tensors; clips are numbered within
    their subject. Or lines `casme2 sub01` (data set, subject), each followed by lines `clip truth prediction`.

    Raises `MerError` naming the line that cannot be read.
    """
    lines = read_text(path, MEND).split("\n")
    blocks = list(_blocks(lines, path))
    if not blocks:
        return _clip_lines(lines, path), ["read as lines of clip, truth and prediction, a fold a subject"]
    return _frame(blocks, path), ["read as a log; each subject is a fold, clips are numbered", *_peeking(blocks)]


def is_log(path: Path) -> bool:
    """Whether the content is that of a training log: it has a list of labels, or a heading and a line of a clip."""
    data = read_bytes(path, MEND)
    if is_excel(data):
        return False
    lines = [line for line in decoded(data, path, MEND).split("\n") if line.strip()]
    if any((match := LABELS.match(line)) and "[" in match[3] for line in lines):
        return True
    return bool(lines[1:] and HEADING.match(lines[0]) and CLIP.match(lines[1]))


def _blocks(lines: list[str], path: Path) -> Iterator[Block]:
    """The log's blocks, in order; a log without `Subject` lines is one block."""
    block = Block("", 1)
    number = 0
    while number < len(lines):
        line, number = lines[number], number + 1
        if match := SUBJECT.match(line):
            if block.labels:
                yield block
            block = Block(match[1], number)
        elif match := LABELS.match(line):
            start, text = number, match[3]
            while "[" in text and "]" not in text and number < len(lines):
                text, number = f"{text} {lines[number]}", number + 1
            _add(block, _kind(match), _items(text, f"{path}, line {start}"), f"{path}, line {start}")
    if block.labels:
        yield block


def _kind(match: re.Match[str]) -> str:
    if match[2].lower().startswith("ground"):
        return "truth"
    return "best predicted" if match[1] else "predicted"


def _items(text: str, where: str) -> list[str]:
    """Labels of `[0, 1]`, `[0 1]` or `tensor([0, 1], device='cuda:0')`."""
    match = LIST.match(text.strip())
    items = re.split(r"[,\s]+", match[1].strip()) if match else []
    if not match or any(not re.fullmatch(r"-?\d+(\.0*)?|'[^']+'|\"[^\"]+\"", item) for item in items):
        raise MerError(
            f"{where}: {text.strip()[:60]!r} is not a list of labels such as [0, 1, 2]; print the whole list"
        )
    return [re.sub(r"\.0*$", "", item).strip("'\"") for item in items]


def _add(block: Block, kind: str, labels: list[str], where: str) -> None:
    if kind in block.labels:
        whose = f"of {block.subject} " if block.subject else ""
        raise MerError(f"{where}: a second list {whose}({kind}); keep one run and one epoch a file")
    block.labels[kind] = labels


def _frame(blocks: list[Block], path: Path) -> pd.DataFrame:
    rows: list[dict[str, str]] = []
    seen: set[str] = set()
    for fold, block in enumerate(blocks):
        where = f"{path}, line {block.line}: the block of {block.subject or 'the log'}"
        predicted = block.labels.get("predicted", block.labels.get("best predicted"))
        truth = block.labels.get("truth")
        if predicted is None or truth is None:
            raise MerError(f"{where} lacks its {'Predicted' if predicted is None else 'Ground Truth'} line")
        if len(predicted) != len(truth):
            raise MerError(f"{where} has {len(predicted)} predictions for {len(truth)} true labels")
        if block.subject in seen:
            raise MerError(f"{where} comes a second time; keep one run a file")
        seen.add(block.subject)
        rows += [
            _row(f"{block.subject or 'clip'}/{k}", block.subject, fold, *pair)
            for k, pair in enumerate(zip(truth, predicted, strict=True), start=1)
        ]
    frame = pd.DataFrame(rows)
    return frame if blocks[0].subject else frame.drop(columns=["subject", "fold"])


def _row(clip: str, subject: str, fold: int, truth: str, predicted: str) -> dict[str, str]:
    return {"clip_id": clip, "subject": subject, "fold": str(fold), "y_true": truth, "y_pred": predicted}


def _peeking(blocks: list[Block]) -> list[str]:
    """Networks that print `Best Predicted` keep the epoch that was best on the test subject itself."""
    if any("predicted" not in block.labels for block in blocks):
        return ["PEEKING: predictions named 'Best Predicted' are those of the epoch that was best on the test subject"]
    if any("best predicted" in block.labels for block in blocks):
        return ["'Predicted' is scored; 'Best Predicted', the best epoch on the test subject, is left out"]
    return []


def _clip_lines(lines: list[str], path: Path) -> pd.DataFrame:
    """Headings `data set, subject`, then `clip truth prediction`."""
    rows: list[dict[str, str]] = []
    dataset, subject, fold = "", "", -1
    for number, line in enumerate(lines, start=1):
        if clip := CLIP.match(line):
            if fold < 0:
                raise MerError(f"{path}, line {number}: {line.strip()!r} comes before any line `data set subject`")
            row = _row(f"{dataset}/{subject}/{clip[1]}", f"{dataset}/{subject}", fold, clip[2], clip[3])
            rows.append(row | {"dataset": dataset})
        elif heading := HEADING.match(line):
            dataset, subject, fold = heading[1], heading[2], fold + 1
        elif line.strip():
            raise MerError(
                f"{path}, line {number}: cannot read {line.strip()[:60]!r}; known are blocks of Subject, Predicted and "
                "Ground Truth, and lines `data set subject` with lines `clip truth prediction`"
            )
    if not rows:
        raise MerError(f"{path}: holds no predictions; known are .csv, .tsv and .xlsx tables and training logs")
    return pd.DataFrame(rows)
