"""What works on this machine, what does not, and the one command that mends it.

Nothing here changes the machine or the running process: real-time rights are tried on a thread that ends at once,
JACK, MIDI and PortAudio are asked in child processes, whose noise goes nowhere and whose hanging ends with a deadline.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from hitloopd.app import resources
from hitloopd.app.settings import Settings
from hitloopd.core.errors import UnavailableError
from hitloopd.generate.card import check_files, read_card
from hitloopd.generate.registry import models

State = Literal["ok", "missing", "degraded"]
PROBE_S: Final = 5.0
_FIFO_TRY: Final = 60
_LIMITS: Final = "/etc/security/limits.d/95-audio.conf"
_AUDIO_GROUP: Final = 'sudo usermod -aG audio "$USER"   # then log in again'

_AUDIO: Final = """
import sounddevice
names = [d["name"] for d in sounddevice.query_devices() if d["max_output_channels"] > 0]
print("; ".join(names))
"""
_MIDI: Final = """
import json
from hitloopd.io.midi_ports import backends
print(json.dumps([[b.name, b.available, b.detail, b.mend, [*b.ports.outputs]] for b in backends()]))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: what it is.
        state: ok, missing (that part will not work) or degraded (it works, less well).
        detail: what was found.
        mend: the command that helps; empty where nothing need be done.
    """

    name: str
    state: State
    detail: str
    mend: str = ""


class Probe:
    """A question to a child process: it starts at once, the answer is read later, so that several run side by side."""

    def __init__(self, code: str) -> None:
        environment = {**os.environ, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}
        self._process = subprocess.Popen(  # noqa: S603 - our own code, our own interpreter
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )

    def answer(self, timeout_s: float = PROBE_S) -> str | None:
        """What it printed, or ``None`` when it failed or took too long."""
        try:
            out, _ = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return None
        return out.strip() if self._process.returncode == 0 else None


def doctor(settings: Settings, *, devices: bool = False, platform: str = sys.platform) -> list[Finding]:
    """Look at everything.

    Args:
        settings: which port and folders to look at.
        devices: also start PortAudio and list its devices (may take seconds on some machines).
        platform: as ``sys.platform``, for tests.
    """
    midi = Probe(_MIDI)
    audio = Probe(_AUDIO) if devices else None
    backends, names = _backends(midi.answer())
    found = [_python(), *backends, *_system_midi(platform, names)]
    found += [*_pipewire(platform), _portaudio(platform)]
    if audio is not None:
        found.append(_devices(audio))
    found += [*_realtime(platform), osc_port(settings.osc.host, settings.osc.port), *_folders(settings)]
    return [*found, _kits(settings), _models(settings)]


def table(findings: Iterable[Finding]) -> str:
    """For people: one line each, the mending command below it."""
    lines: list[str] = []
    for item in findings:
        lines.append(f"{item.state:<9} {item.name:<16} {item.detail}".rstrip())
        if item.mend:
            lines.append(f"{'':<26} -> {item.mend}")
    return "\n".join(lines)


def as_json(findings: Iterable[Finding]) -> str:
    """For programs: a JSON list of objects."""
    return json.dumps([asdict(item) for item in findings])


def osc_port(host: str, port: int) -> Finding:
    """Whether OSC can be heard there; an UDP port has one owner."""
    name, where = "OSC port", f"{host}:{port}"
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, proto) as trial:
            trial.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            mend = f"hitloopd run --set osc.port={port + 1}"
            return Finding(name, "missing", f"{where} is held by {_port_holder(host, port)}", mend)
        return Finding(name, "missing", f"{where}: {error.strerror}", "hitloopd run --set osc.host=127.0.0.1")
    return Finding(name, "ok", f"{where} is free")


def _port_holder(host: str, port: int) -> str:
    """Who it is: a hitloopd says so itself, others are looked up where the system tells."""
    from hitloopd.control.osc_client import ask  # noqa: PLC0415 - only when it is taken

    with contextlib.suppress(OSError, ValueError):  # it refuses or talks something else
        for reply in ask(host, port, "/hitloop/sys/version", timeout_s=0.3):
            if len(reply.args) == 3 and not reply.is_error:
                name, version, pid = reply.args
                return f"{name} {version} (process {pid})"
    return _udp_owner(port) or "another program"


def _udp_owner(port: int) -> str:
    """Name and number of the process with this UDP port; empty where the system does not tell (Linux does)."""
    with contextlib.suppress(OSError):
        rows = [line.split() for path in ("udp", "udp6") for line in Path(f"/proc/net/{path}").read_text().splitlines()]
        wanted = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}")}
        for entry in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):  # it ended, or is somebody else's
                if str(entry.readlink()) in wanted:
                    process = entry.parents[1]
                    return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""


def _has_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("Python", "ok", f"{version} ({sys.platform})")


def _backends(answer: str | None) -> tuple[list[Finding], str]:
    """What ``io.midi_ports`` found, and all port names in one text."""
    if answer is None:
        return [Finding("MIDI", "missing", "the MIDI libraries could not be asked", "pip install -e .")], ""
    rows: list[tuple[str, bool, str, str, list[str]]] = json.loads(answer)
    lost: State = "degraded" if any(there for _, there, _, _, _ in rows) else "missing"
    found = [Finding(f"MIDI {name}", "ok" if there else lost, detail, mend) for name, there, detail, mend, _ in rows]
    return found, "; ".join(port for *_, ports in rows for port in ports)


def _system_midi(platform: str, names: str) -> Iterable[Finding]:
    if platform == "darwin":
        if "IAC" in names:
            return (Finding("IAC driver", "ok", "on"),)
        mend = 'open -a "Audio MIDI Setup"   # Window > MIDI Studio > IAC Driver > Device is online'
        return (Finding("IAC driver", "degraded", "off: other programs see only hitloopd's own ports", mend),)
    if platform == "win32":
        if "loopMIDI" in names:
            return (Finding("loopMIDI", "ok", "running"),)
        mend = "winget install TobiasErichsen.loopMIDI"
        return (Finding("loopMIDI", "missing", "Windows has no virtual MIDI ports of its own", mend),)
    return ()


def _pipewire(platform: str) -> Iterable[Finding]:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not platform.startswith("linux") or not runtime or not (Path(runtime) / "pipewire-0").exists():
        return ()
    # Measured: the rtmidi wheel brings a libjack of its own that reaches jackd only; JACK-Client works under pw-jack.
    detail = "runs; its JACK side is reached by the native JACK output only, not through rtmidi"
    return (Finding("PipeWire", "ok", detail, "pw-jack hitloopd run --set midi.backend=jack"),)


def _portaudio(platform: str) -> Finding:
    name = "PortAudio"
    if not _has_module("sounddevice"):
        return Finding(name, "missing", "sounddevice is not installed: no sound, MIDI only", "pip install sounddevice")
    if not platform.startswith("linux"):
        return Finding(name, "ok", "in the sounddevice wheel")
    import ctypes  # noqa: PLC0415 - only here

    with contextlib.suppress(OSError):  # not there: told below
        ctypes.CDLL("libportaudio.so.2")
        return Finding(name, "ok", "libportaudio.so.2")
    return Finding(name, "missing", "no libportaudio: no sound, MIDI only", "sudo apt-get install libportaudio2")


def _devices(probe: Probe) -> Finding:
    names = probe.answer()
    if names:
        return Finding("audio devices", "ok", names)
    return Finding("audio devices", "missing", "no output device: MIDI and capture only", "hitloopd demo --out take")


def _realtime(platform: str) -> Iterable[Finding]:
    if not platform.startswith("linux"):
        return ()
    return (_fifo(_fifo_refused()), _memlock())


def _fifo(refused: str) -> Finding:
    name = "real-time rights"
    if not refused:
        return Finding(name, "ok", f"SCHED_FIFO {_FIFO_TRY}")
    mend = f"echo '@audio - rtprio 95' | sudo tee -a {_LIMITS} && {_AUDIO_GROUP}"
    return Finding(name, "degraded", f"SCHED_FIFO is refused ({refused}): late by ms under load", mend)


def _fifo_refused() -> str:
    """Try on a thread of its own: on Linux the scheduling class is a thread's, and it ends with it."""
    answer: list[str] = []

    def attempt() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_FIFO_TRY))
        except OSError as error:
            answer.append(error.strerror or "refused")

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return answer[0] if answer else ""


def _memlock() -> Finding:
    import resource  # noqa: PLC0415 - POSIX only

    _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    name = "memory lock"
    if hard == resource.RLIM_INFINITY or os.geteuid() == 0:
        return Finding(name, "ok", "unlimited")
    mend = f"echo '@audio - memlock unlimited' | sudo tee -a {_LIMITS} && {_AUDIO_GROUP}"
    return Finding(name, "degraded", f"limited to {hard // 1024} KiB: paging can make a note late", mend)


def _folders(settings: Settings) -> Sequence[Finding]:
    paths = settings.paths
    rows = (("state folder", paths.state), ("cache folder", paths.cache), ("library folder", paths.library))
    return [_folder(name, path) for name, path in rows]


def _folder(name: str, path: Path, access: Callable[[Path, int], bool] = os.access) -> Finding:
    there = next((place for place in (path, *path.parents) if place.exists()), path)
    if there.is_dir() and access(there, os.W_OK | os.X_OK):
        return Finding(name, "ok", str(path) if there == path else f"{path} (will be made)")
    key = f"paths.{name.partition(' ')[0]}"
    return Finding(name, "degraded", f"{path} can't be written", f"hitloopd run --set {key}=FOLDER")


def _kits(settings: Settings) -> Finding:
    names = ", ".join(resources.shipped("kit", settings.paths.library))
    if names:
        return Finding("kits", "ok", names)
    return Finding("kits", "missing", "none found: the installation is not whole", "pip install --force-reinstall -e .")


def _models(settings: Settings) -> Finding:
    """Learned generators: each proved to be the one that its card speaks of, and what runs them."""
    found = models(resources.places(settings.paths.library))
    if not found:
        return Finding("models", "ok", "none needed: random and rules are built in")
    if importlib.util.find_spec("onnxruntime") is None:
        return Finding(
            "models", "degraded", f"{', '.join(found)}, but onnxruntime is missing", "pip install onnxruntime"
        )
    problems: list[str] = []
    for folder in found.values():
        try:
            check_files(folder, read_card(folder))
        except UnavailableError as error:
            problems.append(str(error))
    if problems:
        return Finding("models", "degraded", " ".join(problems), "put the model's whole folder there again")
    return Finding("models", "ok", ", ".join(found))
