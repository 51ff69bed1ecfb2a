"""The table: every address of the design is there, checks its arguments and makes its command."""

from __future__ import annotations

import json
import math
import re

import pytest

from hitloopd.control import addresses, reference
from hitloopd.control.lookup import ENDPOINTS, STATE, resolve, unknown
from hitloopd.control.match import PatternError, compile_part, part_matches
from hitloopd.control.spec import Access, Kind
from hitloopd.core import commands as cmd
from hitloopd.core.errors import ArgumentError, HitloopError, RangeError
from hitloopd.core.pattern import EMPTY, LANES, Lane
from hitloopd.core.transport import Source

DESIGN = """
/hitloop/transport/{play,stop,continue,bpm,tap,position}      /hitloop/sync/{source,offset_ms,status}
/hitloop/gen/{regenerate,calmer,energetic,energy,temperature,morph,seed,model,style,auto,humanise}
/hitloop/lane/kick/{regenerate,lock,mute,density,swing,note,channel,offset_ms,cell/0,cell/15}
/hitloop/pattern/{get,set,undo,redo,export,provenance}
/hitloop/kit/{load,list,next,listen}   /hitloop/slot/bass/{sample,gain,pan,choke,tune}
/hitloop/sys/{ping,version,status,health,subscribe,unsubscribe,client,panic,error}
/{play,stop,tempo,regenerate,calmer,energetic}
"""


def build(path, *args, now_ns=7):
    [endpoint] = resolve(path)
    return endpoint.row.build(endpoint.call(args, now_ns))


def design_paths():
    for word in DESIGN.split():
        root, names = word[:-1].split("{")
        yield from (root + name for name in names.split(","))


@pytest.mark.parametrize("path", [*design_paths()])
def test_every_address_of_the_design_is_in_the_table(path):
    assert path in ENDPOINTS


def test_rule_41_the_namespace_is_lower_case_and_has_ids_in_the_path():
    assert all(re.fullmatch(r"(/[a-z0-9_]+)+", path) for path in ENDPOINTS)
    for lane in LANES:
        assert sum(path.startswith(f"/hitloop/lane/{lane}/") for path in ENDPOINTS) == 8 + 16


@pytest.mark.parametrize(
    ("path", "args", "command"),
    [
        ("/hitloop/transport/play", (), cmd.Play()),
        ("/play", (1.0,), cmd.Play()),
        ("/hitloop/transport/stop", (), cmd.Stop()),
        ("/hitloop/transport/continue", (), cmd.Continue()),
        ("/hitloop/transport/bpm", (174,), cmd.SetTempo(174.0)),
        ("/tempo", (90.5, 8), cmd.SetTempo(90.5, 8.0)),
        ("/hitloop/transport/tap", (), cmd.Tap(7)),
        ("/hitloop/transport/position", (16.0,), cmd.Locate(16)),
        ("/hitloop/sync/source", ("midi",), cmd.SetSource(Source.MIDI)),
        ("/hitloop/sync/offset_ms", (-5,), cmd.SetOutputOffset(-5.0)),
        ("/hitloop/sync/offset_ms", (3.5, "synth"), cmd.SetOutputOffset(3.5, "synth")),
        ("/hitloop/gen/regenerate", (), cmd.Regenerate()),
        ("/regenerate", (42,), cmd.Regenerate(seed=42)),
        ("/hitloop/gen/calmer", (), cmd.Calmer()),
        ("/hitloop/gen/energetic", (True,), cmd.Energetic()),
        ("/hitloop/gen/energy", (1,), cmd.SetEnergy(1.0)),
        ("/hitloop/gen/temperature", (2,), cmd.SetTemperature(2.0)),
        ("/hitloop/gen/morph", (0.25,), cmd.SetMorph(0.25)),
        ("/hitloop/gen/seed", (12.0,), cmd.SetSeed(12)),
        ("/hitloop/gen/model", ("rules",), cmd.SetModel("rules")),
        ("/hitloop/gen/style", ("techno",), cmd.SetStyle("techno")),
        ("/hitloop/gen/auto", (4,), cmd.SetAuto(4)),
        ("/hitloop/gen/humanise", (0.3,), cmd.SetHumanise(0.3)),
        ("/hitloop/lane/kick/regenerate", (5,), cmd.Regenerate(frozenset({Lane.KICK}), 5)),
        ("/hitloop/lane/bass/lock", (1,), cmd.LockLane(Lane.BASS, on=True)),
        ("/hitloop/lane/snare/lock", (0.0,), cmd.LockLane(Lane.SNARE, on=False)),
        ("/hitloop/lane/snare/mute", (True,), cmd.MuteLane(Lane.SNARE, on=True)),
        ("/hitloop/lane/hihat/density", (0.5,), cmd.SetDensity(Lane.HIHAT, 0.5)),
        ("/hitloop/lane/hihat/density", ("auto",), cmd.SetDensity(Lane.HIHAT, None)),
        ("/hitloop/lane/hihat/swing", (0.6,), cmd.SetSwing(Lane.HIHAT, 0.6)),
        ("/hitloop/lane/cymbal/note", (49.4,), cmd.SetLaneNote(Lane.CYMBAL, 49)),
        ("/hitloop/lane/cymbal/channel", (10,), cmd.SetLaneChannel(Lane.CYMBAL, 10)),
        ("/hitloop/lane/kick/offset_ms", (-3,), cmd.SetLaneOffset(Lane.KICK, -3.0)),
        ("/hitloop/lane/bass/cell/15", (0.8, 7), cmd.SetCell(Lane.BASS, 15, 0.8, 7)),
        ("/hitloop/lane/kick/cell/0", (0,), cmd.SetCell(Lane.KICK, 0, 0.0)),
        ("/hitloop/lane/kick/cell/0", ("auto",), cmd.SetCell(Lane.KICK, 0, None)),
        ("/hitloop/pattern/set", (json.dumps(EMPTY.as_json()),), cmd.SetPattern(EMPTY)),
        ("/hitloop/pattern/undo", (), cmd.Undo()),
        ("/hitloop/pattern/redo", (), cmd.Redo()),
        ("/hitloop/pattern/export", ("take 1.mid",), cmd.ExportPattern("take 1.mid")),
        ("/hitloop/kit/load", ("techno",), cmd.LoadKit("techno")),
        ("/hitloop/kit/load", ("tram", "now"), cmd.LoadKit("tram", now=True)),
        ("/hitloop/kit/next", (), cmd.NextSample()),
        ("/hitloop/kit/next", ("all", "now"), cmd.NextSample(now=True)),
        ("/hitloop/kit/next", ("bass",), cmd.NextSample(frozenset({Lane.BASS}))),
        ("/hitloop/kit/listen", (10,), cmd.Listen(10.0)),
        ("/hitloop/kit/listen", (10, 0), cmd.Listen(10.0, use=False)),
        ("/hitloop/slot/snare/sample", ("snare-2.wav",), cmd.SetSample({Lane.SNARE: "snare-2.wav"})),
        ("/hitloop/slot/snare/sample", ("auto", "now"), cmd.SetSample({Lane.SNARE: ""}, now=True)),
        ("/hitloop/slot/snare/gain", (-6,), cmd.SetGain(Lane.SNARE, -6.0)),
        ("/hitloop/slot/snare/pan", (-1,), cmd.SetPan(Lane.SNARE, -1.0)),
        ("/hitloop/slot/hihat/choke", ("hats",), cmd.SetChoke(Lane.HIHAT, "hats")),
        ("/hitloop/slot/hihat/choke", ("none",), cmd.SetChoke(Lane.HIHAT, "")),
        ("/hitloop/slot/bass/tune", (-12,), cmd.SetTune(Lane.BASS, -12.0)),
        ("/hitloop/slot/bass/tune", (2.5, "bar"), cmd.SetTune(Lane.BASS, 2.5)),
        ("/hitloop/sys/panic", (), cmd.Panic()),
        ("/hitloop/sys/panic", (1,), cmd.Panic(all_channels=True)),
    ],
)
def test_each_address_makes_its_command(path, args, command):
    assert build(path, *args) == command


def test_no_row_is_left_out_above():
    made = {e.row.template for e in ENDPOINTS.values() if e.row.build is not None}
    marks = next(m for m in test_each_address_makes_its_command.pytestmark if m.name == "parametrize")
    assert made == {ENDPOINTS[path].row.template for path, _, _ in marks.args[1]}


NUMBERS = [
    (path, index, arg)
    for path, e in ENDPOINTS.items()
    if e.lane in (None, Lane.KICK)
    for index, arg in enumerate(e.row.args)
    if arg.kind in (Kind.INT, Kind.FLOAT)
]


@pytest.mark.parametrize(("path", "index", "arg"), NUMBERS)
def test_rule_27_numbers_are_taken_both_ways_and_ranges_kept(path, index, arg):
    row = ENDPOINTS[path].row
    low = row.args[index].low
    before = [a.choices[0] if a.choices else "x" if a.kind is Kind.STRING else a.low for a in row.args[:index]]
    for form in (math.ceil(low), float(low)) if math.ceil(low) <= row.args[index].high else (float(low),):
        assert row.coerce(path, (*before, form))[index] == form
    for bad in (arg.low - 1, arg.high + 1, math.nan, math.inf, -math.inf, 2**63 - 1):
        with pytest.raises(RangeError, match="nothing was changed"):
            row.coerce(path, (*before, bad))
    for bad in ("one", b"\x01", *(() if arg.optional else (None,))):
        with pytest.raises(ArgumentError, match="nothing was changed"):
            row.coerce(path, (*before, bad))


def test_wrong_counts_are_refused_with_the_usage():
    row = ENDPOINTS["/tempo"].row
    with pytest.raises(ArgumentError, match=r"/tempo takes bpm \[ramp_beats\], got 3"):
        row.coerce("/tempo", (1, 2, 3))
    assert row.coerce("/tempo", (100, None)) == (100.0,)  # nil for an optional argument is "left out"


@pytest.mark.parametrize(
    "name", ["../x.mid", "/etc/x.mid", "a/b.mid", "a\\b.mid", ".mid", ".x.mid", "x", "x.mid\n", "C:x.mid", "é.mid", ""]
)
def test_rule_38_export_stays_in_the_library(name):
    with pytest.raises(RangeError, match="not a plain file name"):
        build("/hitloop/pattern/export", name)


def test_names_that_no_kit_can_have_are_refused_before_anybody_looks():
    with pytest.raises(RangeError, match="at most 1024"):
        build("/hitloop/slot/kick/sample", "x" * 2000)
    with pytest.raises(RangeError, match="one of kick, snare"):
        build("/hitloop/kit/next", "tuba")
    with pytest.raises(RangeError, match="one of bar, now"):
        build("/hitloop/kit/load", "house", "soon")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"notes": 3}',
        '{"notes": [[0]]}',
        '{"notes": [], "root": 400}',
        '{"notes": [], "root": 1e999}',
        '{"notes": [[0, "tuba", 0, 1, 1, 0, "edited"]]}',
        '{"notes": [], "provenance": {"nonsense": 1}}',
        '{"notes": [], "provenance": {"generator": "x", "parameters": [1]}}',
        "[" * 100_000,
    ],
)
def test_a_pattern_that_is_none_is_refused(text):
    with pytest.raises(RangeError):
        build("/hitloop/pattern/set", text)


def test_the_bass_lane_has_no_note():
    with pytest.raises(ArgumentError, match="pitches"):
        build("/hitloop/lane/bass/note", 40)


@pytest.mark.parametrize(
    ("pattern", "name", "hit"),
    [
        ("*", "", True),
        ("k*", "kick", True),
        ("*k", "kick", True),
        ("k*k*", "kick", True),
        ("?ick", "kick", True),
        ("?", "", False),
        ("[a-m]ick", "kick", True),
        ("[m-a]ick", "kick", True),
        ("[!k]ick", "kick", False),
        ("[!a-j]ick", "kick", True),
        ("[a-]", "-", True),
        ("{kick,snare}", "snare", True),
        ("{kick,snare}", "kicks", False),
        ("{s,sn}are", "snare", True),
        ("{,s}nare", "snare", True),
        ("kick", "kic", False),
        ("*" * 200 + "x", "k" * 50, False),
    ],
)
def test_rule_28_patterns_match_inside_a_part(pattern, name, hit):
    assert part_matches(compile_part(pattern), name) is hit


@pytest.mark.parametrize("pattern", ["[a", "{a,b", "a]", "a}", "{a,[b}]"])
def test_a_pattern_with_a_loose_bracket_is_told(pattern):
    with pytest.raises(PatternError):
        compile_part(pattern)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("/hitloop/lane/*/mute", 5),
        ("/hitloop/lane/{kick,bass}/{mute,lock}", 4),
        ("/hitloop/lane/kick/cell/*", 16),
        ("/hitloop/lane/kick/cell/1?", 6),
        ("/*", 6),
        ("/hitloop/*", 0),
        ("/hitloop/event/*", 0),
        ("/hitloop/lane*/kick/mute", 1),
        ("/hitloop*mute", 0),
    ],
)
def test_rule_28_a_pattern_runs_all_that_it_hits_and_never_crosses_a_slash(pattern, count):
    assert len(resolve(pattern)) == count


@pytest.mark.parametrize("path", ["//mute", "/hitloop//mute", "/hitloop/lane/" + "*" * 300])
def test_rule_28_double_slash_and_endless_patterns_are_told(path):
    with pytest.raises(PatternError):
        resolve(path)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/hitloop/gen/enrgy", "/hitloop/gen/energy"),
        ("/hitlop/gen/energy", "/hitloop/gen/energy"),
        ("/hitloop/lane/kik/mute", "/hitloop/lane/kick/mute"),
        ("/regenrate", "/regenerate"),
        ("/hitloop/gen", "Below it there are: regenerate, calmer"),
        ("/hitloop/gen/energy/up", "no more parts"),
    ],
)
def test_unknown_addresses_name_the_nearest(path, near):
    assert near in unknown(path)


def test_state_is_what_can_be_asked():
    assert all(e.row.readable for e in STATE)
    assert not any("/cell/" in e.path or "/pattern/" in e.path for e in STATE)


def test_the_reference_has_every_row_once():
    text = reference.markdown()
    for row in addresses.ROWS:
        assert text.count(f"| `/hitloop{row.template}` |") == 1
    assert all(f"`{alias}`" in text for alias in addresses.ALIASES)
    assert text.startswith(reference.BEGIN)
    assert text.endswith(reference.END + "\n")


def test_all_errors_of_the_table_have_codes():
    with pytest.raises(HitloopError) as caught:
        build("/tempo", 1000)
    assert caught.value.code == "range"
    assert "20 to 300" in str(caught.value)


def test_what_only_goes_out_takes_nothing():
    assert all(not e.row.args and e.row.build is None for e in ENDPOINTS.values() if e.row.access is Access.NONE)
