"""Plays a sound file into JACK, round and round, as ``feeder:out``; until its input ends. ``feeder.py FILE``."""

from __future__ import annotations

import sys

import jack
import numpy as np
import soundfile


def main(path: str) -> None:
    data, _ = soundfile.read(path, dtype="float32", always_2d=True)
    sound, at = data[:, 0], 0
    client = jack.Client("feeder", no_start_server=True)
    port = client.outports.register("out")

    @client.set_process_callback
    def process(frames: int) -> None:
        nonlocal at
        port.get_array()[:] = sound[(at + np.arange(frames)) % len(sound)]
        at = (at + frames) % len(sound)

    client.activate()
    print("plays", flush=True)
    sys.stdin.read()
    client.deactivate()
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
