"""The command that looks through videos for fast, small movements of faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from mer_tf.errors import refuse
from mer_tf.ranges import Countless, Range


def spot(
    videos: tyro.conf.Positional[tuple[Path, ...]],
    out: Path,
    camera: Countless | None = None,
    seconds: Annotated[float, Range(1, 86400)] | None = None,
    keep: bool = True,
    fps: Annotated[float, Range(1, 2000)] | None = None,
    recognise: bool = True,
    run: Path | None = None,
    faces: bool = True,
    embed: bool = False,
    video: bool = False,
    engine: Literal["local", "beam"] = "local",
    beam: tuple[str, ...] = (),
    workers: Annotated[int, Range(1, 1024)] = 1,
    dry_run: bool = False,
) -> None:
    """Find where in videos a face moves as fast and as little as a micro-expression, and say why the rest is none.

    Ctrl-C keeps what was done, and the same command goes on there.

    Args:
        videos: Video files of any length, or folders of frames.
        out: Folder for index.html, which shows what was found, events.csv and events.json.
        camera: Number of a camera to read instead, until Ctrl-C or for --seconds.
        seconds: How long a camera is read.
        keep: Keep a camera's pictures in --out (30 MB a minute at 640 x 480), without which the page shows none.
        fps: Frames a second of folders of frames (30 without), or where a file states a wrong rate.
        recognise: Ask what each expression shows: negative, positive or surprise, where face and motion allow it.
        run: Run or bundle to ask instead of the shipped recogniser.
        faces: Put pictures of the people into index.html.
        embed: Put a small copy of each video into index.html, for browsers that cannot play the file itself.
        video: Write a copy of each video with the events drawn in.
        engine: local: one video after the other; beam: by an Apache Beam pipeline. Either writes the same bytes.
        beam: Options of the pipeline, as runner=DaskRunner dask_client_address=tcp://host:8786; else it runs here.
        workers: Processes of a pipeline that runs here.
        dry_run: Write nothing; say how many videos, bytes and hours are to come, from 90 seconds of up to nine videos.
    """
    from mer_tf.video.events import HONEST
    from mer_tf.video.page import Wishes, write_page
    from mer_tf.video.recognise import asked_of
    from mer_tf.video.sources import open_camera, open_sources
    from mer_tf.video.spot import spot_all

    faults = {
        "name videos or folders of frames, or a camera by --camera 0, and not both": (camera is None) == (not videos),
        f"--run {run}: says who recognises, and --no-recognise that nobody does; leave one out": run and not recognise,
        f"--run {run}: no such run or bundle; is the path right?": run and not run.exists(),
        "--embed puts the video into the page, and --no-faces leaves the people out; leave one out": embed
        and not faces,
        "--seconds is for --camera; leave it out": seconds is not None and camera is None,
        "--no-keep is for --camera; leave it out": not keep and camera is None,
        "--engine beam and --dry-run are for videos, and a camera is read here; leave them out": camera is not None
        and (engine == "beam" or dry_run),
    }
    refuse(text for text, wrong in faults.items() if wrong)
    if camera is None:
        sources, lost = open_sources(videos, fps)
    else:
        sources, lost = [open_camera(camera, seconds, fps, out if keep else None)], {}
    for source in sources:
        if source.kept:
            print(f"{source.name}: pictures are kept in {source.kept}; --no-keep keeps none")
    asked = asked_of(run) if recognise else None
    wishes = Wishes(faces, embed, video, asked)
    if dry_run:
        from mer_tf.video.cost import spot_cost

        print(spot_cost(sources, out, wishes).text(workers))
        return
    done = spot_all(sources, out, lost=lost, engine=engine, beam=beam, workers=workers)
    for path in (*done.paths, *([write_page(done.sources, out, wishes)] if done.sources else [])):
        print(path)
    print(HONEST)
    done.refuse_lost(out)
