"""sardine sending MIDI clock from a swimming function at 24 per beat (it has no clock sender of its own), and hats.

Arguments: BPM and the stall (none, callback, control).
"""

from __future__ import annotations

import asyncio
import sys

from hitloop_bench_stalls import in_a_thread, stall
from sardine_core.clock import InternalClock
from sardine_core.event_loop import install_policy
from sardine_core.fish_bowl import FishBowl
from sardine_core.handlers.midi import MidiHandler
from sardine_core.scheduler import AsyncRunner, Scheduler

bpm, disturbance = float(sys.argv[1]), sys.argv[2]


async def main() -> None:
    bowl = FishBowl(clock=InternalClock(tempo=bpm, bpb=4), scheduler=Scheduler(deferred_scheduling=False))
    midi = MidiHandler()
    bowl.add_handler(midi)
    swim(bowl, "clock", 1 / 24, midi._clock)
    swim(bowl, "hats", 1 / 4, lambda: midi._note_on(9, 42, 80))
    if disturbance == "callback":
        swim(bowl, "stall", 4, lambda: stall("callback"))
    if disturbance == "control":
        in_a_thread()
    bowl.start()
    await asyncio.sleep(3600)


def swim(bowl: FishBowl, name: str, beats: float, act) -> None:
    """What sardine's own decorator does: a function that is called again every so many beats."""
    runner = AsyncRunner(name)
    runner.background_job = True

    def again(p=beats):
        act()
        runner.update_state()
        runner.swim()

    runner.push(again)
    runner.swim()
    bowl.scheduler.start_runner(runner)


install_policy()
asyncio.run(main())
