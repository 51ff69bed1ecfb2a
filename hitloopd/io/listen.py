"""Recording what an input hears into a WAV file: a sound card through sounddevice, or ports of a JACK server.

What a musician wants to know: it runs in a process of its own, so the beat knows nothing of it. The source is part of a
device's name or its number, ``jack:PORT`` (several with commas), or empty: JACK's inputs where a server runs, else the
system's own input.
"""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import DeviceError, UnavailableError, nearest
from hitloopd.io.audio_device import MEND_DEVICE, import_sounddevice

JACK: Final = "jack:"
CLIENT: Final = "hitloopd-listen"
SILENT_S: Final = 3.0
"""An input that brings nothing for so long has died."""
TELL_S: Final = 0.5
FRAMES_WRAP: Final = 1 << 32
"""JACK counts frames in 32 bits."""
QUIET_DB: Final = -70.0
"""A recording that never gets louder than this has nothing in it to play."""

Block = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Input:
    """What is being listened to."""

    name: str
    rate: int
    channels: int
    blocks: queue.SimpleQueue[Block]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of it. ``peak_db``: of the loudest sample, 0 is full scale."""

    path: Path
    source: str
    seconds: float
    rate: int
    peak_db: float

    @property
    def silent(self) -> bool:
        """There is nothing to hear in it."""
        return self.peak_db < QUIET_DB


def record(path: Path, seconds: float, source: str, tell: Callable[[float], object]) -> Heard:
    """Record for so long.

    Args:
        path: the WAV file, 24 bits; its folder is made.
        seconds: how long.
        source: see the module.
        tell: gets the share 0..1 that is done, now and then.

    Raises:
        UnavailableError: what it takes is not installed.
        DeviceError: there is no such input, it went away, or the file can't be written.

    Thread: main. Real-time: no.
    """
    import soundfile  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - loads a library

    path.parent.mkdir(parents=True, exist_ok=True)
    with _opened(source) as heard:
        left, peak, told_s = round(seconds * heard.rate), 0.0, 0.0
        total = left
        try:
            with soundfile.SoundFile(str(path), "w", heard.rate, heard.channels, "PCM_24") as file:
                while left > 0:
                    block = _next(heard)[:left]
                    file.write(block)
                    left -= len(block)
                    peak = max(peak, float(np.abs(block).max(initial=0.0)))
                    if time.monotonic() - told_s > TELL_S:
                        told_s = time.monotonic()
                        tell(1.0 - left / total)
        except (RuntimeError, OSError) as error:  # soundfile's own errors are RuntimeErrors
            raise DeviceError(f"{path} can't be written: {error}") from error
    tell(1.0)
    return Heard(path, heard.name, seconds, heard.rate, 20.0 * float(np.log10(max(peak, 1e-9))))


def _next(heard: Input) -> Block:
    try:
        return heard.blocks.get(timeout=SILENT_S)
    except queue.Empty:
        raise DeviceError(f"The input {heard.name} brings nothing any more; nothing was made of it.") from None


def _opened(source: str) -> AbstractContextManager[Input]:
    if source.startswith(JACK):
        return _jack(tuple(port.strip() for port in source.removeprefix(JACK).split(",") if port.strip()))
    if not source:
        with contextlib.suppress(UnavailableError, DeviceError):  # no server, or one without inputs: the system's own
            return _jack(())
    return _device(source)


# ── JACK ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _jack(ports: Sequence[str]) -> AbstractContextManager[Input]:
    """Listen to ports of a JACK server; none named: the first two that are inputs of the machine."""
    try:
        import jack  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - an extra, and it loads a library
    except (ImportError, OSError) as error:
        raise UnavailableError('Listening to JACK needs JACK-Client: pip install "hitloopd[jack]"') from error
    try:
        client: Any = jack.Client(CLIENT, no_start_server=True)
    except jack.JackError as error:
        raise UnavailableError(f"No JACK server runs ({error}). Start one, or name a sound card.") from error
    there = [port.name for port in client.get_ports(is_audio=True, is_output=True)]
    wanted = list(ports) or [p.name for p in client.get_ports(is_audio=True, is_output=True, is_physical=True)[:2]]
    missing = [name for name in wanted if name not in there]
    if missing or not wanted:
        client.close()
        near = nearest(missing[0], there) if missing else ""
        raise DeviceError(f"No JACK port '{', '.join(missing)}'; there are {', '.join(there) or 'none'}.{near}")
    return _jack_input(client, wanted)


@contextlib.contextmanager
def _jack_input(client: Any, wanted: Sequence[str]) -> Generator[Input]:  # noqa: ANN401 - JACK-Client is untyped
    blocks: queue.SimpleQueue[Block] = queue.SimpleQueue()
    ins = [client.inports.register(f"in_{number}") for number in range(1, len(wanted) + 1)]

    connected_at: list[int] = []

    def heard(_frames: int) -> None:
        # a period that began before the connection is silence that nobody played
        if connected_at and (client.last_frame_time - connected_at[0]) % FRAMES_WRAP < FRAMES_WRAP // 2:
            blocks.put(np.stack([port.get_array() for port in ins], axis=1))

    client.set_process_callback(heard)
    try:
        client.activate()
        for name, port in zip(wanted, ins, strict=True):
            client.connect(name, port)
        connected_at.append(int(client.frame_time))
        yield Input(f"JACK {', '.join(wanted)}", int(client.samplerate), len(ins), blocks)
    finally:
        client.deactivate()
        client.close()


# ── a sound card ────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _device(wanted: str) -> Generator[Input]:
    sd = import_sounddevice()
    index, about = _choose(sd, wanted)
    blocks: queue.SimpleQueue[Block] = queue.SimpleQueue()
    rate, channels = int(about["default_samplerate"]), min(2, int(about["max_input_channels"]))

    def heard(data: Block, _frames: int, _when: object, _status: object) -> None:
        blocks.put(data.copy())

    try:
        stream = sd.InputStream(
            samplerate=rate, device=index, channels=channels, dtype="float32", latency="high", callback=heard
        )
        with stream:
            yield Input(str(about["name"]), rate, channels, blocks)
    except sd.PortAudioError as error:
        raise DeviceError(f"The input '{about['name']}' refuses: {error}. Try another --source.") from error


def _choose(sd: Any, wanted: str) -> tuple[int, Any]:  # noqa: ANN401 - an untyped module and its dict
    devices = [(i, d) for i, d in enumerate(sd.query_devices()) if d["max_input_channels"] > 0]
    if not devices:
        raise DeviceError(f"There is no sound input here; {MEND_DEVICE}.")
    if not wanted:
        standard = int(sd.default.device[0])
        return next(((i, d) for i, d in devices if i == standard), devices[0])
    fits = [(i, d) for i, d in devices if wanted == str(i) or wanted.lower() in d["name"].lower()]
    names = [f"{i}: {d['name']}" for i, d in fits or devices]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise DeviceError(f"Several inputs match '{wanted}': {', '.join(names)}. Give more of the name, or the number.")
    raise DeviceError(f"No sound input matches '{wanted}'; there are {', '.join(names)}.")
