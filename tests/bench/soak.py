"""Ten minutes of play with a regenerate in every bar: nothing late, nothing lost, nothing left sounding.

Counted twice: by the daemon's own counters, and from the messages that went out. They go to a port at their moment, so
what the machine does to the player is heard; ``soak_jack`` is the same where they are handed over ahead.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.c_reference import Reference, Witness
from tests.bench.context import Context
from tests.bench.daemon import BPM, QUIET, Daemon, counter
from tests.bench.rows import Row
from tests.bench.stats import against_grid

COUNTERS = ("late", "dropped", "missed_bars", "late_answers")
NOTE_ON, NOTE_OFF = 0x90, 0x80
BAR = "late = dropped = stuck = 0"
SETTLING_S = 0.5
BAR_S = 240.0 / BPM
LATE_NS = 5_000_000  # what the daemon itself counts as late
SLOP_NS = 2_000_000  # the witness only looks every millisecond


@dataclass(frozen=True)
class Played:
    """What the daemon counted and sent, the requests and replies, and how it ended.

    ``may_repeat``: a note-off may be sent again, where the first one may have reached nobody.
    """

    health: Mapping[str, object]
    notes: Sequence[int]
    may_repeat: bool
    asked: int
    answered: int
    code: int


def run(ctx: Context) -> list[Row]:
    seconds = ctx.seconds(600, 60)
    with Daemon(ctx, QUIET) as daemon:
        daemon.wait_ready()
        reference = Reference(ctx, seconds)
        witnesses = [Witness(ctx, seconds, cpu) for cpu in sorted(os.sched_getaffinity(0))]
        asked, answered = play(daemon, seconds)
        health = daemon.health()
        notes = daemon.messages("out")
        clocks = daemon.clocks()
        fit = against_grid(clocks, BPM, absolute=True)
        code = daemon.stop()
        c = reference.lateness()
        stalls = sorted(stall for witness in witnesses for stall in witness.stalls())
    late_ns = late_instants(clocks, BPM)
    excused = sum(any(a - SLOP_NS <= due <= b + SLOP_NS for a, b in stalls) for due in late_ns)
    row = judged(
        f"{seconds / 60:g} min of play, a regenerate in every bar",
        Played(health, [message for _, message in notes], False, asked, answered, code),
        f"clock {fit.lateness.short()} µs",
        f"C FIFO: {c.short()} µs; the machine stood still {len(stalls)} times for more than 1 ms, "
        f"{longest_ms(stalls):.1f} ms at most; of {len(late_ns)} clocks more than 5 ms late {excused} lie in that",
        {
            "clock": fit.as_json(),
            "c": c.as_json(),
            "stalls_ns": stalls,
            "late_ns": late_ns,
            "late_while_the_machine_stood_still": excused,
        },
    )
    return [row]


def play(daemon: Daemon, seconds: float) -> tuple[int, int]:
    """Regenerate somewhere in every bar, then stop; how many were asked for, and answered."""
    rng = random.Random(1)
    asked = answered = 0
    due = time.monotonic()
    end = due + seconds
    while time.monotonic() < end:
        due += BAR_S
        time.sleep(rng.uniform(0.0, BAR_S * 0.9))
        asked += 1
        answered += daemon.ask("/hitloop/gen/regenerate", timeout_s=2 * BAR_S) is not None
        time.sleep(max(0.0, due - time.monotonic()))
    daemon.ask("/hitloop/transport/stop")
    time.sleep(SETTLING_S)
    return asked, answered


def judged(figure: str, played: Played, clock: str, beside: str, data: Mapping[str, object]) -> Row:
    counts = {name: counter(played.health, name) for name in COUNTERS}
    ons, stuck, again = ledger(played.notes)
    clean = (
        not any(counts[name] for name in ("late", "dropped", "missed_bars"))
        and not stuck
        and (played.may_repeat or not again)
    )
    counted = ", ".join(f"{name} {value:g}" for name, value in counts.items())
    return Row(
        figure,
        BAR,
        f"{counted}, stuck {stuck}, released again {again}; {ons} notes, "
        f"{played.answered} of {played.asked} requests answered; {clock}",
        beside,
        clean and played.answered == played.asked and played.code == 0,
        {
            "health": played.health,
            "ons": ons,
            "stuck": stuck,
            "again": again,
            "asked": played.asked,
            "exit": played.code,
            **data,
        },
    )


def late_instants(clocks: Sequence[int], bpm: float) -> list[int]:
    """When clocks were due that came more than 5 ms late, monotonic ns."""
    period = 60e9 / (bpm * 24)
    behind = [at - index * period for index, at in enumerate(clocks)]
    origin = min(behind, default=0.0)
    return [round(origin + index * period) for index, at in enumerate(behind) if at - origin > LATE_NS]


def longest_ms(stalls: Sequence[tuple[int, int]]) -> float:
    """The longest of them."""
    return max((b - a for a, b in stalls), default=0) / 1e6


def ledger(messages) -> tuple[int, int, int]:
    """Note-ons, those among them that were never released, and releases of what did not sound, of packed messages."""
    sounding: dict[int, int] = {}
    ons = again = 0
    for message in messages:
        status, note, velocity = message & 0xFF, message >> 8 & 0xFF, message >> 16 & 0xFF
        key = (status & 0x0F) << 8 | note
        if status & 0xF0 == NOTE_ON and velocity:
            ons += 1
            sounding[key] = sounding.get(key, 0) + 1
        elif status & 0xF0 in {NOTE_ON, NOTE_OFF}:
            if sounding.get(key, 0) == 0:
                again += 1
            else:
                sounding[key] -= 1
    return ons, sum(sounding.values()), again
