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
# frames; a machine that can't keep the shortest gets the next: exactness must not depend on it
PERIODS = (64, 256, 1024)
FIGURE = "native JACK clock at 174 BPM (frames between ticks; drift)"
BAR = "each 689 or 690; drift 0; no xrun"


def run(ctx: Context) -> list[Row]:
    ticks = int(ctx.seconds(BARS, 8)) * CLOCKS_PER_BAR + 1
    runs: list[dict[str, object]] = []
    try:
        for period in PERIODS:
            with running_server(period=period) as server:
                runs.append(_judge(_record(ctx, server, ticks), ticks, period))
            if runs[-1]["xruns"] == 0:
                break
    except pytest.skip.Exception as reason:
        return [unmeasured(FIGURE, BAR, str(reason))]
    last = runs[-1]
    clean = last["xruns"] == 0
    return [
        Row(
            FIGURE,
            BAR,
            f"{last['ticks']} ticks: {last['intervals']}; drift {last['drift_frames']:.2f} frames"
            + ("" if clean else f"; xruns in every run: {[run['xruns'] for run in runs]}"),
            f"period {last['period']} frames, server {last['server_ppm']:+.1f} ppm against monotonic; "
            f"runs with xruns: {len(runs) - clean}",
            bool(last["exact"]) if clean else None,
            {"runs": runs},
        )
    ]


def _record(ctx: Context, server: JackServer, ticks: int) -> Recording:
    settings = {**QUIET, "midi.backend": "jack"}
    with Daemon(ctx, settings, noted=False, env=server.env) as daemon, JackMidiRecorder(server, PORT) as recorder:
        daemon.wait_ready()
        recorder.wait_connected(20.0)
        recorder.wait_for(CLOCKS_PER_BAR)
        recorder.clear()  # what connecting clients did to the server is not the daemon's doing
        recorder.wait_for(ticks, ticks * 60 / (BPM * 24) + 30)
        return recorder.stop()


def _judge(recording: Recording, ticks: int, period_frames: int) -> dict[str, object]:
    clocks = [row for row in recording.rows if row.data[0] == 0xF8][:ticks]
    frames = [row.frame for row in clocks]
    intervals: dict[int, int] = {}
    for before, after in itertools.pairwise(frames):
        intervals[after - before] = intervals.get(after - before, 0) + 1
    period = recording.rate * 60 / (BPM * 24)
    drift = frames[-1] - frames[0] - (len(frames) - 1) * period
    # How fast the server's frames run against monotonic time: a dummy driver is not a crystal.
    seconds = (clocks[-1].us - clocks[0].us) / 1e6
    server_ppm = ((frames[-1] - frames[0]) / recording.rate / seconds - 1) * 1e6
    exact = set(intervals) <= {int(period), int(period) + 1} and abs(drift) < 1.0 and len(frames) == ticks
    return {
        "period": period_frames,
        "ticks": len(frames),
        "intervals": dict(sorted(intervals.items())),
        "drift_frames": drift,
        "server_ppm": server_ppm,
        "xruns": recording.xruns,
        "exact": exact,
    }
