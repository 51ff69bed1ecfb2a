"""``python -m offline evaluate-transcription``: what transcription is worth, on songs that nobody learned from.

Finished pieces are kept in the work folder: stopped and started again it goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hitloopd.core.errors import ArgumentError, nearest
from offline.jobs import write_atomically
from offline.transcription.judging.figures import Told, asked_for, overall, song_figures
from offline.transcription.judging.judged import GROUPS, KEPT_OUT, RENDERED, UNSEEN, JudgedSong, judged_songs
from offline.transcription.judging.report import page, write_pictures
from offline.transcription.judging.speed import speed
from offline.transcription.judging.table import table
from offline.transcription.judging.work import heard
from offline.transcription.parts import Choice

CHAIN_PART, TABLE_PART, SPEED_PART = PARTS = ("chain", "table", "speed")
TIMED_SONGS: Final = 4
PAGE, FIGURES = "report.md", "report.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add = parser.add_argument
    add("--songs", type=Path, required=True, metavar="DIR", help="songs with their truth")
    add(
        "--references", type=Path, required=True, metavar="ONESHOTS", help="one-shots, with the kits that were kept out"
    )
    add("--work", type=Path, required=True, metavar="DIR", help="where what was rendered and heard is kept")
    add("--out", type=Path, metavar="REPORT", help="folder for the page (WORK/report)")
    add("--parts", default=",".join(PARTS), help=f"what to judge (default: {','.join(PARTS)})")
    add("--groups", default=",".join(GROUPS), help=f"on which songs (default: {','.join(GROUPS)})")
    add("--jobs", type=int, default=1, help="processes; 0 is one per core")
    add("--json", action="store_true", help="say it as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Judge; the exit code says whether it could be done, not how good it is."""
    parts = _chosen(arguments.parts, PARTS, "part")
    groups = _chosen(arguments.groups, GROUPS, "group")
    songs = judged_songs(arguments.songs, arguments.references, arguments.work, groups)
    summary: Told = {"kept out of training": list(KEPT_OUT), "songs": {}, "groups": {}}
    if CHAIN_PART in parts:
        summary |= _chain(songs, arguments)
    if TABLE_PART in parts:
        summary |= _table(songs, arguments)
    timed = [song for song in songs if song.group == RENDERED]
    if SPEED_PART in parts and len(timed) > 1:
        summary["speed"] = speed(timed[: TIMED_SONGS + 1], Choice())
    summary["bars"] = asked_for(summary)
    _write(summary, arguments)
    return 0


def _chosen(words: str, known: Sequence[str], kind: str) -> list[str]:
    chosen = [word.strip() for word in words.split(",") if word.strip()]
    for word in chosen:
        if word not in known:
            raise ArgumentError(f"There is no {kind} '{word}'; there are {', '.join(known)}.{nearest(word, known)}")
    return [word for word in known if word in chosen]


def _chain(songs: Sequence[JudgedSong], arguments: argparse.Namespace) -> Told:
    figures: dict[str, Told] = {}
    who: dict[str, str] = {}
    for song, outcome in heard(songs, Choice(), arguments.work, workers=arguments.jobs, quiet=arguments.json):
        figures[song.name] = song_figures(song, outcome)
        who.update(outcome.who)
    groups = {group: overall(figures, group) for group in GROUPS if any(s.group == group for s in songs)}
    return {"heard by": who, "songs": figures, "groups": groups}


def _table(songs: Sequence[JudgedSong], arguments: argparse.Namespace) -> Told:
    some = [song for song in songs if song.group in {RENDERED, UNSEEN}]
    rows, who = table(some, arguments.work, workers=arguments.jobs, quiet=arguments.json)
    return {"table": rows, "not installed": dict(who.missing)}


def _write(summary: Told, arguments: argparse.Namespace) -> None:
    out: Path = arguments.out or arguments.work / "report"
    text = page(summary)
    write_atomically(out / FIGURES, json.dumps(summary, indent=1).encode())
    write_atomically(out / PAGE, text.encode())
    write_pictures(summary, out)
    if arguments.json:
        print(json.dumps(summary))
    else:
        print(text)
        print(f"{out / PAGE}", file=sys.stderr)
