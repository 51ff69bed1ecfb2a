"""The loop that most scripts start with: mido and ``time.sleep`` to the next instant, counted from the origin.

Arguments: BPM and the stall (none, callback, control).
"""

from __future__ import annotations

import sys
import time

import mido
from hitloop_bench_stalls import in_a_thread, stall

bpm, disturbance = float(sys.argv[1]), sys.argv[2]
port = mido.open_output()
clock = mido.Message("clock")
if disturbance == "control":
    in_a_thread()

period = 60.0 / (bpm * 24)
origin = time.perf_counter()
tick = 0
while True:
    port.send(clock)
    if tick % 6 == 0:
        port.send(mido.Message("note_on", channel=9, note=42, velocity=80))
    if tick % 6 == 3:
        port.send(mido.Message("note_off", channel=9, note=42))
    if disturbance == "callback" and tick % 96 == 48:
        stall("callback")
    tick += 1
    time.sleep(max(0.0, origin + tick * period - time.perf_counter()))
