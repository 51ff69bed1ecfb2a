"""subsequence as MIDI clock master with a pattern that it rebuilds in every bar; that, or an OSC handler, may stall.

Arguments: BPM and the stall (none, callback, control).
"""

from __future__ import annotations

import socket
import sys

import subsequence
from hitloop_bench_stalls import every_bar, stall

bpm, disturbance = float(sys.argv[1]), sys.argv[2]
composition = subsequence.Composition(bpm=bpm)
composition.clock_output()


@composition.pattern(channel=10, beats=4)
def drums(p):
    if disturbance == "callback":
        stall("callback")
    p.hit_steps(36, [0, 4, 8, 12], velocity=100)
    p.hit_steps(42, range(16), velocity=80)


if disturbance == "control":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    composition.osc(receive_port=port)
    composition.osc_map("/stall", lambda *_: stall("control"))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    every_bar(lambda: sender.sendto(b"/stall\0\0,\0\0\0", ("127.0.0.1", port)))
composition.play()
