"""``python -m offline extract RECORDING… --references DIR --out PACK``: cut playable samples out of recordings."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hitloopd.core.errors import ArgumentError, DeviceError
from offline.arguments import add_own, count
from offline.audio import sound_files
from offline.catalogue import families, licence_family, source_of
from offline.extraction.build import Built, Plan, build
from offline.extraction.classes import References, load_references
from offline.extraction.scan import METHODS, VERSION, Options, Scan, scan
from offline.jobs import Job, Refused, file_hash, job_key, run_jobs

WORK: Final = ".work"
SOME_FAILED: Final = 1
FURTHEST: Final = 6.0
"""Three cosine distances of 2 each."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``extract``."""
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING", help="sound files or folders of them")
    parser.add_argument("--references", type=Path, required=True, metavar="DIR", help="folder of labelled one-shots")
    parser.add_argument("--out", type=Path, required=True, metavar="PACK", help="folder of the pack")
    parser.add_argument("--name", help="of the kit; the folder's name is the default")
    parser.add_argument("--method", choices=METHODS, default="onset", help="how to look (default: onset)")
    parser.add_argument("--per-lane", type=int, default=4, metavar="N", help="samples of a lane at most (default: 4)")
    parser.add_argument("--candidates", type=int, default=500, metavar="N", help="rows of the ranked list (500)")
    parser.add_argument("--threshold", type=float, metavar="T", help="combined distance, for threshold and random")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    parser.add_argument("--licence", metavar="FAMILIES", help="only recordings under these: cc0,by,bsd,mit,by-sa")
    add_own(parser, "recordings")
    parser.add_argument("--jobs", type=count, default=1, metavar="N", help="recordings at once; 0: one per core")
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler, such as tcp://host:8786")
    parser.add_argument("--no-sheet", action="store_true", help="no pack.png and pack.html")
    parser.add_argument("--json", action="store_true", help="say it as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Extract; 0 if every recording could be used, 1 if some could not."""
    _check(args)
    references = load_references(args.references)
    told = [*references.problems, *(f"references: none for {lane}; it stays empty." for lane in references.missing)]
    files, refused = _allowed(sound_files(args.recordings), args.licence, args.own_licence)
    told += refused
    scans, failed = _scans(files, args)
    told += failed
    for scanned in scans:
        told += [f"{scanned.path}: {warning}." for warning in scanned.warnings]
    for line in told:
        print(line, file=sys.stderr)
    if not scans:
        print("extract: no recording could be used; no pack was written.", file=sys.stderr)
        return SOME_FAILED
    plan = Plan(
        args.out,
        args.name or args.out.resolve().name,
        args.method,
        args.seed,
        args.per_lane,
        args.candidates,
        args.own_licence,
        args.author,
    )
    built = build(scans, references, plan)
    _finish(built, scans, references, args)
    _tell(built, told, args)
    if not built.chosen:
        print(
            f"extract: nothing was good enough: no samples, {len(built.pack.candidates)} candidates.", file=sys.stderr
        )
    return SOME_FAILED if failed or refused or references.problems or not built.chosen else 0


def _check(args: argparse.Namespace) -> None:
    """What would only be noticed when all the work is done."""
    if args.per_lane < 1 or args.candidates < 0:
        raise ArgumentError("--per-lane must be 1 or more, --candidates 0 or more.")
    if args.threshold is not None and not 0.0 < args.threshold <= FURTHEST:
        raise ArgumentError(f"--threshold is {args.threshold:g}; a combined distance lies between 0 and {FURTHEST:g}.")
    if args.out.exists() and not args.out.is_dir():
        raise ArgumentError(f"--out must be a folder for the pack; {args.out} is a file.")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"{args.out} can't be written: {error}") from error


def _allowed(files: Sequence[Path], licences: str | None, own: str) -> tuple[list[Path], list[str]]:
    if licences is None:
        return list(files), []
    wanted = families(licences)
    stated = {path: source_of(path).licence or own for path in files}
    passed = [path for path in files if licence_family(stated[path]) in wanted]
    lines = [f"{p}: left out, its licence is {stated[p] or 'unknown'}." for p in files if p not in passed]
    return passed, lines


def _scans(files: Sequence[Path], args: argparse.Namespace) -> tuple[list[Scan], list[str]]:
    options = Options(args.references.resolve(), args.method, args.threshold, args.seed)
    jobs, failed = [], []
    for path in files:
        if not path.is_file():
            failed.append(f"{path}: there is no such file.")
            continue
        jobs.append(Job(job_key(VERSION, file_hash(path), str(path.resolve()), options), (path.resolve(), options)))
    scans: list[Scan] = []
    store = args.out / WORK
    for job, result in run_jobs(
        scan, jobs, store, workers=args.jobs, cluster=args.cluster, label="recordings", quiet=args.json
    ):
        if isinstance(result, Refused):
            path = str(job.arguments[0])
            failed.append(result.reason if path in result.reason else f"{path}: {result.reason}")
        else:
            scans.append(result)
    return scans, failed


def _finish(built: Built, scans: Sequence[Scan], references: References, args: argparse.Namespace) -> None:
    if not args.no_sheet:
        from offline.extraction.sheet import write_sheet  # noqa: PLC0415 - matplotlib takes a second

        write_sheet(args.out, built, scans, references)
    shutil.rmtree(args.out / WORK, ignore_errors=True)  # the pack is whole: nothing to go on from


def _tell(built: Built, told: Sequence[str], args: argparse.Namespace) -> None:
    pack = built.pack
    if args.json:
        data: dict[str, Any] = {
            "pack": str(args.out),
            "name": pack.name,
            **pack.about,
            "samples": [row.as_mapping() for row in pack.samples],
            "candidates": len(pack.candidates),
            "problems": list(told),
        }
        print(json.dumps(data))
        return
    for row in pack.samples:
        print(
            f"{row.file:14} {row.confidence:4.2f}  {row.recording} at {row.start_s:8.3f} s, {row.length_s:5.3f} s, "
            f"like {row.reference}"
        )
    measured = "; ".join(f"{name} {value:.2f}" for name, value in pack.about["measures"].items() if value is not None)
    print(f"{args.out}: {pack.description}\n{pack.about['coverage']}\n{measured}")
