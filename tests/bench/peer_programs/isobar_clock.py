"""isobar as MIDI clock master with a kick and hats, and an action once per bar that may stall.

Arguments: BPM and the stall (none, callback, control).
"""

from __future__ import annotations

import sys

import isobar
from hitloop_bench_stalls import in_a_thread, stall
from isobar.io.midi import MidiOutputDevice

bpm, disturbance = float(sys.argv[1]), sys.argv[2]
device = MidiOutputDevice(send_clock=True)
timeline = isobar.Timeline(bpm, output_device=device)
timeline.schedule({"note": 36, "duration": 1, "gate": 0.5, "channel": 9})
timeline.schedule({"note": 42, "duration": 0.25, "gate": 0.5, "channel": 9})
if disturbance == "callback":
    timeline.schedule({"action": lambda *_: stall("callback"), "duration": 4})
if disturbance == "control":
    in_a_thread()
timeline.run()
