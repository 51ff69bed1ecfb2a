"""A process that plays random commands into a journal and acknowledges each one: made to be killed.

Usage: python -m tests.session.scribe FOLDER SEED. Prints what it found, then for each change ``try`` and, once it is
written, ``done``, each with the state's fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import zlib
from pathlib import Path

from hitloopd.core import commands as c
from hitloopd.core.errors import HitloopError
from hitloopd.core.pattern import ALL_LANES, DRUM_LANES
from hitloopd.session.codec import state_as_json
from hitloopd.session.history import History
from hitloopd.session.journal import Journal
from hitloopd.session.reduce import Generated
from hitloopd.session.state import SessionState
from tests.session.bars import bar, hit


def fingerprint(history: History) -> str:
    """Everything that undo and redo can reach, and the last seed."""
    states = [state_as_json(s) for s in (*history.past, history.present, *history.future)]
    text = json.dumps([states, len(history.past), history.last_seed], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def command(dice: random.Random):
    lane = dice.choice(DRUM_LANES)
    seed = dice.randrange(1000)
    kinds = (
        lambda: Generated(full_bar(dice, seed), dice.choice([ALL_LANES, frozenset({lane})]), seed),
        lambda: c.SetCell(lane, dice.randrange(16), dice.choice([0.0, 0.5, None])),
        lambda: c.SetEnergy(dice.random()),
        lambda: c.LockLane(lane, dice.choice([True, False])),
        c.Undo,
        c.Redo,
    )
    return dice.choice(kinds)()


def full_bar(dice: random.Random, seed: int):
    notes = [hit(lane, cell, round(dice.uniform(0.1, 1), 3)) for cell in range(16) for lane in DRUM_LANES]
    return bar(*notes, seed=seed)


def quick(history: History) -> str:
    """The present and how deep undo and redo go: cheap enough to print at every change."""
    text = json.dumps(state_as_json(history.present))
    return f"{zlib.crc32(text.encode()):08x}/{len(history.past)}/{len(history.future)}"


def main(folder: str, seed: str) -> None:
    journal = Journal(Path(folder), SessionState(), max_bytes=30_000)
    history = journal.history
    dice = random.Random(int(seed))
    print("found", quick(history), journal.report, flush=True)
    while True:
        try:
            step = history.apply(command(dice))
        except HitloopError:
            continue
        print("try", quick(history), flush=True)
        assert journal.write(step, history), journal.problem
        print("done", quick(history), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
