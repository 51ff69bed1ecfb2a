"""``python -m offline dataset build | encode``: MIDI files into a data set, or into bars for anybody to judge with."""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from hitloopd.core.errors import ArgumentError, UnavailableError
from offline.arguments import REFUSED, add_gate, add_work, tell_left_out, tell_unknown
from offline.dataset.build import assemble, build, cut_all, find, licensed
from offline.dataset.report import facts_of, write_report
from offline.dataset.store import save
from offline.grid import MAX_VELOCITY
from offline.jobs import write_atomically

LISTED: Final = 12


def configure(parser: argparse.ArgumentParser) -> None:
    """The two subcommands."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("build", help="a data set with licences, splits and a report")
    one.set_defaults(act=_build)
    one.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="folder (searched through) or file")
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
    found = find(arguments.sources)
    passed = licensed(found, arguments.licence, allow_unknown=arguments.allow_unknown)
    if passed.unknown:
        tell_unknown(passed, "nothing was built")
        return REFUSED
    facts = {"licences": sorted(arguments.licence), "unknown licences allowed": arguments.allow_unknown}
    built = build(
        found, passed, arguments.out, facts, workers=arguments.jobs, cluster=arguments.cluster, quiet=arguments.quiet
    )
    save(arguments.out, built.bars)
    report = facts_of(built)
    write_report(arguments.out, built, report)
    tell_left_out(passed)
    _tell_skipped(built.skipped)
    print(json.dumps(report, indent=1, ensure_ascii=False) if arguments.json else _summary(report, arguments.out))
    return 0


def _encode(arguments: argparse.Namespace) -> int:
    if arguments.out.is_dir():
        raise ArgumentError(f"--out must be a file such as bars.npz; {arguments.out} is a folder.")
    found = find([arguments.source])
    with tempfile.TemporaryDirectory() as folder:
        done, skipped = cut_all(
            found, Path(folder), workers=arguments.jobs, cluster=arguments.cluster, quiet=arguments.quiet
        )
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


def _summary(report: Mapping[str, object], out: Path) -> str:
    return (
        f"{report['bars']} bars with drums, {report['with bass']} with bass ({report['distinct with bass']} distinct), "
        f"{report['songs']} songs, {report['files skipped']} files skipped: {out}/report.md"
    )
