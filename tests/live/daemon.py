"""A whole daemon as its user starts it, asked over OSC; everything it started is gone afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from hitloopd.control.osc_client import ask
from hitloopd.control.osc_codec import Message, decode, encode

HOST = "127.0.0.1"
PATIENCE_S = 20.0
COMMAND = (sys.executable, "-m", "hitloopd.app.cli")


def eventually(condition, what="it", seconds=PATIENCE_S, every_s=0.02):
    """Wait until ``condition()`` is true; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what() if callable(what) else what}"
        time.sleep(every_s)
    return value


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


def run_command(*words, timeout=60, env=None, cwd=None):
    """One ``hitloopd`` command to its end."""
    environment = {**os.environ, **(env or {})}
    return subprocess.run(  # noqa: PLW1510 - the exit code is what is looked at
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=timeout, env=environment, cwd=cwd
    )


class Daemon:
    """``hitloopd run`` in a folder of its own.

    Args:
        folder: its state folder is in here.
        sets: ``key=value`` words over quiet defaults (no MIDI, no sound).
        options: more words for the command line.
        env: more for the environment.
        wait: stay until it answers.
        wrap: a command to start it with, e.g. ``prlimit``.
    """

    def __init__(self, folder: Path, *sets: str, options=(), env=None, wait=True, state="state", wrap=()):
        self.port = free_port()
        self.lines: list[str] = []
        words = [f"osc.port={self.port}", f"paths.state={folder / state}", f"paths.library={folder / 'library'}"]
        words += ["midi.backend=none", "audio.backend=none", *sets]
        self.process = subprocess.Popen(
            [*wrap, *COMMAND, "run", *(f"--set={word}" for word in words), *map(str, options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        self.pids: set[int] = set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if wait:
            self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill_all()

    def _read(self):
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait(self):
        eventually(lambda: self.ask("/hitloop/sys/ping", "x", timeout_s=0.2), lambda: self.lines)
        return self

    def playing(self):
        """Wait until it plays its second bar line or later."""
        eventually(lambda: self.status()["state"] == "playing" and self.health()["player"]["bars"], lambda: self.lines)
        return self

    def ask(self, address, *args, timeout_s=5.0):
        """The reply's arguments; the error's where it is one; ``None`` where nobody answers."""
        with contextlib.suppress(OSError):
            replies = ask(HOST, self.port, address, args, timeout_s=timeout_s)
            return replies[0].args if replies else None

    def status(self):
        return json.loads(eventually(lambda: self.ask("/hitloop/sys/status"), lambda: self.lines)[0])

    def health(self):
        data = json.loads(eventually(lambda: self.ask("/hitloop/sys/health"), lambda: self.lines)[0])
        self.pids |= {row["pid"] for row in data["processes"].values()}
        return data

    def pid(self, name):
        return self.health()["processes"][name]["pid"]

    def said(self, text, count=1):
        """Wait until ``text`` was printed so often; the last such line."""

        def found():
            hits = [line for line in list(self.lines) if text in line]
            return hits[-1] if len(hits) >= count else None

        return eventually(found, lambda: (text, self.lines))

    def end(self, number=signal.SIGTERM) -> int:
        """End it as a person or a service manager does; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def kill_all(self):
        """Whatever happened: its whole session, and only that, goes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Client:
    """A socket that asks and keeps whatever is sent to it, in order: (path, args)."""

    def __init__(self, port: int):
        self._to = (HOST, port)
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind((HOST, 0))
        self.heard: list[tuple[str, tuple]] = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()

    def send(self, address, *args):
        self._sock.sendto(encode(address, args), self._to)

    def listen(self, seconds: float):
        """Gather for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._sock.settimeout(left)
            try:
                data = self._sock.recv(65_535)
            except TimeoutError:
                return
            for group in decode(data):
                self.heard += [(item.path, item.args) for item in group.items if isinstance(item, Message)]

    def until(self, condition, what="it", seconds=PATIENCE_S):
        """Gather until ``condition()``."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds:g} s: {what}; {self.heard[-20:]}"
            self.listen(0.02)

    def all(self, path):
        return [args for where, args in self.heard if where == path]


def alive(pid: int) -> bool:
    """It runs, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
