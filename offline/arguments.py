"""Arguments that several commands take, and what they say of licences: the same words everywhere."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from offline.catalogue import FAMILIES, SHIPPABLE, Gate, Source, families

REFUSED: Final = 1
"""Exit code of a command whose licence gate refused."""


def add_work(parser: argparse.ArgumentParser) -> None:
    """``--jobs``, ``--cluster`` and ``--quiet``."""
    parser.add_argument("--jobs", type=count, default=1, metavar="N", help="processes; 0 is one per core (default: 1)")
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="Dask scheduler (tcp://host:8786) that does the work; its workers must see the same files",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress line")


def add_gate(parser: argparse.ArgumentParser) -> None:
    """``--licence`` and ``--allow-unknown``."""
    parser.add_argument(
        "--licence",
        type=families,
        default=SHIPPABLE,
        metavar="FAMILIES",
        help=f"which licences may come in, of {','.join(FAMILIES)} (default: {','.join(SHIPPABLE)})",
    )
    parser.add_argument(
        "--allow-unknown",
        action="store_true",
        help="let files in whose licence nobody states; every model's card will say so",
    )


def add_ears(parser: argparse.ArgumentParser) -> None:
    """``--separator``, ``--drums`` and ``--bass``: who listens; a wrong name is answered with all."""
    parser.add_argument("--separator", default="auto", metavar="NAME", help="auto, none, spectral or demucs")
    parser.add_argument("--drums", default="auto", metavar="NAME", help="who hears the drums: auto, ear or templates")
    parser.add_argument("--bass", default="auto", metavar="NAME", help="who hears the bass: auto, pyin, basic-pitch …")


def add_own(parser: argparse.ArgumentParser, what: str) -> None:
    """``--own-licence`` and ``--author`` of sounds that no manifest lists."""
    parser.add_argument("--own-licence", default="", metavar="TEXT", help=f"of {what} whose manifest says none")
    parser.add_argument("--author", default="", metavar="NAME", help=f"of {what} whose manifest says none")


def count(text: str) -> int:
    """The number of a ``--jobs``."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is no number of processes: 0 or more")
    return int(text)


def tell_unknown(passed: Gate, nothing: str) -> None:
    """Why nothing was done: the files whose licence nobody states, and what one can do.

    Args:
        passed: the gate with at least one such file.
        nothing: such as ``nothing was built``.
    """
    print(f"Refused: nobody states the licence of these files ({nothing}).", file=sys.stderr)
    for source in passed.unknown:
        print(f"  {source.path}{_stated(source)}", file=sys.stderr)
    print(
        "State it in a MANIFEST.csv beside them (columns path, author, licence), leave the files out, "
        "or take them in with --allow-unknown, which every card of a model trained on them will say.",
        file=sys.stderr,
    )


def tell_left_out(passed: Gate) -> None:
    """The files whose licence is known, but not among those that were allowed."""
    for source in passed.refused:
        print(f"left out, its licence {source.licence} is not among --licence: {source.path}", file=sys.stderr)


def _stated(source: Source) -> str:
    return f" (the manifest says '{source.licence}')" if source.licence else ""
