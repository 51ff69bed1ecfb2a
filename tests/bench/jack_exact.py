"""The native JACK output, judged by JACK itself: at 174 BPM a clock is 689.66 frames: all intervals are 689 or 690."""

from __future__ import annotations

import itertools

import pytest

from tests.bench.context import Context
from tests.bench.daemon import BPM, QUIET, Daemon
from tests.bench.rows import Row, unmeasured
from tests.jack.server import JackMidiRecorder, JackServer, Recording, running_server

PORT = "hitloopd:clock"
BARS = 64
CLOCKS_PER_BAR = 96
TRIES = 3
FIGURE = "native JACK clock at 174 BPM (frames between ticks; drift)"
BAR = "each 689 or 690; drift 0; no xrun"


def run(ctx: Context) -> list[Row]:
    try:
        with running_server() as server:
            return [_row(ctx, server)]
    except pytest.skip.Exception as reason:
        return [unmeasured(FIGURE, BAR, str(reason))]


def _row(ctx: Context, server: JackServer) -> Row:
    ticks = int(ctx.seconds(BARS, 8)) * CLOCKS_PER_BAR + 1
    runs: list[dict[str, object]] = []
    for _ in range(TRIES):
        found = _judge(_record(ctx, server, ticks), ticks)
        runs.append(found)
        if found["xruns"] == 0:
            break
    best = runs[-1]
    clean = best["xruns"] == 0
    return Row(
        FIGURE,
        BAR,
        f"{best['ticks']} ticks: {best['intervals']}; drift {best['drift_frames']:.2f} frames; {best['xruns']} xruns"
        + ("" if clean else f" in each of {TRIES} runs"),
        f"period {server.period} frames, {server.rate} Hz",
        bool(best["exact"]) if clean else None,
        {"runs": runs},
    )


def _record(ctx: Context, server: JackServer, ticks: int) -> Recording:
    settings = {**QUIET, "midi.backend": "jack"}
    with Daemon(ctx, settings, noted=False, env=server.env) as daemon, JackMidiRecorder(server, PORT) as recorder:
        daemon.wait_ready()
        recorder.wait_connected(20.0)
        recorder.wait_for(CLOCKS_PER_BAR)
        recorder.clear()  # what connecting clients did to the server is not the daemon's doing
        recorder.wait_for(ticks, ticks * 60 / (BPM * 24) + 30)
        return recorder.stop()


def _judge(recording: Recording, ticks: int) -> dict[str, object]:
    frames = [row.frame for row in recording.rows if row.data[0] == 0xF8][:ticks]
    intervals: dict[int, int] = {}
    for before, after in itertools.pairwise(frames):
        intervals[after - before] = intervals.get(after - before, 0) + 1
    period = recording.rate * 60 / (BPM * 24)
    drift = frames[-1] - frames[0] - (len(frames) - 1) * period
    exact = set(intervals) <= {int(period), int(period) + 1} and abs(drift) < 1.0 and len(frames) == ticks
    return {
        "ticks": len(frames),
        "intervals": dict(sorted(intervals.items())),
        "drift_frames": drift,
        "xruns": recording.xruns,
        "exact": exact,
    }
