"""MIDI control: bytes in, uses of the table out; each table row is a little performance."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hitloopd.control.midi_bindings import parse_bindings
from hitloopd.control.midi_decode import MidiDecoder
from hitloopd.control.midi_map import MidiControl
from hitloopd.control.midi_takeover import Knob, Takeover
from hitloopd.control.perform import perform
from hitloopd.core import commands as cmd
from hitloopd.core.errors import ConfigError
from hitloopd.core.pattern import Lane
from hitloopd.ports.surface import Accepted, Rejected
from hitloopd.testing.fake_desk import FakeDesk

CONTROLLERS = Path(__file__).parents[2] / "configs" / "controllers"
ENERGY, MUTE, BPM = "/hitloop/gen/energy", "/hitloop/lane/kick/mute", "/tempo"


def play(binding, *hexes, desk=None):
    """Send messages through one binding; the uses, each carried out before the next message."""
    desk = desk or FakeDesk()
    control = MidiControl(parse_bindings({"bindings": [binding]}), desk.value)
    uses = []
    for text in hexes:
        for path, args in control.receive("pad", bytes.fromhex(text), 0):
            uses.append(args)
            assert path == binding["address"]
            perform(desk, path, args, 0, lambda *_: None)
    return uses


@pytest.mark.parametrize(
    ("binding", "hexes", "uses"),
    [
        # note: press, release as note-off or as velocity 0, press again
        ({"type": "note", "number": 36, "address": "/regenerate"}, ["992440", "892400", "992401", "992400"], [(), ()]),
        ({"type": "note", "number": 36, "address": "/regenerate", "args": [7]}, ["992440"], [(7,)]),
        ({"type": "note", "number": 36, "channel": 1, "address": "/regenerate"}, ["992440", "902440"], [()]),
        ({"type": "note", "number": 37, "address": "/regenerate"}, ["992440"], []),
        (
            {"type": "note", "number": 36, "address": MUTE, "mode": "toggle"},
            ["992440", "892400"] * 2,
            [(True,), (False,)],
        ),
        (
            {"type": "note", "number": 36, "address": MUTE, "mode": "hold"},
            ["992440", "992440", "892400"],
            [(True,), (False,)],
        ),
        ({"type": "note", "number": 36, "address": ENERGY, "mode": "value"}, ["99247f", "892400"], [(1.0,)]),
        ({"note": 36, "channel": 10, "address": "/regenerate"}, ["992440"], [()]),  # the short way to write it
        # cc as button: once per press
        ({"type": "cc", "number": 20, "address": "/calmer"}, ["b0147f", "b0147f", "b01400", "b01440"], [(), ()]),
        # cc as knob, plain, limited, upside down, whole numbers, switch, words
        ({"type": "cc", "number": 1, "address": ENERGY}, ["b00100", "b0017f"], [(0.0,), (1.0,)]),
        (
            {"type": "cc", "number": 1, "address": BPM, "min": 100, "max": 140},
            ["b00100", "b0017f"],
            [(100.0,), (140.0,)],
        ),
        ({"type": "cc", "number": 1, "address": ENERGY, "min": 1, "max": 0}, ["b00100", "b0017f"], [(1.0,), (0.0,)]),
        ({"type": "cc", "number": 1, "address": "/hitloop/gen/auto", "max": 8}, ["b00140"], [(4,)]),
        (
            {"type": "cc", "number": 1, "address": "/hitloop/sync/source"},
            ["b00100", "b00140", "b0017f"],
            [("internal",), ("midi",), ("link",)],
        ),
        ({"type": "cc", "number": 1, "address": BPM, "args": [4]}, ["b00100"], [(20.0, 4)]),
        # rule 22: the high half counts at once, the low half refines
        ({"type": "cc14", "number": 1, "address": ENERGY}, ["b0017f", "b0217f"], [(0.992248,), (1.0,)]),
        # NRPN 1:2, data entry high and low, one up; an RPN's data is not it; nothing after null
        (
            {"type": "nrpn", "number": 130, "address": ENERGY},
            ["b06301", "b06202", "b0067f", "b0267f", "b06501", "b06400", "b00600", "b0637f", "b0627f", "b00640"],
            [(0.992248,), (1.0,)],
        ),
        (
            {"type": "nrpn", "number": 0, "address": ENERGY},
            ["b06300", "b06200", "b06000", "b06000", "b06100"],
            [(0.000061,), (0.000122,), (0.000061,)],
        ),
        ({"type": "pitchbend", "address": ENERGY}, ["e00000", "e07f7f"], [(0.0,), (1.0,)]),
        (
            {"type": "program", "address": "/hitloop/gen/style", "values": ["house", "techno"]},
            ["c001", "c000", "c009"],
            [("techno",), ("house",)],
        ),
        ({"type": "program", "address": "/hitloop/gen/seed"}, ["c005"], [(5,)]),
        ({"type": "program", "address": "/regenerate"}, ["c005", "c005"], [(), ()]),
        # endless knobs: one up, one down, from the value in force (0.5)
        (
            {"type": "relative_twos", "number": 1, "address": ENERGY},
            ["b00101", "b0017f", "b0017d"],
            [(0.51,), (0.5,), (0.47,)],
        ),
        ({"type": "relative_offset", "number": 1, "address": ENERGY}, ["b00141", "b0013f"], [(0.51,), (0.5,)]),
        ({"type": "relative_sign", "number": 1, "address": ENERGY}, ["b00101", "b00141"], [(0.51,), (0.5,)]),
        (
            {"type": "relative_twos", "number": 1, "address": ENERGY, "step": 0.4},
            ["b00101", "b00101"],
            [(0.9,), (1.0,)],
        ),
        ({"type": "relative_twos", "number": 1, "address": "/hitloop/gen/seed"}, ["b00102"], [(3,)]),
        (
            {"type": "relative_twos", "number": 1, "address": "/hitloop/sync/source"},
            ["b00101", "b00105"],
            [("midi",), ("link",)],
        ),
        # system, pressure, rubbish
        (
            {"type": "cc", "number": 1, "address": ENERGY},
            ["", "f8", "f00102f7", "d040", "b001", "b0ff01", "01", "b00100ff"],
            [],
        ),
    ],
)
def test_moves_become_uses(binding, hexes, uses):
    found = play(binding, *hexes)
    assert found == uses
    assert [[type(arg) for arg in use] for use in found] == [[type(arg) for arg in use] for use in uses]


def test_bad_messages_are_counted():
    decoder = MidiDecoder()
    assert [decoder.feed("", bytes.fromhex(t)) for t in ("", "b001", "b0ff01", "01", "f8")] == [[]] * 5
    assert decoder.bad == 4


@pytest.mark.parametrize(
    ("how", "value", "knobs", "sent"),
    [
        (Takeover.JUMP, 0.5, [0.0, 0.1], [0.0, 0.1]),
        (Takeover.PICKUP, 0.5, [0.0, 0.3, 0.6, 0.2], [None, None, 0.6, 0.2]),  # passes it on the third
        (Takeover.PICKUP, 0.5, [0.505, 0.9], [0.505, 0.9]),  # near enough
        (Takeover.SCALE, 0.5, [0.0, 0.5, 1.0], [None, 0.75, 1.0]),  # half of the way up is half of the rest
        (Takeover.SCALE, 0.5, [1.0, 0.5, 0.0], [None, 0.25, 0.0]),
        (Takeover.SCALE, 0.5, [1.0, 1.0], [None, 0.5]),
    ],
)
def test_rule_23_takeover(how, value, knobs, sent):
    knob, found = Knob(how), []
    for position in knobs:
        new = knob.move(position, value)
        found.append(new)
        value = value if new is None else new
    assert found == sent


def test_rule_23_pickup_lets_go_when_somebody_else_moves_the_value():
    knob = Knob(Takeover.PICKUP)
    assert knob.move(0.5, 0.5) == 0.5
    assert knob.move(0.6, 0.5) == 0.6  # our own 0.5 still on its way is not somebody else
    assert knob.move(0.7, 0.6) == 0.7
    assert knob.move(0.71, 0.2) is None
    assert knob.move(0.1, 0.2) == 0.1


def test_pickup_through_a_binding():
    binding = {"type": "cc", "number": 1, "address": ENERGY, "takeover": "pickup"}
    assert play(binding, "b00100", "b00120", "b00150", "b00120") == [(0.629921,), (0.251969,)]


def test_the_port_chooses():
    [binding] = parse_bindings({"port": "launch", "bindings": [{"type": "note", "number": 1, "address": "/play"}]})
    control = MidiControl([binding], FakeDesk().value)
    assert control.receive("Launchpad Mini", b"\x90\x01\x40", 0) == [("/play", ())]
    assert control.receive("Keyboard", b"\x90\x01\x40", 0) == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"type": "note", "number": 36, "address": "/regenrate"}, ["bindings[0].address", "/regenerate"]),
        ({"type": "nothe", "number": 36, "address": "/play"}, ["bindings[0].type", "Did you mean 'note'"]),
        ({"type": "note", "number": 128, "address": "/play"}, ["bindings[0].number", "0 to 127"]),
        ({"type": "note", "address": "/play"}, ["bindings[0].number", "is missing"]),
        ({"type": "note", "number": 1}, ["bindings[0].address", "is missing"]),
        ({"type": "note", "number": 1, "address": "/play", "chanel": 1}, ["chanel", "Did you mean 'channel'"]),
        ({"type": "note", "number": 1, "address": "/play", "channel": 17}, ["0 to 16"]),
        ({"note": 136, "address": "/play"}, ["bindings[0].number", "0 to 127"]),
        ({"note": 36, "cc": 36, "address": "/play"}, ["unknown key", "must be one of note"]),
        ({"type": "note", "number": True, "address": "/play"}, ["number"]),
        ({"type": "note", "number": 1, "address": "/play", "mode": "toggle"}, ["not on or off"]),
        ({"type": "note", "number": 1, "address": "/play", "args": 3}, ["must be a list"]),
        ({"type": "note", "number": 1, "address": ENERGY, "args": [3]}, ["args", "0 to 1"]),
        ({"type": "cc", "number": 1, "address": ENERGY, "min": -1}, ["min", "0 to 1"]),
        ({"type": "cc", "number": 1, "address": ENERGY, "takeover": "pick"}, ["takeover", "pickup"]),
        ({"type": "cc", "number": 1, "address": "/hitloop/gen/style"}, ["values", "takes a word"]),
        ({"type": "cc", "number": 1, "address": "/hitloop/sys/status"}, ["can't be set"]),
        ({"type": "cc", "number": 1, "address": "/hitloop/pattern/undo", "mode": "hold"}, ["hold"]),
        ("note 36", ["expected a mapping"]),
    ],
)
def test_mistakes_in_a_controller_file_are_told(row, words):
    with pytest.raises(ConfigError) as caught:
        parse_bindings({"bindings": [row]}, "my.yaml")
    assert str(caught.value).startswith("my.yaml: bindings[0]")
    assert all(word in str(caught.value) for word in words)


def test_all_mistakes_are_told_at_once():
    rows = [{"type": "note", "number": 1, "address": f"/bad{i}"} for i in range(3)]
    with pytest.raises(ConfigError) as caught:
        parse_bindings({"bindings": rows, "nmae": "x"})
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("data", [None, [], {}, {"bindings": 3}])
def test_a_file_without_bindings_is_told(data):
    with pytest.raises(ConfigError, match="'bindings', a list"):
        parse_bindings(data)


@pytest.mark.parametrize("path", sorted(CONTROLLERS.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_shipped_controllers_are_right(path):
    assert len(parse_bindings(yaml.safe_load(path.read_text()), path.name)) >= 16


def test_the_pads_reach_every_lane():
    bindings = parse_bindings(yaml.safe_load((CONTROLLERS / "pads.yaml").read_text()))
    assert {b.endpoint.lane for b in bindings} == {*Lane, None}
    assert len({b.number for b in bindings}) == len(bindings)


def test_perform_answers_every_use():
    desk, told = FakeDesk(), []
    for path, args in (
        ("/play", ()),
        ("/tempo", (1000,)),
        ("/nonsense", ()),
        ("/a//b", ()),
        ("/hitloop/sys/status", ()),
    ):
        perform(desk, path, args, 0, lambda at, outcome: told.append((at, outcome)))
    assert desk.commands == [cmd.Play()]
    assert told[0] == ("/play", Accepted(("playing",), 1))
    assert [(at, o.code) for at, o in told[1:] if isinstance(o, Rejected)] == [
        ("/tempo", "range"),
        ("/nonsense", "unknown"),
        ("/a//b", "pattern"),
        ("/hitloop/sys/status", "type"),
    ]
