"""A JACK server of the tests' own, with the dummy driver, and a recorder of its MIDI ports.

Use the fixture ``jack_server`` (one server per test session, from ``tests/jack/conftest.py``) or, where the server has
to die, ``own_jack_server``. Both put the server's name in the environment, so clients in this process and in children
that inherit ``os.environ`` find it. Record any MIDI output ports with::

    with JackMidiRecorder(jack_server, "hitloopd:clock", "hitloopd:out") as recorder:
        recorder.wait_for(100)          # rows, with a deadline
        recording = recorder.stop()
    recording.rows[0].frame, .us, .data, .source; recording.xruns; recording.rate

Sources may appear later than the recorder; each is connected as soon as it is there, and again if it comes back.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.needs import require, require_program

RATE = 48_000
DRIVERS = (
    (("-R", "-P", "70"), 64),
    (("-r",), 256),  # where real-time scheduling is not permitted
)
_numbers = itertools.count(1)


@dataclass
class JackServer:
    """A running server: its name, period in frames, rate and the environment that clients need."""

    name: str
    period: int
    rate: int
    process: subprocess.Popen[bytes]
    env: dict[str, str] = field(default_factory=dict)

    @property
    def period_ns(self) -> int:
        return self.period * 1_000_000_000 // self.rate

    @property
    def client_env(self) -> dict[str, str]:
        """The whole environment for a child process."""
        return {**os.environ, **self.env}

    def run(self, *command: str, timeout: float = 20.0, **options) -> subprocess.CompletedProcess[str]:
        """Run a JACK program against this server to its end."""
        return subprocess.run(
            command, env=self.client_env, timeout=timeout, capture_output=True, text=True, check=False, **options
        )

    def popen(self, *command: str, **options) -> subprocess.Popen[str]:
        """Start a JACK program against this server; end it with ``end``."""
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        return subprocess.Popen(command, env=self.client_env, text=True, **options)

    def ports(self) -> list[str]:
        return self.run("jack_lsp").stdout.split()

    def latency_frames(self, port: str) -> int:
        """What JACK says lies between a port and the ear."""
        listed = self.run("jack_lsp", "-l", port).stdout
        ranges = re.findall(r"playback latency = \[ (\d+) (\d+) \]", listed)
        assert ranges, listed
        return int(ranges[0][1])

    def stop(self) -> None:
        end(self.process)


def end(process: subprocess.Popen, *, seconds: float = 5.0) -> None:
    """Terminate, then kill, one process that the test started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(seconds)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):  # a pipe to a process that is gone can't be flushed
                stream.close()


def until(condition, *, seconds: float = 10.0, every: float = 0.02):
    """Poll ``condition`` until it is true; its value, or an assertion that names it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(every)
    return value


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """``os.environ`` with ``values`` in it."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


@contextlib.contextmanager
def running_server(name: str = "", *, period: int = 0) -> Iterator[JackServer]:
    """Start a dummy server of our own and end it; skips (or fails, see ``require``) where that can't be.

    Args:
        name: the server's name; a new one by itself.
        period: frames per period; 0 takes 64, or 256 without real-time scheduling.
    """
    require_program("jackd", "jack_wait", "jack_lsp")
    name = name or f"hl-{os.getpid()}-{next(_numbers)}"
    env = {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}
    with environment(env):
        server = _start(name, env, period)
        require(server is not None, "jackd -d dummy does not start here")
        assert server is not None
        try:
            yield server
        finally:
            server.stop()


def _start(name: str, env: dict[str, str], period: int) -> JackServer | None:
    for options, usual in DRIVERS:
        frames = period or usual
        # setpriv: a killed test run takes its servers along, or the machine soon says "Too many servers already active"
        tied = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
        command = (*tied, "jackd", "-n", name, *options, "-d", "dummy", "-r", str(RATE), "-p", str(frames))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = JackServer(name, frames, RATE, process, env)
        deadline = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < deadline:
            if server.run("jack_wait", "-s", name, "-c").stdout.strip().startswith("running"):
                return server
            time.sleep(0.02)
        server.stop()
    return None


@dataclass(frozen=True)
class Row:
    """One message: the frame it lies on (unsigned, unwrapped), that frame in monotonic µs, its bytes, its source."""

    frame: int
    us: int
    data: bytes
    source: str


@dataclass(frozen=True)
class Recording:
    """All rows in order, and how many xruns the server had while recording."""

    rows: list[Row]
    xruns: int
    rate: int

    def of(self, source: str) -> list[Row]:
        return [row for row in self.rows if row.source == source]

    def intervals(self, status: int = 0xF8, source: str = "") -> list[int]:
        """Frames between messages with this status byte."""
        frames = [row.frame for row in self.rows if row.data[0] == status and source in ("", row.source)]
        return [b - a for a, b in itertools.pairwise(frames)]


class JackMidiRecorder:
    """Captures MIDI output ports in a process of its own. See the module's docstring."""

    def __init__(self, server: JackServer, *sources: str, name: str = "") -> None:
        require_module("jack")
        self.sources = sources
        script = Path(__file__).with_name("recorder.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), name or f"recorder{next(_numbers)}", *sources],
            env=server.client_env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._ask("count")  # it is up once it answers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._process)

    def connected(self) -> list[str]:
        """Which sources are connected now."""
        return self._ask("connected")

    def wait_connected(self, seconds: float = 10.0) -> None:
        until(lambda: set(self.connected()) == set(self.sources), seconds=seconds)

    def count(self) -> int:
        """How many messages there are so far."""
        return self._ask("count")

    def wait_for(self, count: int, seconds: float = 30.0) -> None:
        until(lambda: self.count() >= count, seconds=seconds, every=0.05)

    def clear(self) -> None:
        """Forget rows and xruns so far."""
        self._ask("clear")

    def recording(self) -> Recording:
        """What there is so far."""
        answer = self._ask("rows")
        rows = [Row(f, us, bytes.fromhex(data), self.sources[i]) for f, us, data, i in answer["rows"]]
        return Recording(rows, answer["xruns"], answer["rate"])

    def stop(self) -> Recording:
        """What there is, and end."""
        recording = self.recording()
        end(self._process)
        return recording

    def _ask(self, word: str):
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the recorder died: is the JACK server up?"
        return json.loads(line)


def require_module(name: str) -> None:
    """Skip (or fail) unless a Python module can be imported."""
    try:
        __import__(name)
    except (ImportError, OSError) as error:
        require(condition=False, reason=f"module {name} can't be imported: {error}")
