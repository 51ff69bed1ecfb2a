"""The ten minutes of ``soak`` under JACK: messages lie on frames and are handed over ahead of them.

So a player that the machine holds up for less than that is not heard; counted by what JACK delivers.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from tests.bench.c_reference import Witness
from tests.bench.context import Context
from tests.bench.daemon import QUIET, Daemon
from tests.bench.rows import Row, unmeasured
from tests.bench.soak import BAR, SETTLING_S, Played, judged, longest_ms, play
from tests.jack.server import JackMidiRecorder, Recording, running_server

OUT, CLOCK = "hitloopd:out", "hitloopd:clock"
PERIOD = 256  # frames; as people play


def run(ctx: Context) -> list[Row]:
    seconds = ctx.seconds(600, 60)
    figure = f"{seconds / 60:g} min of play under JACK, a regenerate in every bar"
    try:
        with (
            running_server(period=PERIOD) as server,
            Daemon(ctx, {**QUIET, "midi.backend": "jack"}, noted=False, env=server.env) as daemon,
            JackMidiRecorder(server, OUT, CLOCK) as recorder,
        ):
            daemon.wait_ready()
            recorder.wait_connected(20.0)
            daemon.ask("/hitloop/transport/stop")
            time.sleep(SETTLING_S)
            recorder.clear()  # or what sounded when it came would end without having begun
            daemon.ask("/hitloop/transport/play")
            witnesses = [Witness(ctx, seconds, cpu) for cpu in sorted(os.sched_getaffinity(0))]
            asked, answered = play(daemon, seconds)
            health = daemon.health()
            recording = recorder.stop()
            code = daemon.stop()
            stalls = sorted(stall for witness in witnesses for stall in witness.stalls())
    except pytest.skip.Exception as reason:
        return [unmeasured(figure, BAR, str(reason))]
    intervals = Counter(recording.intervals(source=CLOCK))
    row = judged(
        figure,
        # after an xrun the note-offs of the last cycles are sent again (midi_jack)
        Played(health, packed(recording), recording.xruns > 0, asked, answered, code),
        f"frames between clocks {dict(sorted(intervals.items()))}",
        f"period {server.period} frames, {recording.xruns} xruns; the machine stood still {len(stalls)} times for more "
        f"than 1 ms, {longest_ms(stalls):.1f} ms at most",
        {"intervals": dict(sorted(intervals.items())), "xruns": recording.xruns, "stalls_ns": stalls},
    )
    return [row]


def packed(recording: Recording) -> list[int]:
    """The messages of the notes, first byte lowest."""
    return [int.from_bytes(row.data, "little") for row in recording.of(OUT)]
