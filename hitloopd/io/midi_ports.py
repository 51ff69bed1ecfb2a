"""Which MIDI ports there are, which one a pattern names, and what is missing to have them.

Conventions: a pattern is part of a name, or a glob where it has ``*``, ``?`` or ``[``; case does not count, nor do the
numbers that ALSA adds at the end ("Synth:MIDI 1 128:0") and that change from one plugging-in to the next. Nothing is
ever guessed: a pattern that fits several ports is an error that lists them.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from hitloopd.core.errors import DeviceError, UnavailableError, UnknownNameError, nearest

CLIENT_NAME: Final = "hitloopd"
DEFAULT_OUTPUTS: Final[Mapping[str, str]] = MappingProxyType({"out": "", "clock": ""})
DEFAULT_INPUTS: Final[Mapping[str, str]] = MappingProxyType({"in": ""})

PULSE: Final = "hitloopd-pulse"  # a port that only tells whether the JACK server lives; never to be connected with

MEND_JACK_CLIENT: Final = 'pip install "hitloopd[jack]"'
MEND_RTMIDI: Final = "pip install python-rtmidi"
MEND_JACK_SERVER: Final = "jackd -R -d alsa (or qjackctl; on PipeWire run hitloopd under pw-jack)"
MEND_LIBJACK: Final = "sudo apt-get install jackd2"
MEND_ALSA_MISSING: Final = "sudo modprobe snd-seq"
MEND_LOOPMIDI: Final = "install loopMIDI, make a port there and name it in the config (midi.outputs)"
MEND_ALSA_REFUSED: Final = 'sudo usermod -aG audio "$USER", then log in again'

_ALSA_SEQUENCER: Final = "/dev/snd/seq"
_ALSA_NUMBERS: Final = re.compile(r"\s+\d+:\d+$")


@dataclass(frozen=True, slots=True)
class Ports:
    """Names of what can be received from (``inputs``) and sent to (``outputs``), own ports included."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backend:
    """One way to MIDI ports: there or not, why not, and the one command that mends it."""

    name: str
    available: bool
    detail: str
    mend: str = ""
    ports: Ports = Ports()


def stable_name(name: str) -> str:
    """A port's name without what changes from one plugging-in to the next.

    >>> stable_name("Synth:Synth MIDI 1 128:0")
    'Synth:Synth MIDI 1'
    """
    return _ALSA_NUMBERS.sub("", name)


def is_own(name: str, client: str = CLIENT_NAME) -> bool:
    """True for a port of ``client``, also where the system made its name unique (``hitloopd-01:out``)."""
    owner = name.partition(":")[0]
    return owner == client or re.fullmatch(re.escape(client) + r"-\d+", owner) is not None


def find_port(pattern: str, names: Sequence[str], *, client: str = CLIENT_NAME) -> str:
    """The one port that ``pattern`` names.

    Raises:
        UnknownNameError: none fits; the nearest names are told.
        DeviceError: several fit and are listed; or the only one is our own, which would follow and feed itself.

    >>> find_port("tr-8", ["TR-8S:TR-8S MIDI 1 24:0", "Midi Through 14:0"])
    'TR-8S:TR-8S MIDI 1 24:0'
    """
    names = [name for name in names if f":{PULSE}" not in name]
    matches = matching(pattern, names)
    foreign = [name for name in matches if not is_own(name, client)]
    if matches and not foreign:
        raise DeviceError(
            f"'{pattern}' names our own port '{stable_name(matches[0])}': it would follow itself. Name another port"
            f"{_listed(name for name in names if not is_own(name, client))}."
        )
    if not foreign:
        stable = [stable_name(name) for name in names if not is_own(name, client)]
        raise UnknownNameError(f"No MIDI port fits '{pattern}'{_listed(stable)}.{_near(pattern, stable)}")
    if len(foreign) > 1:
        raise DeviceError(f"'{pattern}' fits several MIDI ports{_listed(foreign)}. Use more of the name of one.")
    return foreign[0]


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Every port that fits, in the order given; one whose whole name it is comes before all that only contain it."""
    wanted = stable_name(pattern).casefold()
    names = list(names)
    exact = [name for name in names if wanted == stable_name(name).casefold() or pattern == name]
    if exact:
        return exact
    if any(mark in pattern for mark in "*?["):
        return [name for name in names if fnmatch.fnmatchcase(stable_name(name).casefold(), wanted)]
    return [name for name in names if wanted in stable_name(name).casefold()]


def list_ports(backend: str) -> Ports:
    """The ports of ``rtmidi`` or ``jack``.

    Raises:
        UnavailableError: the backend is not there; the message names what mends it.
        UnknownNameError: there is no such backend.

    Thread: any. Real-time: no.
    """
    if backend not in _PROBES:
        raise UnknownNameError(
            f"There is no MIDI backend '{backend}'; valid are {', '.join(_PROBES)}.{nearest(backend, _PROBES)}"
        )
    return _PROBES[backend]()[1]


def backends() -> tuple[Backend, ...]:
    """What works here and what would mend the rest. Costs tens of ms. Thread: any. Real-time: no."""
    return tuple(_probe(name, probe) for name, probe in _PROBES.items())


def _probe(name: str, probe: Callable[[], tuple[str, Ports]]) -> Backend:
    try:
        detail, ports = probe()
    except UnavailableError as error:
        reason, mend = error.args
        return Backend(name, available=False, detail=reason, mend=mend)
    return Backend(name, available=True, detail=detail, ports=ports)


# ── rtmidi ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def load_rtmidi() -> Any:  # noqa: ANN401 - python-rtmidi is untyped
    """The ``rtmidi`` module.

    Raises:
        UnavailableError: it is not installed.
    """
    try:
        import rtmidi  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - 20 ms; not needed without MIDI
    except ImportError as error:
        raise unavailable(f"python-rtmidi can't be imported ({error})", MEND_RTMIDI) from error
    return rtmidi


def rtmidi_api() -> int:
    """The API to pass to rtmidi's constructors: the system's own, else JACK where a server runs.

    Its default constructor would pick ALSA where there is none and raise, even with a JACK server running.

    Raises:
        UnavailableError: none works here.
    """
    rtmidi = load_rtmidi()
    if not sys.platform.startswith("linux"):
        return rtmidi.get_compiled_api()[0]
    compiled = rtmidi.get_compiled_api()
    problem = _alsa_problem()
    if rtmidi.API_LINUX_ALSA in compiled and problem is None:
        return rtmidi.API_LINUX_ALSA
    if rtmidi.API_UNIX_JACK in compiled and _rtmidi_jack_runs(rtmidi):
        return rtmidi.API_UNIX_JACK
    assert problem is not None or rtmidi.API_LINUX_ALSA not in compiled
    raise unavailable(*(problem or ("python-rtmidi was built without ALSA", MEND_RTMIDI)))


def _alsa_problem() -> tuple[str, str] | None:
    """Why ALSA's sequencer can't be had, and what mends it; looked up without ALSA, which would complain aloud."""
    if not os.path.exists(_ALSA_SEQUENCER):  # noqa: PTH110 - pathlib would cost the player 10 ms
        return f"there is no ALSA sequencer ({_ALSA_SEQUENCER})", MEND_ALSA_MISSING
    if not os.access(_ALSA_SEQUENCER, os.R_OK | os.W_OK):
        return f"{_ALSA_SEQUENCER} may not be opened", MEND_ALSA_REFUSED
    return None


def _rtmidi_jack_runs(rtmidi: Any) -> bool:  # noqa: ANN401 - untyped
    try:
        with quiet():
            rtmidi.MidiOut(rtmidi.API_UNIX_JACK, f"{CLIENT_NAME}-probe").delete()
    except OSError:  # _rtmidi.SystemError is one
        return False
    return True


def _rtmidi_ports() -> tuple[str, Ports]:
    rtmidi = load_rtmidi()
    api = rtmidi_api()
    with quiet():
        out = rtmidi.MidiOut(api, f"{CLIENT_NAME}-list")
        into = rtmidi.MidiIn(api, f"{CLIENT_NAME}-list")
        try:
            ports = Ports(tuple(into.get_ports()), tuple(out.get_ports()))
        finally:
            out.delete()
            into.delete()
    return rtmidi.get_api_display_name(api), ports


# ── jack ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def load_jack() -> Any:  # noqa: ANN401 - JACK-Client is untyped
    """The ``jack`` module of JACK-Client.

    Raises:
        UnavailableError: it or libjack is not installed.
    """
    # JACK's library would start a server by itself, and reserve the sound card for it.
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    os.environ.setdefault("JACK_NO_AUDIO_RESERVATION", "1")
    try:
        import jack  # noqa: PLC0415 - an extra, and 20 ms
    except ImportError as error:
        raise unavailable(f"JACK-Client is not installed ({error})", MEND_JACK_CLIENT) from error
    except OSError as error:
        raise unavailable(f"libjack is not installed ({error})", MEND_LIBJACK) from error
    # libjack reports from a thread of its own, at any time: a terminal view must not be written over by it.
    jack.set_error_function(_swallow)
    jack.set_info_function(_swallow)
    return jack


def _swallow(_text: str) -> None:
    """What libjack says is told in our own words by the errors and notices here."""


def open_jack_client(name: str) -> Any:  # noqa: ANN401 - untyped
    """A ``jack.Client``, not yet active.

    Raises:
        UnavailableError: no server runs.
    """
    jack = load_jack()
    try:
        with quiet():
            return jack.Client(name, no_start_server=True)
    except jack.JackOpenError as error:
        server = os.environ.get("JACK_DEFAULT_SERVER", "default")
        raise unavailable(f"no JACK server runs (server '{server}')", MEND_JACK_SERVER) from error


def _jack_ports() -> tuple[str, Ports]:
    client = open_jack_client(f"{CLIENT_NAME}-list")
    try:
        senders = tuple(port.name for port in client.get_ports(is_midi=True, is_output=True))
        takers = tuple(port.name for port in client.get_ports(is_midi=True, is_input=True))
        return f"JACK, {client.samplerate} Hz, {client.blocksize} frames", Ports(senders, takers)
    finally:
        client.close()


_PROBES: Final[dict[str, Callable[[], tuple[str, Ports]]]] = {"jack": _jack_ports, "rtmidi": _rtmidi_ports}


# ── small things ────────────────────────────────────────────────────────────────────────────────────────────────────


class _Unavailable(UnavailableError):  # noqa: N818 - one kind of UnavailableError, told apart only here
    """Carries reason and command apart, and reads as one sentence."""

    def __str__(self) -> str:
        reason, mend = self.args
        return f"MIDI: {reason}. Try: {mend}"


def unavailable(reason: str, mend: str) -> UnavailableError:
    """An error whose ``args`` are the reason and the mending command, and whose text is a sentence with both."""
    return _Unavailable(reason, mend)


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Keep what C libraries write to stderr from the terminal; five lines for a server that simply is not there.

    Thread: any, but all threads are quiet meanwhile. Real-time: no.
    """
    try:
        saved = os.dup(2)
    except OSError:  # there is no stderr to keep quiet
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _near(pattern: str, stable: Sequence[str]) -> str:
    """Near by the whole name or by one part of it: people type the device, systems say client:port."""
    parts = {part.strip().casefold(): name for name in reversed(stable) for part in (name, *name.split(":"))}
    hint = nearest(pattern.casefold(), parts)
    return re.sub(r"'([^']*)'", lambda found: f"'{parts.get(found[1], found[1])}'", hint)


def _listed(names: Iterable[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    return f": {listed}" if listed else " (there is none)"
