"""Our audio through a real JACK server: straight sixteenths come back equally spaced to the sample."""

from __future__ import annotations

import itertools
import json
import re
import statistics
import subprocess
import sys

import pytest

from tests.jack.server import JackServer, end, running_server
from tests.needs import require

pytestmark = pytest.mark.jack

SIXTEENTH = 5760  # frames at 125 BPM, 48 kHz
SIXTEENTH_US = 120_000
SETTLING = 24_000  # frames after an xrun of the server in which its clock is found anew


@pytest.fixture
def roomy_jack_server():
    """A period of our block, so that PortAudio passes blocks on as they are."""
    with running_server(period=128) as server:
        yield server


def play(server: JackServer, kits: str, seconds: float) -> dict:
    program = (sys.executable, "-m", "tests.jack.audio_loopback")
    ears = server.popen(*program, "ears", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        done = server.run(*program, "play", kits, str(seconds), timeout=60)
        assert done.returncode == 0, done.stderr[-3000:]
        played = json.loads(done.stdout.splitlines()[-1])
        require("problem" not in played, f"PortAudio does not reach JACK: {played.get('problem')}")
        heard = json.loads(ears.communicate(timeout=30)[0])
    finally:
        end(ears)
    late = [us - played["first_ns"] / 1e3 for us in heard["onsets_us"]]
    half = SIXTEENTH_US / 2
    return {**played, **heard, "error_us": [(us + half) % SIXTEENTH_US - half for us in late]}


def playback_latency_us(server: JackServer) -> float:
    """What JACK says lies between its port and the ear; our recording is taken before that."""
    listed = server.run("jack_lsp", "-l", "system:playback_1").stdout
    ranges = re.findall(r"playback latency = \[ (\d+) (\d+) \]", listed)
    assert ranges, listed
    return int(ranges[0][1]) * 1e6 / server.rate


def longest_clean(seen: dict) -> list[int]:
    """Indices of the most onsets in a row that no xrun of the server disturbed."""
    first = seen["onsets"][0]
    runs: list[list[int]] = [[]]
    for i, (before, onset) in enumerate(itertools.pairwise([first, *seen["onsets"]])):
        if any(before - SETTLING <= x <= onset for x in seen["xruns"]):
            runs.append([])
        if onset > first:
            runs[-1].append(i)
    return max(runs, key=len)


def test_straight_sixteenths_come_out_equally_spaced_to_the_sample(roomy_jack_server, pytestconfig):
    for _attempt in range(3):  # a machine that stalls cuts the recording short; that says nothing about us
        seen = play(roomy_jack_server, str(pytestconfig.rootpath / "configs" / "kits"), 5.0)
        kept = longest_clean(seen)
        if len(kept) >= 24:
            break
    onsets = [seen["onsets"][i] for i in kept]
    latency_us = playback_latency_us(roomy_jack_server)
    errors = [seen["error_us"][i] + latency_us for i in kept]
    print(seen["health"], "xruns", len(seen["xruns"]), "onsets", len(onsets), "errors", min(errors), max(errors))
    assert len(onsets) >= 16
    assert {b - a for a, b in itertools.pairwise(onsets)} == {SIXTEENTH}
    assert seen["health"]["late"] == 0
    assert max(errors) - min(errors) < 100  # µs: what is heard differs from what was asked by a constant …
    assert abs(statistics.mean(errors)) < 3000  # … and a small one
