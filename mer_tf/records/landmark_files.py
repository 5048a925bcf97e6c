"""The fitted landmarks of manifest rows: which file is whose, and which of its rows belongs to which frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath

from mer_tf.config import MerError, Preprocess
from mer_tf.datasets.manifest import ClipRow
from mer_tf.errors import refuse
from mer_tf.files import sha256
from mer_tf.names import first_lines
from mer_tf.preprocessing.faces import Face
from mer_tf.preprocessing.frame_names import frame_names
from mer_tf.preprocessing.frames import image_files
from mer_tf.preprocessing.landmark_tables import LandmarkTable, read_landmarks
from mer_tf.preprocessing.landmarks import load_landmark_model, mesh_file

TRIED = (0.0, 0.25, 0.5, 0.75)
"""Where in the clip a face is looked for, in this order, as shares of onset .. offset."""


def tried_frames(row: ClipRow) -> list[int]:
    """Numbers of the frames in which a face is looked for."""
    return [row.onset + round(share * (row.offset - row.onset)) for share in TRIED]


def filed_face(row: ClipRow, folder: Path, files: Sequence[Path] | None = None) -> tuple[Face, int]:
    """The face that a clip's file has in the first frame, else in one later in the clip, and the number of that frame.

    `MerError` for a file that is not there, is no table of landmarks, is of other frames, or has no face in the clip.
    files: those of the folder, where they are listed.
    """
    path = landmark_file(row, csv_files(folder) if files is None else files, folder)
    states = [(state.st_size, state.st_mtime_ns) for state in (path.stat(), row.source().stat())]
    return _face_in(row, path, *states)


@cache
def _face_in(row: ClipRow, path: Path, *states: tuple[int, int]) -> tuple[Face, int]:
    """The same of a file, read once as long as size and time of it and of the clip's source stay."""
    table = read_landmarks(path)
    places = _places(row, table)
    numbers = sorted(places)
    for wanted in tried_frames(row):
        number = next((n for n in numbers if n >= wanted), None)
        if number is not None and (face := table.face(places[number])):
            return face, number
    raise MerError(
        f"clip {row.clip_id}: {table.path}, line {table.lines[places[numbers[0]]]}, and at a quarter, half and three "
        "quarters of the clip, has success 0: no landmarks were fitted there; fit them again, or leave the clip out"
    )


def landmark_file(row: ClipRow, files: Sequence[Path], folder: Path) -> Path:
    """The CSV whose whole path below the folder is the end of the clip's id or of its frames' path, or ends in one.

    Of several the longest match; `MerError` for none and for two.
    """
    names = [_parts(row.clip_id), _parts(row.frames_dir), _stem(row.video)]
    ends = {path: _stem(path.relative_to(folder).as_posix()) for path in files}
    scores = {path: max(_common_end(end, name) for name in names) for path, end in ends.items()}
    best = max(scores.values(), default=0)
    found = [path for path, score in scores.items() if score == best]
    if not best:
        wanted = f"{names[0][-1]}.csv"
        raise MerError(f"clip {row.clip_id}: {folder} holds no {wanted} (nor one named after its frames); fit it first")
    if len(found) > 1:
        both = " and ".join(map(str, found[:2]))
        raise MerError(f"clip {row.clip_id}: {both} may both be its landmarks; name the one {row.clip_id}.csv")
    return found[0]


def require_landmarks(rows: Sequence[ClipRow], config: Preprocess) -> None:
    """`MerError` that lists clips without usable landmarks, where these are to come from files."""
    refuse(first_lines(list(landmark_faults(rows, config))))


def settings_faults(config: Preprocess) -> Iterator[str]:
    """What is wrong with preprocess.landmarks and landmarks_from alone."""
    way, given = config.landmarks, config.landmarks_from
    if given and way in ("mtcnn", "mesh"):
        yield f"preprocess.landmarks_from={given}: say what it holds with preprocess.landmarks=file or onnx"
    elif not given and way in ("file", "onnx"):
        what = "the folder of the CSV files" if way == "file" else "the ONNX file of a landmark network"
        yield f"preprocess.landmarks={way}: give {what} with preprocess.landmarks_from"
    elif way == "file" and not Path(given).is_dir():
        yield f"preprocess.landmarks_from={given}: no such folder; give that of the CSV files, one a clip"
    elif way in ("onnx", "mesh"):
        try:
            load_landmark_model(network_file(config))
        except MerError as error:
            yield f"preprocess.landmarks={way}: {error}"


def network_file(config: Preprocess) -> Path:
    """File of the landmark network."""
    return mesh_file() if config.landmarks == "mesh" else Path(config.landmarks_from)


def landmark_faults(rows: Sequence[ClipRow], config: Preprocess) -> Iterator[str]:
    """A sentence for each clip of frames whose landmarks are to come from a file and cannot."""
    if config.landmarks != "file":
        return
    folder = Path(config.landmarks_from)
    files = csv_files(folder)
    for row in (row for row in rows if not row.image):
        try:
            filed_face(row, folder, files)
        except MerError as error:
            yield str(error)


def landmarks_digest(rows: Sequence[ClipRow], config: Preprocess) -> list[str]:
    """Digests of what fitted landmarks come from; none for MTCNN. `MerError` for a file that two sources share."""
    if config.landmarks == "mtcnn":
        return []
    if config.landmarks != "file":
        return [sha256(network_file(config))]
    folder, found = Path(config.landmarks_from), dict[Path, ClipRow]()
    listed.cache_clear()
    files = listed(folder)
    for row in sorted(rows, key=lambda r: r.clip_id):
        try:
            first = found.setdefault(path := landmark_file(row, files, folder), row)
        except MerError:  # the clip itself will fail
            continue
        if (first.root, first.frames_dir, first.video) != (row.root, row.frames_dir, row.video):
            raise MerError(
                f"{path}: may be the landmarks of {first.clip_id} and of {row.clip_id}; name it {first.clip_id}.csv, "
                "if it is the former's"
            )
    return [sha256(path) for path in found]


def _places(row: ClipRow, table: LandmarkTable) -> dict[int, int]:
    """Number of each frame of the clip -> its place in the table."""
    if row.sampling:
        raise MerError(
            f"clip {row.clip_id}: frames of {row.video} are taken by time, {table.path} counts them as decoded; "
            "use preprocess.landmarks=onnx or mtcnn"
        )
    rows = len(table.points)
    if row.video:
        places, images = {n: n for n in range(row.onset, row.offset + 1)}, row.offset + 1
        fits = rows >= images
    else:
        order = {path.name: k for k, path in enumerate(image_files(row.source()))}  # by name as text, as OpenFace does
        found = frame_names(row.source())
        numbered = zip(found.numbers, found.names, strict=True)
        places = {n: order[name] for n, name in numbered if row.onset <= n <= row.offset}
        images, fits = len(order), rows == len(order)
    if not fits or not places:
        raise MerError(
            f"clip {row.clip_id}: {table.path} has {rows} rows for {images} images of {row.source()}; fit the "
            "landmarks of all of them"
        )
    return places


def csv_files(folder: Path) -> list[Path]:
    """The CSV files below a folder."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".csv")


listed = lru_cache(maxsize=1)(csv_files)
"""The same, looked for once a job: `landmarks_digest`, with which a job begins, forgets what was found before."""


def _parts(path: str) -> tuple[str, ...]:
    return tuple(p for p in PurePosixPath(path).parts if p not in (".", "/"))


def _stem(path: str) -> tuple[str, ...]:
    """The same without the suffix of the last one."""
    *folders, name = _parts(path) or ("",)
    return (*folders, PurePosixPath(name).stem) if name else ()


def _common_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Parts of the shorter path where the other ends in it, else 0: s2/clip is not s1/clip."""
    shorter = min(len(one), len(other))
    return shorter if shorter and one[-shorter:] == other[-shorter:] else 0
