"""Feeds straight sixteenths to the audio process, and records what comes out of it through JACK; each prints JSON.

Two programs in processes of their own, as in life: ``play KITS SECONDS`` and ``ears`` (until its input ends). PortAudio
looks for JACK when it is imported.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from hitloopd.core.notices import Warned
from hitloopd.io.audio import run_audio
from hitloopd.io.audio_messages import AskAudioHealth, AudioHealth, AudioReady, AudioSpec, PlayerEvents

SIXTEENTH_NS = 120_000_000
HIHAT_ON = bytes((0x92, 60, 127))
MARGIN_NS = 10_000_000  # hand over this much before the lead
SETTLING_NS = 1_000_000_000
HEALTH = (
    *("device", "underflows", "late", "dropped", "notes", "clock_resets", "clock_ppm"),
    *("callback_p50_us", "callback_p99_us", "late_max_ms"),
)


class Metronome:
    """Plays the player: hands events over ``lead_ns`` early, and asks for the counters at the end."""

    def __init__(self, spec: AudioSpec, told: list[object], seconds: float) -> None:
        self.spec, self.told, self.seconds = spec, told, seconds
        self.first_ns = self.next_ns = self.end_ns = 0
        self.asked = False

    def receive(self, timeout_s: float) -> list[object]:
        if not self.first_ns:
            return self._begin()
        now_ns = time.monotonic_ns()
        due = []
        while self.next_ns < min(now_ns + self.spec.lead_ns + MARGIN_NS, self.end_ns):
            due.append((self.next_ns, 0, HIHAT_ON))
            self.next_ns += SIXTEENTH_NS
        if now_ns > self.end_ns + 200_000_000 and not self.asked:
            self.asked = True
            return [AskAudioHealth()]
        if not due:
            time.sleep(0.003)
        return [PlayerEvents(tuple(due))] if due else []

    def _begin(self) -> list[object]:
        if any(isinstance(m, AudioReady) for m in self.told):
            self.first_ns = self.next_ns = time.monotonic_ns() + SETTLING_NS
            self.end_ns = self.first_ns + int(self.seconds * 1e9)
        return []


def play(kits: str, seconds: float) -> dict[str, object]:
    spec = AudioSpec(kit="trap", kit_dirs=(kits,), backend="sounddevice", block=128)  # its hat is the shortest
    told: list[object] = []
    metronome = Metronome(spec, told, seconds)
    run_audio(spec, metronome.receive, told.append, lambda: any(isinstance(m, AudioHealth | Warned) for m in told))
    health = next((m for m in told if isinstance(m, AudioHealth)), None)
    if health is None:
        return {"problem": [str(m) for m in told]}
    return {"first_ns": metronome.first_ns, "health": {name: getattr(health, name) for name in HEALTH}}


class Ears:
    """A JACK client that keeps what one port plays, with the frame and the time of every period."""

    def __init__(self) -> None:
        import jack

        self.client = jack.Client("ears")
        self.port = self.client.inports.register("in")
        self.blocks: list[np.ndarray] = []
        self.stamps: list[tuple[int, int]] = []
        self.xruns: list[int] = []
        self.client.set_process_callback(self._process)
        self.client.set_xrun_callback(lambda _us: self.xruns.append(self.client.frame_time))
        self.client.activate()

    def connect(self) -> None:
        """As soon as the player is there."""
        for _ in range(1000):
            ports = self.client.get_ports("PortAudio:out_0", is_audio=True, is_output=True)
            if ports:
                self.client.connect(ports[0], self.port)
                return
            time.sleep(0.02)

    def _process(self, frames: int) -> None:
        self.blocks.append(self.port.get_array().copy())
        self.stamps.append((self.client.last_frame_time, time.monotonic_ns() // 1000))


def hear() -> dict[str, object]:
    ears = Ears()
    ears.connect()
    sys.stdin.read()
    ears.client.deactivate()
    ears.client.close()
    rate = 48_000
    sound = np.abs(np.concatenate(ears.blocks))
    at = np.concatenate([np.arange(f, f + len(b)) for (f, _), b in zip(ears.stamps, ears.blocks, strict=True)])
    loud = np.flatnonzero(sound > 0.005)
    onsets = [int(f) for f in at[loud[np.diff(loud, prepend=-(10**9)) > 1200]]]
    # ties JACK's frames to time; callbacks come late and never early
    half = ears.stamps[len(ears.stamps) // 2 :]
    tie_us = float(np.percentile([us - f * 1e6 / rate for f, us in half], 5))
    return {"onsets": onsets, "xruns": ears.xruns, "onsets_us": [f * 1e6 / rate + tie_us for f in onsets]}


if __name__ == "__main__":
    print(json.dumps(play(sys.argv[2], float(sys.argv[3])) if sys.argv[1] == "play" else hear()))
