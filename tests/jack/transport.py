"""A conductor for the tests: a JACK timebase master that is told what to do, one line of JSON at a time.

jack_midi_clock follows the transport and the tempo of whoever is timebase master; so this process gives it both, as a
DAW would: ``{"bpm": 120}``, ``{"start": null}``, ``{"stop": null}``, ``{"locate": sixteenth}``. Each line is answered
with ``ok`` once it is done.
"""

from __future__ import annotations

import json
import sys
import time

import jack

TICKS = 1920.0


class Conductor:
    """Keeps the song's beat over tempo changes: a beat at a frame, and the tempo from there on."""

    def __init__(self, bpm: float) -> None:
        self.client = jack.Client("conductor")
        self.bpm = self._wanted = bpm
        self._frame, self._beat = 0, 0.0
        self.client.set_timebase_callback(self._timebase)
        self.client.activate()

    def _beat_at(self, frame: int) -> float:
        return self._beat + (frame - self._frame) * self.bpm / 60 / self.client.samplerate

    def _timebase(self, _state, _frames, pos, _new_pos) -> None:
        if self._wanted != self.bpm:
            self._beat, self._frame = self._beat_at(pos.frame), pos.frame
            self.bpm = self._wanted
        beat = self._beat_at(pos.frame)
        pos.valid = jack._lib.JackPositionBBT
        bar, in_bar = divmod(beat, 4)
        pos.bar, pos.beat, pos.tick = int(bar) + 1, int(in_bar) + 1, int(in_bar % 1 * TICKS)
        pos.bar_start_tick = bar * 4 * TICKS
        pos.beats_per_bar = pos.beat_type = 4.0
        pos.ticks_per_beat = TICKS
        pos.beats_per_minute = self.bpm

    def do(self, word: str, value: float | None) -> None:
        if word == "bpm":
            self._wanted = value
            while self.bpm != value and self.client.transport_state == jack.ROLLING:
                time.sleep(0.001)
        elif word == "start":
            self.client.transport_start()
        elif word == "stop":
            self.client.transport_stop()
        elif word == "locate":
            self._frame, self._beat = 0, 0.0  # the whole song in the tempo of now
            self.client.transport_locate(round(value / 4 * 60 / self.bpm * self.client.samplerate))


def main(bpm: float) -> None:
    conductor = Conductor(bpm)
    print("ok", flush=True)
    for line in sys.stdin:
        for word, value in json.loads(line).items():
            conductor.do(word, value)
        print("ok", flush=True)
    conductor.client.transport_stop()
    conductor.client.close()


if __name__ == "__main__":
    main(float(sys.argv[1]))
