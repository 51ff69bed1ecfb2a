"""hitloopd as a user starts it, in a folder of its own; where asked for, its messages are noted, not sent."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from tests.bench.context import Context
from tests.bench.inject.hitloop_bench_stamps import read

INJECT = Path(__file__).with_name("inject")
BPM = 174.0
CLOCK = 0xF8
Settings = Mapping[str, str | float | bool]
QUIET: Settings = {"audio.backend": "none"}


def command() -> list[str]:
    """How the daemon is called: the script beside this Python."""
    script = Path(sys.executable).with_name("hitloopd")
    return [str(script)] if script.exists() else [sys.executable, "-m", "hitloopd.app.cli"]


class Daemon:
    """A running ``hitloopd run``.

    Args:
        ctx: the run it belongs to.
        settings: config keys.
        noted: python-rtmidi is stood in for, and every message noted with its instant.
        stall: ``control`` puts a slow handler on the control process's loop (needs ``noted``).
        env: more for its environment.
    """

    def __init__(
        self,
        ctx: Context,
        settings: Settings | None = None,
        *,
        bpm: float = BPM,
        noted: bool = True,
        stall: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.port = _free_port()
        self._stamps = ctx.fresh_dir("stamps", in_memory=True)
        keys: dict[str, str | float | bool] = {
            "transport.bpm": bpm,
            "transport.autostart": True,
            "sync.source": "internal",
            "midi.backend": "rtmidi",
            "osc.port": self.port,
            "paths.state": str(ctx.fresh_dir("state")),
            "paths.cache": str(_kept(ctx, "sounds")),
            **(settings or {}),
        }
        injected = {
            "PYTHONPATH": os.pathsep.join(filter(None, (str(INJECT), os.environ.get("PYTHONPATH")))),
            "HITLOOP_BENCH_STAMPS": str(self._stamps),
            "HITLOOP_BENCH_BPM": str(bpm),
            "HITLOOP_BENCH_STALL": stall,
        }
        sets = [f"--set={key}={_yaml(value)}" for key, value in keys.items()]
        environment = ctx.environment(**(injected if noted else {}), **(env or {}))
        self.job = ctx.start([*command(), "run", *sets], "hitloopd", env=environment, cwd=ctx.fresh_dir("cwd"))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        self._socket.close()
        return self.job.stop()

    def wait_ready(self, timeout_s: float = 15.0) -> Self:
        """Until it answers and, with notes taken, sends its clock.

        Raises:
            RuntimeError: it did not, and what it printed.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.job.running():
            if self.ask("/hitloop/sys/ping", timeout_s=0.25) is not None:
                return self
        raise RuntimeError(f"hitloopd does not answer: {self.job.tail(300)}")

    def ask(self, address: str, *args: float | str, timeout_s: float = 2.0) -> list[object] | None:
        """A request's reply, or ``None`` after ``timeout_s``; a long JSON reply is put together from its parts."""
        self.send(address, *args)
        parts: dict[int, str] = {}
        for message in self._replies(timeout_s):
            values = list(message.params)
            if message.address == "/hitloop/sys/error":
                raise RuntimeError(f"{address}: {values}")
            if message.address != address:
                continue
            if len(values) == 3 and isinstance(values[0], int) and isinstance(values[2], str) and values[1] > 1:
                parts[values[0]] = values[2]
                if len(parts) < values[1]:
                    continue
                return ["".join(parts[index] for index in sorted(parts))]
            return values
        return None

    def send(self, address: str, *args: float | str) -> None:
        """A request, without waiting."""
        builder = OscMessageBuilder(address)
        for value in args:
            builder.add_arg(value)
        self._socket.sendto(builder.build().dgram, ("127.0.0.1", self.port))

    def _replies(self, timeout_s: float) -> Iterator[OscMessage]:
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                yield OscMessage(self._socket.recv(65536))
            except TimeoutError:
                return
            except ConnectionError:  # nobody listens yet: the system's word for it
                time.sleep(0.02)

    def health(self) -> dict[str, object]:
        """All counters that ``/hitloop/sys/health`` tells, the player's among them.

        Raises:
            RuntimeError: no answer.
        """
        reply = self.ask("/hitloop/sys/health", timeout_s=5.0)
        if not reply:
            raise RuntimeError("no answer to /hitloop/sys/health")
        text = next(value for value in reversed(reply) if isinstance(value, str))
        found: dict[str, object] = json.loads(text)
        return found

    def messages(self, port: str = "clock") -> list[tuple[int, int]]:
        """What went out on a port so far: monotonic ns, and the message's bytes, first one lowest."""
        return [record for path in sorted(self._stamps.glob(f"midi-{port}.*.stamps")) for record in read(path)]

    def clocks(self) -> list[int]:
        """When each F8 was handed over, monotonic ns."""
        return [at for at, message in self.messages() if message & 0xFF == CLOCK]

    def stalls(self) -> int:
        """How often the disturbance happened."""
        return sum(len(read(path)) for path in self._stamps.glob("stall-*.stamps"))


def counter(health: Mapping[str, object], name: str) -> float:
    """A counter wherever it stands in ``health``.

    Raises:
        KeyError: it is nowhere.
    """
    for key, value in health.items():
        if key == name and isinstance(value, int | float):
            return value
    for value in health.values():
        if isinstance(value, dict):
            try:
                return counter(value, name)
            except KeyError:
                continue
    raise KeyError(name)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _kept(ctx: Context, name: str) -> Path:
    path = ctx.cache_dir / name
    path.mkdir(exist_ok=True)
    return path


def _yaml(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
