"""``python -m offline dataset build | encode``: MIDI files into a data set, or into bars for anybody to judge with."""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from hitloopd.core.errors import ArgumentError, UnavailableError
from offline.arguments import REFUSED, add_ears, add_gate, add_own, add_work, tell_left_out, tell_unknown
from offline.catalogue import gate
from offline.dataset.audio import SONGS, audio_facts, find_audio, transcription
from offline.dataset.build import Found, assemble, build, cut_all, find
from offline.dataset.report import facts_of, write_report
from offline.dataset.store import save
from offline.grid import MAX_VELOCITY
from offline.jobs import write_atomically
from offline.transcription.songs import Song

LISTED: Final = 12


def configure(parser: argparse.ArgumentParser) -> None:
    """The two subcommands."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("build", help="a data set with licences, splits and a report")
    one.set_defaults(act=_build)
    one.add_argument("sources", nargs="*", type=Path, metavar="SOURCE", help="folder (searched through) or MIDI file")
    one.add_argument(
        "--audio",
        nargs="+",
        type=Path,
        default=[],
        metavar="SONG",
        help="sounds, or folders of sounds or of what transcribe wrote: the bars that are heard in them come in too",
    )
    add_ears(one)
    add_own(one, "songs")
    one.add_argument("--out", type=Path, required=True, help="folder of the data set; started again, it goes on there")
    add_gate(one)
    add_work(one)
    one.add_argument("--json", action="store_true", help="print the report as JSON")
    two = commands.add_parser("encode", help="only the encoding: rolls, bass mask and song of every bar in a folder")
    two.set_defaults(act=_encode)
    two.add_argument("source", type=Path, metavar="DIR", help="folder (searched through) or file")
    two.add_argument("--out", type=Path, required=True, metavar="X.npz", help="rolls, mask, song, file, bar, root")
    add_work(two)


def run(arguments: argparse.Namespace) -> int:
    """Do it; 1: a licence gate refused."""
    return int(arguments.act(arguments))


def _build(arguments: argparse.Namespace) -> int:
    if arguments.out.exists() and not arguments.out.is_dir():
        raise ArgumentError(f"--out must be a folder for the data set; {arguments.out} is a file.")
    if not arguments.sources and not arguments.audio:
        raise ArgumentError("There is nothing to build from: name folders of MIDI files, or songs behind --audio.")
    found = find(arguments.sources) if arguments.sources else []
    transcribed, songs = find_audio(arguments.audio, arguments.author, arguments.own_licence)
    sources = [one.source for one in (*found, *transcribed, *songs)]
    passed = gate(sources, arguments.licence, allow_unknown=arguments.allow_unknown)
    if passed.unknown:
        tell_unknown(passed, "nothing was built")
        return REFUSED
    used = [file for file in (*found, *transcribed) if file.source in passed.passed]
    heard, deaf = _heard([song for song in songs if song.source in passed.passed], arguments)
    used += heard
    facts = {
        "licences": sorted(arguments.licence),
        "unknown licences allowed": arguments.allow_unknown,
        "audio": audio_facts(used),
    }
    built = build(used, arguments.out, facts, **_work(arguments))
    built = replace(built, refused=passed.refused, skipped=(*deaf, *built.skipped))
    save(arguments.out, built.bars)
    report = facts_of(built)
    write_report(arguments.out, built, report)
    tell_left_out(passed)
    _tell_skipped(built.skipped)
    print(json.dumps(report, indent=1, ensure_ascii=False) if arguments.json else _summary(report, arguments.out))
    return 0


def _heard(songs: Sequence[Song], arguments: argparse.Namespace) -> tuple[list[Found], list[tuple[str, str]]]:
    """The songs transcribed, and those of which no bar came with the reason."""
    if not songs:
        return [], []
    from offline.transcription.cli import transcribe_all  # noqa: PLC0415 - who builds of notes needs no ears
    from offline.transcription.parts import Choice  # noqa: PLC0415

    choice = Choice(arguments.separator, arguments.drums, arguments.bass)
    done = transcribe_all(songs, arguments.out / SONGS, choice, **_work(arguments))
    return [transcription(Path(row["folder"])) for row in done.rows if row["bars"]["kept"]], done.failed


def _work(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"workers": arguments.jobs, "cluster": arguments.cluster, "quiet": arguments.quiet}


def _encode(arguments: argparse.Namespace) -> int:
    if arguments.out.is_dir():
        raise ArgumentError(f"--out must be a file such as bars.npz; {arguments.out} is a folder.")
    found = find([arguments.source])
    with tempfile.TemporaryDirectory() as folder:
        done, skipped = cut_all(found, Path(folder), **_work(arguments))
    _tell_skipped(skipped)
    if not done:
        raise UnavailableError(f"Not one of {len(found)} files in {arguments.source} has a 4/4 bar with drums in it.")
    bars = assemble(done, {})
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        rolls=bars.rolls.astype(np.float32) / np.float32(MAX_VELOCITY),
        mask=bars.has_bass,
        song=bars.song,
        bar=bars.bar,
        root=bars.root,
        source=bars.file,
    )
    write_atomically(arguments.out, packed.getvalue())
    print(f"{len(bars)} bars, {int(bars.has_bass.sum())} with bass, of {len(done)} files: {arguments.out}")
    return 0


def _tell_skipped(skipped: Sequence[tuple[str, str]]) -> None:
    for name, reason in skipped[:LISTED]:
        print(f"skipped {name}: {reason}", file=sys.stderr)
    if len(skipped) > LISTED:
        print(f"… {len(skipped) - LISTED} more skipped; the report lists them all", file=sys.stderr)


def _summary(report: Mapping[str, Any], out: Path) -> str:
    heard = f" ({report['bars of audio']} of them heard in recordings)" if report["audio"] else ""
    return (
        f"{report['bars']} bars with drums{heard}, "
        f"{report['with bass']} with bass ({report['distinct with bass']} distinct), "
        f"{report['songs']} songs, {report['files skipped']} files skipped: {out}/report.md"
    )
