"""subsequence as MIDI clock master with a drum pattern that it rebuilds in every bar, and that may stall then.

Arguments: BPM and the stall (none, callback, thread).
"""

from __future__ import annotations

import sys

import subsequence
from hitloop_bench_stalls import in_a_thread, stall

bpm, disturbance = float(sys.argv[1]), sys.argv[2]
composition = subsequence.Composition(bpm=bpm)
composition.clock_output()


@composition.pattern(channel=10, beats=4)
def drums(p):
    if disturbance == "callback":
        stall("callback")
    p.hit_steps(36, [0, 4, 8, 12], velocity=100)
    p.hit_steps(42, range(16), velocity=80)


if disturbance == "thread":
    in_a_thread("thread")
composition.play()
