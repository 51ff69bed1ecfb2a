"""``python -m offline transcribe SONG… --out DIR``: songs into bars, MIDI and pictures, each with its source."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hitloopd.core.errors import ArgumentError
from offline.arguments import REFUSED, add_ears, add_gate, add_own, add_work, tell_left_out, tell_unknown
from offline.catalogue import gate
from offline.jobs import Job, Refused, job_key, run_jobs
from offline.transcription import parts
from offline.transcription.listen import STEMS
from offline.transcription.song import Task, transcribe
from offline.transcription.songs import Song, find_songs, folders

WORK: Final = ".work"
SOME_FAILED: Final = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``transcribe``."""
    parser.add_argument("songs", nargs="+", type=Path, metavar="SONG", help="sound files, or folders of them")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets a folder for each song")
    add_ears(parser)
    parser.add_argument(
        "--stems",
        nargs="+",
        type=_stem,
        default=[],
        metavar="NAME=FILE",
        help="drums=FILE and bass=FILE that sound together with the song: taken as they are",
    )
    add_gate(parser)
    add_own(parser, "songs")
    add_work(parser)
    parser.add_argument("--json", action="store_true", help="say it as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Transcribe; 0 if bars came of every song, 1 if not or if a licence gate refused."""
    if args.out.exists() and not args.out.is_dir():
        raise ArgumentError(f"--out must be a folder for the songs; {args.out} is a file.")
    songs, missing = find_songs(args.songs, args.author, args.own_licence)
    passed = gate([song.source for song in songs], args.licence, allow_unknown=args.allow_unknown)
    if passed.unknown:
        tell_unknown(passed, "nothing was transcribed")
        return REFUSED
    tell_left_out(passed)
    fit = {source.path for source in passed.passed}
    done = transcribe_all(
        [song for song in songs if song.source.path in fit],
        args.out,
        parts.Choice(args.separator, args.drums, args.bass),
        stems=dict(args.stems),
        workers=args.jobs,
        cluster=args.cluster,
        quiet=args.quiet or args.json,
    )
    told = [f"{path}: there is no such file or folder." for path in missing]
    told += [f"{name}: {why}" for name, why in done.failed]
    for line in told:
        print(line, file=sys.stderr)
    if args.json:
        print(json.dumps({"out": str(args.out), "songs": done.rows, "problems": told}, ensure_ascii=False))
    else:
        for row in done.rows:
            print(_line(row))
    return SOME_FAILED if told or passed.refused or not done.rows else 0


@dataclass(slots=True)
class Done:
    """What came of the songs.

    Args:
        rows: what the provenance of each says, and its folder.
        failed: each song of which no bar came, and why.
    """

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    failed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def transcribe_all(
    songs: Sequence[Song],
    out: Path,
    choice: parts.Choice,
    *,
    stems: Mapping[str, Path] | None = None,
    workers: int = 1,
    cluster: str | None = None,
    quiet: bool = False,
) -> Done:
    """A folder for each song below ``out``; those that are there already are not done again.

    Raises:
        ArgumentError: there are stems and not one song.
        UnavailableError: one of those who shall listen does not run here, or the cluster does not answer.
    """
    if stems and len(songs) != 1:
        raise ArgumentError(f"--stems belong to one song; here are {len(songs)}.")
    parts.ears(choice)  # who can't listen says so once, and not for every song
    jobs = [
        Job(
            job_key(song.name),
            (
                Task(
                    song.name, song.source, (out / folder).resolve(), (out / WORK).resolve(), choice, stems or {}, quiet
                ),
            ),
        )
        for song, folder in zip(songs, folders(songs), strict=True)
    ]
    done = Done()
    with tempfile.TemporaryDirectory() as store:  # each song's own folder says that it is done
        results = run_jobs(transcribe, jobs, Path(store), workers=workers, cluster=cluster, label="songs", quiet=quiet)
        for job, result in results:
            _note(done, job.arguments[0], result)
    shutil.rmtree(out / WORK, ignore_errors=True)  # everything is done: nothing to go on from
    return done


def _note(done: Done, task: Task, result: Mapping[str, Any] | Refused) -> None:
    if isinstance(result, Refused):
        done.failed.append((task.name, result.reason.removeprefix(f"{task.source.path}: ")))
        return
    done.rows.append({**result, "folder": str(task.folder)})
    if not result["bars"]["kept"]:
        why = ", ".join(f"{reason} ({count})" for reason, count in result["bars"]["left out"].items())
        done.failed.append((task.name, f"not one of its {result['bars']['found']} bars is kept: {why}."))


def _line(row: Mapping[str, Any]) -> str:
    bars = row["bars"]
    heard = ", ".join(f"{lane} {hits['count']}" for lane, hits in row["hits"].items())
    return (
        f"{row['song']}: {row['tempo_bpm']:.1f} BPM, {bars['kept']} of {bars['found']} bars kept, "
        f"confidence {row['confidence']:.2f}; {heard}: {row['folder']}"
    )


def _stem(text: str) -> tuple[str, Path]:
    name, given, path = text.partition("=")
    if not given or name not in STEMS:
        raise argparse.ArgumentTypeError(f"'{text}' is no stem: drums=FILE or bass=FILE")
    return name, Path(path).resolve()
