"""What asks for blocks: a sound card through sounddevice, or a thread that keeps the time where there is none.

Conventions: both call ``render(out, heard_ns)`` with ``float32 [frames, 2]`` and the monotonic time at which its first
frame is heard, after taking off what of the latency is made up for. sounddevice is imported when a device is opened.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import DeviceError, UnavailableError, nearest
from hitloopd.core.time import NS_PER_S
from hitloopd.io import realtime
from hitloopd.io.audio_messages import AudioSpec

Block = NDArray[np.floating[Any]]
Render = Callable[[Block, int], None]

MEND_PORTAUDIO: Final = "sudo apt install libportaudio2 (macOS, Windows: pip install --force-reinstall sounddevice)"
MEND_DEVICE: Final = "plug one in, or start a JACK server first (jackd -d dummy makes one without a sound card)"
PACED_PRIORITY: Final = 55
CLOSE_S: Final = 2.0
"""How long a driver may take to let go: PortAudio waits ten minutes for a JACK server that was killed."""
GIVE_UP_NS: Final = 5 * NS_PER_S  # after a suspend: don't render what nobody waits for


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What was opened."""

    name: str
    rate: int
    block: int
    latency_ms: float


class Stream(Protocol):
    """Something that asks for blocks."""

    info: DeviceInfo
    underflows: int

    def start(self, render: Render, interrupted: Callable[[], None]) -> None:
        """Ask ``render`` for blocks from now on. Thread: main. Real-time: no."""
        ...

    @property
    def alive(self) -> bool:
        """False once the device is gone. Thread: main. Real-time: no."""
        ...

    def close(self) -> bool:
        """Stop asking; False where the driver does not let go. Thread: main. Real-time: no."""
        ...


# ── a sound card ────────────────────────────────────────────────────────────────────────────────────────────────────


class DeviceStream:
    """An output stream of PortAudio, opened but not started.

    Raises:
        UnavailableError: PortAudio is not installed; the message has the command that mends it.
        DeviceError: there is no device, none of that name, or it refuses.
    """

    def __init__(self, spec: AudioSpec) -> None:
        self._sd = import_sounddevice()
        self._budget_s = spec.latency_ms / 1e3
        index, about = _choose(self._sd, spec.device)
        self._channels = min(2, int(about["max_output_channels"]))
        self._stream, rate = self._open(spec, index, int(about["default_samplerate"]))
        self._latency_s = float(self._stream.latency)
        self._late_ns = round(max(self._latency_s - self._budget_s, 0.0) * NS_PER_S)
        self._finished = threading.Event()
        self._render: Render | None = None
        self._interrupted: Callable[[], None] | None = None
        self._stereo = np.zeros((8192, 2), dtype=np.float32)
        self.underflows = 0
        host = self._sd.query_hostapis(about["hostapi"])["name"]
        self.info = DeviceInfo(f"{about['name']} ({host})", rate, spec.block, self._latency_s * 1e3)

    def _open(self, spec: AudioSpec, index: int, own_rate: int) -> tuple[Any, int]:
        """At the rate that was asked for, else at the device's own."""
        problem: Exception | None = None
        for rate in dict.fromkeys((spec.rate, own_rate)):
            try:
                stream = self._sd.OutputStream(
                    samplerate=rate,
                    blocksize=spec.block,
                    device=index,
                    channels=self._channels,
                    dtype="float32",
                    latency=spec.latency,
                    callback=self._callback,
                    finished_callback=self._end,
                )
            except self._sd.PortAudioError as error:
                problem = error
            else:
                return stream, rate
        raise DeviceError(f"The audio device refuses {spec.rate} Hz and {own_rate} Hz: {problem}. Try audio.rate.")

    def start(self, render: Render, interrupted: Callable[[], None]) -> None:
        """Ask for blocks from now on. Thread: main. Real-time: no."""
        self._render, self._interrupted = render, interrupted
        try:
            self._stream.start()
        except self._sd.PortAudioError as error:
            raise DeviceError(f"The audio device '{self.info.name}' does not start: {error}") from error

    @property
    def alive(self) -> bool:
        """False once the device is gone. Thread: main. Real-time: no."""
        return not self._finished.is_set()

    def close(self) -> bool:
        """Stop and let the device go; False where its driver hangs. Thread: main. Real-time: no."""
        closing = threading.Thread(target=self._close, name="close", daemon=True)
        closing.start()
        closing.join(CLOSE_S)
        return not closing.is_alive()

    def _close(self) -> None:
        with contextlib.suppress(self._sd.PortAudioError):  # a device that is gone can't be closed properly
            self._stream.abort()
            self._stream.close()

    def _callback(self, out: Block, frames: int, when: Any, status: Any) -> None:  # noqa: ANN401 - cffi
        """PortAudio wants a block. Thread: callback. Real-time: yes."""
        now_ns = time.monotonic_ns()
        assert self._render is not None
        assert self._interrupted is not None
        if status.output_underflow:
            self.underflows += 1
            self._interrupted()
        ahead_s = when.outputBufferDacTime - when.currentTime
        if not 0.0 < ahead_s < 2.0:  # some drivers don't say
            ahead_s = self._latency_s
        heard_ns = now_ns + round(ahead_s * NS_PER_S) - self._late_ns
        if self._channels == 2:
            self._render(out, heard_ns)
        else:
            stereo = self._stereo[:frames]
            self._render(stereo, heard_ns)
            np.mean(stereo, axis=1, keepdims=True, out=out)

    def _end(self) -> None:
        self._finished.set()


def import_sounddevice() -> Any:  # noqa: ANN401 - an untyped module
    """The module. Raises ``UnavailableError`` with the command that mends it. Thread: any. Real-time: no."""
    try:
        import sounddevice  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - loads PortAudio
    except (ImportError, OSError) as error:
        raise UnavailableError(f"No sound: {error}. To get it: {MEND_PORTAUDIO}") from error
    return sounddevice


def rescan() -> None:
    """Let PortAudio look for devices again, for one that was plugged in. Thread: main, no stream open. Real-time: no.

    Raises:
        UnavailableError: PortAudio is not installed.
    """
    sd = import_sounddevice()
    sd._terminate()  # noqa: SLF001 - PortAudio lists devices once, and sounddevice offers no other way
    sd._initialize()  # noqa: SLF001


def output_devices() -> tuple[str, ...]:
    """Names of the devices that can play, for ``ports`` and ``doctor``.

    Raises:
        UnavailableError: PortAudio is not installed.

    Thread: any. Real-time: no.
    """
    return tuple(d["name"] for d in import_sounddevice().query_devices() if d["max_output_channels"] > 0)


def _choose(sd: Any, wanted: str) -> tuple[int, Any]:  # noqa: ANN401 - an untyped module and its dict
    devices = [(i, d) for i, d in enumerate(sd.query_devices()) if d["max_output_channels"] > 0]
    if not devices:
        raise DeviceError(f"There is no audio device; MIDI goes on. To get sound: {MEND_DEVICE}.")
    if not wanted:
        standard = int(sd.default.device[1])
        return next(((i, d) for i, d in devices if i == standard), devices[0])
    if wanted.isdecimal():
        matches = [(i, d) for i, d in devices if i == int(wanted)]
    else:
        matches = [(i, d) for i, d in devices if wanted.lower() in d["name"].lower()]
    exact = [(i, d) for i, d in matches if d["name"] == wanted]
    names = [d["name"] for _, d in devices]
    if len(exact or matches) == 1:
        return (exact or matches)[0]
    if matches:
        listed = [f"{i}: {d['name']}" for i, d in matches]
        raise DeviceError(
            f"Several audio devices match '{wanted}': {', '.join(listed)}. Give more of the name, or the number."
        )
    raise DeviceError(f"No audio device matches '{wanted}'; there are {', '.join(names)}.{nearest(wanted, names)}")


# ── no sound card ───────────────────────────────────────────────────────────────────────────────────────────────────


class PacedStream:
    """A thread that asks for blocks at the right times by the monotonic clock, for the capture.

    Args:
        spec: rate and block; blocks of up to half the lead are used, to wake up less often.
    """

    def __init__(self, spec: AudioSpec) -> None:
        lead_frames = spec.lead_ns * spec.rate // NS_PER_S
        self._block = max(spec.block, min(512, lead_frames // 2))
        self._realtime = spec.realtime
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.underflows = 0
        self.info = DeviceInfo("none, capture only", spec.rate, self._block, 0.0)

    def start(self, render: Render, interrupted: Callable[[], None]) -> None:
        """Ask for blocks from now on. Thread: main. Real-time: no."""
        self._thread = threading.Thread(target=self._run, args=(render, interrupted), name="paced", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs. Thread: main. Real-time: no."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> bool:
        """Stop. Thread: main. Real-time: no."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
        return True

    def _run(self, render: Render, interrupted: Callable[[], None]) -> None:
        """Every block at its own computed time; after a stall the missing ones follow at once, none is left out."""
        if self._realtime:
            realtime.enable(PACED_PRIORITY)
        out = np.zeros((self._block, 2), dtype=np.float32)
        origin_ns, count = time.monotonic_ns(), 0
        while not self._stop.is_set():
            due_ns = origin_ns + count * self._block * NS_PER_S // self.info.rate
            wait_ns = due_ns - time.monotonic_ns()
            if wait_ns > 0:
                time.sleep(wait_ns / NS_PER_S)
            elif wait_ns < -GIVE_UP_NS:
                self.underflows += 1
                origin_ns, count = time.monotonic_ns(), 0
                interrupted()
                continue
            render(out, due_ns)
            count += 1


def open_stream(spec: AudioSpec) -> Stream:
    """The stream that ``spec.backend`` asks for: a device, or the paced thread with ``none``.

    Raises:
        UnavailableError: PortAudio is not installed.
        DeviceError: no device can be opened.

    Thread: main. Real-time: no.
    """
    return PacedStream(spec) if spec.backend == "none" else DeviceStream(spec)


LATENCY_TOLD_MS: Final = 1.0


def latency_problem(info: DeviceInfo, spec: AudioSpec) -> str:
    """What to tell when the device is slower than what is made up for; empty when it is not."""
    excess = info.latency_ms - spec.latency_ms
    if excess < LATENCY_TOLD_MS:
        return ""
    return (
        f"The audio device has {info.latency_ms:.0f} ms latency, of which {spec.latency_ms:.0f} ms are made up for: "
        f"sound comes {excess:.0f} ms after MIDI. Set audio.offset_ms: {-excess:.0f}, or a smaller audio.block."
    )
