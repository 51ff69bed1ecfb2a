"""In the place of python-rtmidi: one port to send to, and every message noted with its instant instead of sent.

So every program under test runs its own code down to the very call that would hand the message to the system, on a
machine without MIDI, and all are noted at the same place. Names and numbers as far as the programs measured here look
at them.
"""

from __future__ import annotations

import os
import sys

from hitloop_bench_stamps import Stamps

# hitloopd looks for the sequencer's device before it asks RtMidi, and takes the way for JACK where there is none.
if "hitloopd.io.midi_ports" in sys.modules:
    sys.modules["hitloopd.io.midi_ports"]._ALSA_SEQUENCER = os.devnull

(
    API_UNSPECIFIED,
    API_MACOSX_CORE,
    API_LINUX_ALSA,
    API_UNIX_JACK,
    API_WINDOWS_MM,
    API_RTMIDI_DUMMY,
    API_WEB_MIDI,
) = range(7)
ERRORTYPE_WARNING, ERRORTYPE_DEBUG_WARNING, ERRORTYPE_UNSPECIFIED, ERRORTYPE_NO_DEVICES_FOUND = range(4)
__version__ = "0.bench"
PORT = "bench:in 16:0"


class RtMidiError(Exception):
    """Never raised here; programs catch it."""


class SystemError(RtMidiError, OSError):  # noqa: A001 - the name is that of the module stood in for
    """Never raised here either."""


class InvalidPortError(RtMidiError, ValueError):
    """A port number that is not there."""


class InvalidUseError(RtMidiError, RuntimeError):
    """A port opened twice."""


class NoDevicesError(RtMidiError, OSError):
    """Never raised here."""


def get_compiled_api() -> list[int]:
    return [API_LINUX_ALSA]


def get_api_name(api: int) -> str:
    return "alsa"


get_api_display_name = get_api_name


def get_rtmidi_version() -> str:
    return "0"


_virtual: dict[type, list[str]] = {}  # by class: the names under which others would see our own ports


class _Port:
    def __init__(self, rtapi: int = API_UNSPECIFIED, name: str | None = None, **_more: object) -> None:
        self._api = rtapi or API_LINUX_ALSA
        self._client = name or "rtmidi"
        self._open = False

    def get_current_api(self) -> int:
        return self._api

    def get_ports(self, encoding: str = "auto") -> list[str]:
        return []

    def get_port_count(self) -> int:
        return len(self.get_ports())

    def get_port_name(self, port: int, encoding: str = "auto") -> str:
        return self.get_ports()[port]

    def is_port_open(self) -> bool:
        return self._open

    def open_port(self, port: int = 0, name: str | None = None):
        self._open = True
        return self

    def open_virtual_port(self, name: str | None = None):
        self._open = True
        _virtual.setdefault(type(self), []).append(f"{self._client}:{name} 128:0")
        return self

    def close_port(self) -> None:
        self._open = False

    delete = close_port

    def is_deleted(self) -> bool:
        return False

    def set_client_name(self, name: str) -> None:
        """Nobody looks."""

    set_port_name = set_client_name

    def set_error_callback(self, func: object, data: object = None) -> None:
        """There are no errors here."""

    def cancel_error_callback(self) -> None:
        """There are no errors here."""

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close_port()


class MidiOut(_Port):
    """Notes what is sent."""

    def get_ports(self, encoding: str = "auto") -> list[str]:
        return [PORT, *_virtual.get(MidiIn, [])]

    def open_port(self, port: int = 0, name: str | None = None):
        self._stamps = Stamps(f"midi-{name or 'out'}")
        return super().open_port(port, name)

    def open_virtual_port(self, name: str | None = None):
        self._stamps = Stamps(f"midi-{name or 'out'}")
        return super().open_virtual_port(name)

    def send_message(self, message) -> None:
        self._stamps.add(int.from_bytes(bytes(message[:3]), "little"))


class MidiIn(_Port):
    """Nothing ever comes."""

    def __init__(
        self, rtapi: int = API_UNSPECIFIED, name: str | None = None, queue_size_limit: int = 1024, **more
    ) -> None:
        super().__init__(rtapi, name, **more)

    def get_ports(self, encoding: str = "auto") -> list[str]:
        return list(_virtual.get(MidiOut, []))

    def ignore_types(self, sysex: bool = True, timing: bool = True, active_sense: bool = True) -> None:
        """Nothing comes that could be ignored."""

    def set_callback(self, func: object, data: object = None) -> None:
        """It will not be called."""

    def cancel_callback(self) -> None:
        """It was not called."""

    def get_message(self) -> None:
        return None
