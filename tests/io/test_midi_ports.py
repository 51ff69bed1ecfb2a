"""Names and patterns of ports, and what is said where there are none."""

from __future__ import annotations

import os
import time

import pytest

from hitloopd.core.errors import DeviceError, UnavailableError, UnknownNameError
from hitloopd.io import midi_ports
from hitloopd.io.midi_ports import backends, find_port, is_own, list_ports, quiet, stable_name

NAMES = [
    "Midi Through:Midi Through Port-0 14:0",
    "TR-8S:TR-8S MIDI 1 24:0",
    "TR-8S:TR-8S CTRL 24:1",
    "hitloopd:out 128:0",
]


@pytest.mark.parametrize(
    "pattern", ["tr-8s midi", "TR-8S:TR-8S MIDI 1", "*midi 1", "TR-8S:TR-8S MIDI 1 31:0", "8S*[m]idi*"]
)
def test_rule_48_a_pattern_finds_its_port_whatever_number_alsa_gave_it(pattern):
    pattern = pattern if not pattern.startswith("8S") else "*" + pattern
    assert find_port(pattern, NAMES) == "TR-8S:TR-8S MIDI 1 24:0"


def test_several_are_listed_never_guessed():
    with pytest.raises(DeviceError, match=r"TR-8S MIDI 1.*TR-8S CTRL"):
        find_port("tr-8s", NAMES)
    twins = ["Pad:Pad 20:0", "Pad:Pad 24:0"]
    with pytest.raises(DeviceError, match=r"20:0.*24:0"):
        find_port("pad", twins)


def test_the_whole_name_wins_over_names_that_contain_it():
    assert find_port("iac", ["IAC 2", "IAC"]) == "IAC"


def test_none_tells_what_there_is_and_the_nearest():
    with pytest.raises(UnknownNameError, match=r"(?s)'TR-8S:TR-8S CTRL'.*Did you mean.*Midi Through"):
        find_port("Midi Throu Port-O", NAMES)
    with pytest.raises(UnknownNameError, match="there is none"):
        find_port("x", [])


def test_rule_15_our_own_port_is_refused_and_never_in_the_way():
    with pytest.raises(DeviceError, match="our own port"):
        find_port("hitloopd:out", NAMES)
    assert find_port("out", [*NAMES, "synth:out 3:0"]) == "synth:out 3:0"
    assert is_own("hitloopd-02:in")
    assert not is_own("hitloopd-friend:in")


def test_stable_names():
    assert [stable_name(name) for name in ("A:B 1 20:0", "loopMIDI Port 1", "jack:midi_1")] == [
        "A:B 1", "loopMIDI Port 1", "jack:midi_1",
    ]  # fmt: skip


def test_unknown_backend():
    with pytest.raises(UnknownNameError, match="rtmidi"):
        list_ports("rtmidy")


@pytest.fixture
def bare(monkeypatch):
    """A machine without ALSA and without a JACK server."""
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-runs-this")
    monkeypatch.setattr(midi_ports, "_ALSA_SEQUENCER", "/nonexistent/seq")


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname != "Linux", reason="ALSA and JACK as on Linux")
def test_each_missing_backend_says_why_and_what_mends_it(bare, capfd):
    backends()
    start = time.perf_counter()
    told = {backend.name: backend for backend in backends()}
    assert time.perf_counter() - start < 0.5
    assert not told["rtmidi"].available
    assert "ALSA sequencer" in told["rtmidi"].detail
    assert told["rtmidi"].mend == midi_ports.MEND_ALSA_MISSING
    assert not told["jack"].available
    assert told["jack"].mend in (midi_ports.MEND_JACK_CLIENT, midi_ports.MEND_LIBJACK, midi_ports.MEND_JACK_SERVER)
    with pytest.raises(UnavailableError, match="Try: sudo modprobe snd-seq"):
        list_ports("rtmidi")
    assert capfd.readouterr().err == ""


def test_an_import_that_fails_names_the_command(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jack", None)
    monkeypatch.setitem(__import__("sys").modules, "rtmidi", None)
    with pytest.raises(UnavailableError, match=r'pip install "hitloopd\[jack\]"'):
        midi_ports.load_jack()
    with pytest.raises(UnavailableError, match="pip install python-rtmidi"):
        midi_ports.load_rtmidi()


def test_quiet_silences_c_and_gives_stderr_back(capfd):
    with quiet():
        os.write(2, b"noise")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
