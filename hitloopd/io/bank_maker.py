"""Banks made in a process of their own: reading, resampling and tuning a kit never holds the callback's interpreter up.

The asking end, for the loader's thread of the audio process; ``io.bank_server`` is the other one. A request goes out
over a pipe, a head and the bank's frames come back.

Conventions: a message is its length in four bytes, then a pickle; the frames follow the head as plain float32.
"""

from __future__ import annotations

import contextlib
import pickle
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.errors import ConfigError, DeviceError
from hitloopd.core.kit import Kit
from hitloopd.io.bank import Bank
from hitloopd.io.kit_sounds import BankResult

PATIENCE_S: Final = 60.0
_LENGTH: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Request:
    """A bank that is wanted; see ``kit_sounds.build_bank``."""

    kit: Kit
    folder: str
    rate: int
    pitches: tuple[int, ...]
    cache_dir: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Head:
    """What comes before the frames; ``refused``: why there are none."""

    frames: int = 0
    starts: NDArray[np.int64] | None = None
    lengths: NDArray[np.int64] | None = None
    problems: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class BankMaker:
    """The asking end. Not for several threads at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether a process waits for requests."""
        return self._process is not None

    def make(self, request: Request) -> BankResult:
        """A bank.

        Raises:
            ConfigError: the kit is refused; all the reasons.
            DeviceError: the process can't be started, or it died or hung.

        Thread: loader. Real-time: no.
        """
        try:
            process = self._started()
        except OSError as error:
            raise DeviceError(f"No process to load kits in could be started: {error}.") from error
        return self._ask_or_close(process, request)

    def _ask_or_close(self, process: subprocess.Popen[bytes], request: Request) -> BankResult:
        timer = threading.Timer(PATIENCE_S, process.kill)
        timer.start()
        try:
            return self._ask(process, request)
        except (OSError, EOFError, struct.error, pickle.UnpicklingError, AssertionError) as error:
            self.close()
            raise DeviceError(f"The process that loads kits ended before its time ({error}); try again.") from error
        finally:
            timer.cancel()

    def kill(self) -> None:
        """Break a request off: whoever waits for it gets ``DeviceError``. Thread: any. Real-time: no."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process; the next request starts another. Thread: loader. Real-time: no."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):  # it is gone, and what was in the pipe with it
                pipe.close()
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            command = (sys.executable, "-m", "hitloopd.io.bank_server")
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], request: Request) -> BankResult:
        assert process.stdin is not None
        assert process.stdout is not None
        put(process.stdin, request)
        head = take(process.stdout)
        if head is None:
            raise EOFError("it went")
        assert isinstance(head, Head)
        if head.refused:
            raise ConfigError(head.refused)
        assert head.starts is not None
        assert head.lengths is not None
        data = np.empty(head.frames, dtype=np.float32)
        _fill(process.stdout, data.data.cast("B"))  # the interpreter is free while it waits and copies
        return BankResult(Bank(request.kit, request.rate, data, head.starts, head.lengths), head.problems)


def put(pipe: Any, message: object) -> None:  # noqa: ANN401 - both ends' pipes, of different types
    """Send a message. Thread: the pipe's owner. Real-time: no."""
    data = pickle.dumps(message, 5)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def take(pipe: Any) -> object:  # noqa: ANN401 - as above
    """The next message; ``None`` at the end. Thread: the pipe's owner. Real-time: no."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return pickle.loads(pipe.read(_LENGTH.unpack(head)[0]))


def _fill(pipe: Any, view: memoryview) -> None:  # noqa: ANN401 - as above
    while len(view):
        count = pipe.readinto(view)
        if not count:
            raise EOFError("it went")
        view = view[count:]
