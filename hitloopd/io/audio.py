"""The body of the audio process: opens the device, plays what the player hands over, writes the captures, tells.

Three threads: the device's callback (``audio_render``), this one, which waits for messages and passes them on, and a
writer for the capture files. The loader of kits is a fourth that sleeps. Without a device but with a capture the paced
stream renders; with neither, events are only written to the .mid, or dropped.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from hitloopd.core.errors import DeviceError, HitloopError, UnavailableError
from hitloopd.core.notices import PortBack, PortLost, Warned
from hitloopd.core.pattern import LANES, Lane
from hitloopd.core.time import NS_PER_S
from hitloopd.io import realtime
from hitloopd.io.audio_device import Stream, latency_problem, open_stream, rescan
from hitloopd.io.audio_loader import KitLoader
from hitloopd.io.audio_messages import (
    AskAudioHealth,
    AudioHealth,
    AudioReady,
    AudioSpec,
    Event,
    MakeSound,
    MuteSlot,
    PlayerEvents,
    PlaySound,
    PreparePitches,
    SentMidi,
    SetSlotChoke,
    SetSlotGain,
    SetSlotPan,
    Silence,
    SongStart,
    SoundReady,
    TempoAt,
)
from hitloopd.io.audio_render import BlockRenderer
from hitloopd.io.capture_midi import MidiCapture
from hitloopd.io.capture_wav import WavCapture

PORT: Final = "audio"
WRITER_PRIORITY: Final = 1  # it holds the callback's interpreter lock at times, so nothing ordinary may hold it up
MESSAGES_PRIORITY: Final = 50  # below the device's callback, which needs the interpreter more
WAIT_S: Final = 0.1
WRITE_S: Final = 0.1
RETRY_NS: Final = 2 * NS_PER_S
SELDOM_NS: Final = 10 * NS_PER_S
"""Where there was no device in the first ``HOPE_NS``: looking for one can take a driver long."""
HOPE_NS: Final = 30 * NS_PER_S
NEVER_NS: Final = 1 << 62
STUCK: Final = "The driver of the audio device hangs; the sound is started anew."
BASS: Final = LANES.index(Lane.BASS)
SWITCH_S: Final = 0.0005  # the callback gets the interpreter back from the other threads after this

Send = Callable[[object], None]


class AudioServer:
    """Everything of the audio process but its loop.

    Args:
        spec: how it works.
        send: takes notices; called from several threads, one at a time.
        open_: opens the device; a fake in tests.
        clock: monotonic ns.

    Attributes:
        stuck: a driver hangs in this process: only another process can have sound.
    """

    def __init__(
        self,
        spec: AudioSpec,
        send: Send,
        *,
        open_: Callable[[AudioSpec], Stream] = open_stream,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._spec = spec
        self._lock = threading.Lock()
        self._out = send
        self._open_stream = open_
        self._clock = clock
        self._stream: Stream | None = None
        self._renderer: BlockRenderer | None = None
        self._loader: KitLoader | None = None
        self._wav: WavCapture | None = None
        self._midi = MidiCapture(Path(spec.midi_path), tell=self._send) if spec.midi_path else None
        self._told: set[tuple[Lane, str]] = set()
        self._underflows = 0
        self._unplayed = [0] * len(LANES)
        self._retry_ns = 0
        self._seldom_from_ns = NEVER_NS
        self._lost = False
        self.stuck = False
        self._seen = (-1, 0)  # callbacks, and when there were that many
        self._stop_writing = threading.Event()
        self._writer = threading.Thread(target=self._write, name="capture", daemon=True)
        self._handlers: dict[type, Callable[[Any], object]] = {
            PlayerEvents: lambda m: self._play(m.events),
            list: self._play,
            tuple: lambda m: self._play([m]),
            SentMidi: lambda m: self._midi and self._midi.take(m.events),
            SongStart: self._song_start,
            TempoAt: lambda m: self._midi and self._midi.tempo(m.tick, m.bpm, m.at_ns),
            MakeSound: self._make,
            PlaySound: self._control,
            PreparePitches: lambda m: self._loader and self._loader.prepare(m.pitches),
            SetSlotGain: self._control,
            SetSlotPan: self._control,
            SetSlotChoke: self._control,
            MuteSlot: self._control,
            Silence: self._control,
            AskAudioHealth: lambda _: self._send(self.health()),
        }

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        """Open device and kit; what is missing is told, and the rest works. Thread: main. Real-time: no."""
        self._open_or_pace()
        self._writer.start()

    def close(self) -> None:
        """Stop and finish the capture files. Thread: main. Real-time: no."""
        if self._loader is not None:
            self._loader.close()
        self._let_go()
        self._stop_writing.set()
        if self._writer.is_alive():
            self._writer.join(5.0)
        if self._midi is not None:
            self._midi.close()
        if self._wav is not None:
            self._wav.close()

    def handle(self, message: object) -> None:
        """Carry one message out. Thread: main. Real-time: yes, but for ``AskAudioHealth``."""
        handler = self._handlers.get(type(message))
        if handler is None:
            self._send(
                Warned("audio", f"The audio process does not know {type(message).__name__}; nothing was changed.")
            )
        else:
            handler(message)

    def tend(self) -> None:
        """What is to be told or mended now and then. Thread: main. Real-time: no."""
        self._tell_silent_lanes()
        if self._renderer is not None:
            self._renderer.clear_spent()
        if self._stream is not None and not (self._stream.alive and self._asks()):
            self._lose("the audio device is gone")
        if self._lost and not self.stuck and self._clock() >= self._retry_ns:
            self._reopen()

    def health(self) -> AudioHealth:
        """The counters. Thread: main. Real-time: no."""
        renderer, stream = self._renderer, self._stream
        dropped = (self._wav.dropped_frames if self._wav else 0) + (self._midi.dropped if self._midi else 0)
        if renderer is None:
            return AudioHealth(device="none", capture_dropped=dropped)
        cost = renderer.timings_us()
        p50, p99, most = (float(x) for x in np.percentile(cost, (50, 99, 100))) if len(cost) else (0.0, 0.0, 0.0)
        block_us = 1e6 * (stream.info.block if stream else self._spec.block or 512) / renderer.rate
        return AudioHealth(
            device=stream.info.name if stream else "lost",
            callbacks=renderer.callbacks,
            callback_p50_us=p50,
            callback_p99_us=p99,
            callback_max_us=most,
            load=p99 / block_us if block_us else 0.0,
            underflows=self._underflows + (stream.underflows if stream else 0),
            voices=renderer.voices,
            voices_stolen=renderer.sampler.stolen,
            notes=renderer.notes,
            late=renderer.late,
            late_max_ms=renderer.late_max_ms,
            dropped=renderer.dropped,
            unplayed=sum(renderer.unplayed),
            limited=renderer.limited,
            clock_ppm=renderer.clock.ppm,
            clock_resets=renderer.clock.resets,
            capture_dropped=dropped,
        )

    # ── device ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _open_or_pace(self) -> None:
        """The device; else, to have something to capture, the paced stream; else nothing."""
        spec = self._spec
        if spec.backend != "none":
            try:
                return self._start(self._open_stream(spec))
            except (DeviceError, UnavailableError) as error:
                self._send(Warned("audio", str(error)))
                self._lost = isinstance(error, DeviceError)  # it may be plugged in yet
                self._retry_ns = self._clock() + RETRY_NS
                self._seldom_from_ns = self._clock() + HOPE_NS
        if spec.wav_path:
            self._lost = False  # a file that changed its clock would have a hole
            return self._start(open_stream(replace(spec, backend="none")))
        return None

    def _start(self, stream: Stream) -> None:
        spec, info = self._spec, stream.info
        if self._renderer is None or self._renderer.rate != info.rate:
            self._loader = KitLoader(spec, info.rate, self._send)
            if spec.wav_path and self._wav is None:
                self._wav = WavCapture(Path(spec.wav_path), info.rate, bits=spec.wav_bits, tell=self._send)
            self._renderer = BlockRenderer(
                self._loader.first(), info.rate, spec.piece, gain=10.0 ** (spec.gain_db / 20), recorder=self._wav
            )
            self._loader.start(self._renderer.put)
        else:
            self._renderer.begin_anew()
        assert self._loader is not None
        stream.start(self._renderer.render, self._renderer.interrupted)
        self._stream = stream
        self._seen = (-1, self._clock())
        self._send(AudioReady(info.name, info.rate, info.block, info.latency_ms, self._loader.kit))
        if problem := latency_problem(info, spec):
            self._send(Warned("audio", problem))

    def _asks(self) -> bool:
        """Whether the device asked for a block lately: some drivers just fall silent."""
        assert self._renderer is not None
        now_ns = self._clock()
        if self._renderer.callbacks != self._seen[0]:
            self._seen = (self._renderer.callbacks, now_ns)
        return now_ns - self._seen[1] < RETRY_NS

    def _lose(self, why: str) -> None:
        assert self._stream is not None
        self._underflows += self._stream.underflows
        self._lost = True
        self._retry_ns = self._clock() + RETRY_NS
        self._seldom_from_ns = NEVER_NS
        self._send(PortLost(PORT, f"{why}; everything else goes on, and it is tried again every 2 s."))
        self._let_go()

    def _let_go(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None and not stream.close():
            self.stuck = True
            self._send(Warned("audio", STUCK))

    def _reopen(self) -> None:
        now_ns = self._clock()
        self._retry_ns = now_ns + (RETRY_NS if now_ns < self._seldom_from_ns else SELDOM_NS)
        with contextlib.suppress(DeviceError, UnavailableError):  # it was told that it is lost; the next try is near
            rescan()
            self._start(self._open_stream(self._spec))
            self._lost = False
            self._send(PortBack(PORT))

    # ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _play(self, events: Sequence[Event]) -> None:
        if self._renderer is not None and self._stream is not None:  # without a device time goes on, and notes are over
            if self._loader is not None:
                self._loader.prepare(d[1] for _, _, d in events if d[0] == 0x90 | BASS)
            for event in events:
                self._renderer.put(event)
        if self._midi is not None and self._spec.midi_routes is not None:
            self._midi.take(routed(events, self._spec))

    def _song_start(self, message: SongStart) -> None:
        if self._midi is not None:
            self._midi.start(message.tick, message.bpm, message.at_ns)
        self._control(message)

    def _make(self, message: MakeSound) -> None:
        if self._loader is None:  # nothing sounds here: whoever asks need not wait
            self._send(SoundReady(message.number))
        else:
            self._loader.make(message)

    def _control(
        self, message: SongStart | PlaySound | SetSlotGain | SetSlotPan | SetSlotChoke | MuteSlot | Silence
    ) -> None:
        if self._renderer is not None:
            self._renderer.put(message)

    def _tell_silent_lanes(self) -> None:
        if self._renderer is None:
            return
        kit = self._loader.kit if self._loader else ""
        for index, lane in enumerate(LANES):
            before, self._unplayed[index] = self._unplayed[index], self._renderer.unplayed[index]
            if self._unplayed[index] != before and (lane, kit) not in self._told:
                self._told.add((lane, kit))
                self._send(Warned("sample", f"Lane {lane} has no sample in kit '{kit}': its notes are not heard."))

    def _send(self, notice: object) -> None:
        with self._lock:
            self._out(notice)

    def _write(self) -> None:
        """The capture files' thread."""
        if self._spec.realtime:
            realtime.hurry_thread(WRITER_PRIORITY)
        while not self._stop_writing.wait(WRITE_S):
            if self._wav is not None:
                self._wav.pump()
            if self._midi is not None:
                self._midi.pump(self._clock())


def routed(events: Sequence[Event], spec: AudioSpec) -> list[Event]:
    """Events by lane as they are written to the .mid: on the routes' channels and notes."""
    out: list[Event] = []
    routes = spec.midi_routes or {}
    for at_ns, tick, data in events:
        route = routes.get(LANES[data[0] & 0x0F]) if data[0] < 0xB0 and data[0] & 0x0F < len(LANES) else None
        if route is not None:
            drum = data[0] & 0x0F != BASS
            note = route.note if drum else min(max(data[1] + route.transpose, 0), 127)
            out.append((at_ns, tick, bytes((data[0] & 0xF0 | route.channel - 1, note, data[2]))))
    return out


def run_audio(
    spec: AudioSpec,
    receive: Callable[[float], Sequence[object]],
    send: Send,
    should_stop: Callable[[], bool],
    *,
    own_process: bool = True,
) -> bool:
    """The audio process: until ``should_stop``, do what the messages say.

    Args:
        spec: how it works.
        receive: waits up to so many seconds for messages and returns those there are.
        send: takes ``AudioReady``, ``SoundReady``, ``SoundRefused``, ``AudioHealth`` and notices.
        should_stop: asked after every wait.
        own_process: switch garbage collection off and thread switching fast, for the whole process.

    Returns:
        False where a driver hangs, so that the process can't end in good order, nor have sound again.
    """
    server = AudioServer(spec, send)
    try:
        server.open()
        if own_process:
            realtime.hurry_thread(MESSAGES_PRIORITY)  # its helpers are started, and did not inherit it
            sys.setswitchinterval(SWITCH_S)
            gc.collect()
            gc.freeze()
            gc.disable()
        while not should_stop() and not server.stuck:
            for message in receive(WAIT_S):
                server.handle(message)
            server.tend()
    except HitloopError as error:
        send(Warned("audio", str(error)))
    finally:
        server.close()
    return not server.stuck
