from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import yaml

from hitloopd.app import config
from hitloopd.app.config import Names, as_dict, changes, flatten, load
from hitloopd.app.config_docs import config_reference, default_yaml, scalar, walk_fields
from hitloopd.app.config_table import BY_NAME, KEYS
from hitloopd.core.errors import ConfigError
from hitloopd.core.pattern import LANES, Lane
from hitloopd.core.routes import Curve

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
KNOWN = {
    "kits": ("house", "techno"),
    "styles": ("house", "techno"),
    "models": ("rules", "random"),
    "scales": ("minor",),
}
NAMES = Names(lambda which: KNOWN.get(which, ()))


def problems(text: str | bytes, tmp_path: Path, *overrides: str) -> tuple[str, ...]:
    file = tmp_path / "my.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file, overrides, NAMES)
    return tuple(line.replace(str(file), "my.yaml") for line in caught.value.problems)


def read(text: str, tmp_path: Path, *overrides: str) -> config.Settings:
    file = tmp_path / "my.yaml"
    file.write_text(text)
    return load(file, overrides, NAMES)


def test_defaults_let_a_beginner_hear_a_loop_and_a_producer_find_the_ports() -> None:
    s = load()
    assert (s.transport.bpm, s.transport.autostart, s.sync.source) == (124.0, True, "internal")
    assert (s.gen.model, s.gen.style, s.kit, s.osc.host, s.osc.port) == ("rules", "house", "house", "127.0.0.1", 9000)
    assert [(o.spec.name, o.virtual, o.spec.notes, o.spec.clock) for o in s.midi.outputs] == [
        ("out", True, True, False),
        ("clock", True, False, True),
    ]
    assert [(i.name, i.virtual, i.clock, i.control) for i in s.midi.inputs] == [("in", True, True, True)]
    assert s.paths.state.is_absolute()
    assert s.paths.capture is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("transport: {bpm: 400}", "1: transport.bpm: is 400; expected a number 20..300."),
        ("transport: {bpm: on}", "1: transport.bpm: is 'on'; expected a number 20..300."),
        (
            "transport: {bpm: '120'}",
            "1: transport.bpm: is '120' in quotes, so a text; expected a number 20..300.",
        ),
        (
            "transport: {bpm: '120,5'}",
            (
                "1: transport.bpm: is '120,5' in quotes, so a text; expected a number 20..300, with a "
                "point instead of the comma."
            ),
        ),
        ("transport.bpm: .nan", "1: transport.bpm: is '.nan'; expected a number 20..300."),
        ("transport.bpm: 1:30", "1: transport.bpm: is '1:30'; expected a number 20..300."),
        ("transport.bpm: [120]", "1: transport.bpm: is a list; expected a number 20..300."),
        ("transport: {autostart: 1}", "1: transport.autostart: is '1'; expected true or false."),
        (
            "transport: {autostart: 'on'}",
            "1: transport.autostart: is 'on' in quotes, so a text; expected true or false.",
        ),
        ("gen: {seed: 1.5}", "1: gen.seed: is 1.5; expected a whole number 0..2147483647."),
        ("gen: {seed: -1}", "1: gen.seed: is -1; expected a whole number 0..2147483647."),
        (
            "\ngen:\n  seed:\n",
            "3: gen.seed: has no value; expected a whole number 0..2147483647; leave the line out for '1'.",
        ),
        ("bpm: 120", "1: bpm: unknown key; nearest: transport.bpm."),
        ("transport: {bmp: 120}", "1: transport.bmp: unknown key; nearest: transport.bpm."),
        ("transprt: {bpm: 120}", "1: transprt: unknown key; nearest: transport.bpm."),
        ("osc.prt: 1", "1: osc.prt: unknown key; nearest: osc.port, osc.tcp_port, osc.slip_port."),
        (
            "audio: 3",
            (
                "1: audio: is a section, not a value; "
                "expected backend, device, rate, block, latency, offset_ms, input under it."
            ),
        ),
        ("kit: hose", "1: kit: there is no 'hose'; expected one of house, techno. Did you mean 'house'?"),
        (
            "gen: {style: tecno}",
            "1: gen.style: there is no 'tecno'; expected one of house, techno. Did you mean 'techno'?",
        ),
        (
            "midi: {backend: alsa}",
            "1: midi.backend: there is no 'alsa'; expected one of auto, rtmidi, jack, none.",
        ),
        (
            "sync: {source: link}",
            (
                "1: sync.source: Ableton Link is not built in yet; nothing would give the clock; "
                "expected one of internal, midi."
            ),
        ),
        (
            "feel: {swing: {hat: 0.5}}",
            (
                "1: feel.swing.hat: there is no such lane; expected kick, snare, hihat, cymbal, bass. "
                "Did you mean 'hihat'?"
            ),
        ),
        (
            "feel: {swing: 0.8}",
            "1: feel.swing: is 0.8; expected a number, or a mapping of lane to number 0.5..0.75.",
        ),
        ("osc: {allow: [me]}", "1: osc.allow: 'me' is not an address; expected e.g. 192.168.1.20 or 10.0.0.0/24."),
        (
            "osc: {host: 0.0.0.0}",
            "1: osc.host: 0.0.0.0 opens OSC to the network; expected osc.allow to list who may ask.",
        ),
        ("transport: {bpm: 100}\ntransport.bpm: 101", "2: transport.bpm: is there twice, first in line 1."),
        ("kit: house\nkit: techno", "2: kit: is there twice, first in line 1."),
        ("transport:\n  bpm: 1\n  bpm: 2", None),
        (
            "midi.outputs: [out]",
            "1: midi.outputs[0]: is 'out'; expected a mapping, e.g. {name: out, virtual: true}.",
        ),
        (
            "midi.outputs: {name: out}",
            "1: midi.outputs: is a mapping; expected a list of mappings, each on its line after a dash.",
        ),
        ("midi.inputs:\n  - {port: x}", "2: midi.inputs[0].name: is missing; expected text."),
        (
            "midi.inputs:\n  - {name: x}",
            "2: midi.inputs[0]: input 'x' has neither a port pattern nor virtual: true; expected one of the two.",
        ),
        (
            "midi.outputs:\n  - {name: x, port: y, virtual: true}",
            "2: midi.outputs[0]: output 'x' has both a port pattern and virtual: true; expected one of the two.",
        ),
        (
            "midi.outputs:\n  - {name: x, port: y}\n  - {name: x, port: z}",
            "3: midi.outputs[1].name: 'x' is there twice; expected a name of its own.",
        ),
        (
            "midi.outputs: [{name: x, port: y, lanes: {kick: {note: 128}}}]",
            "1: midi.outputs[0].lanes.kick.note: is 128; expected a whole number 0..127.",
        ),
        (
            "control.midi: [{a: {b: {c: {d: 1}}}}]",
            "1: control.midi: is nested too deeply; expected mappings of plain values.",
        ),
        ("- 1", None),
        ("a: [", None),
        ("a: \tb: c", None),
        (b"\xff\xfe\x00", "1: is not UTF-8 text; expected a YAML file saved as UTF-8."),
        (b"kit: \x00", None),
        ("--- \nkit: house\n---\nkit: house", None),
        ("[" * 100_000, None),
        ("&a [*a]", None),
        ("control.midi: &a [*a]", None),
    ],
)
def test_a_wrong_value_is_told_with_line_and_what_was_expected(
    line: str | bytes, problem: str | None, tmp_path: Path
) -> None:
    found = problems(line, tmp_path)
    assert all(text.startswith("my.yaml") for text in found)
    if problem is not None:
        assert found == (f"my.yaml:{problem}",)


def test_all_problems_are_told_at_once_and_nothing_is_guessed(tmp_path: Path) -> None:
    text = "transport:\n  bpm: 9\n  bmp: 1\ngen:\n  style: tecno\n  energy: 2\n"
    found = problems(text, tmp_path, "transport.bpm=abc", "nope", "kit=")
    assert [line.split(": ")[:2] for line in found] == [
        ["my.yaml:2", "transport.bpm"],
        ["my.yaml:3", "transport.bmp"],
        ["my.yaml:5", "gen.style"],
        ["my.yaml:6", "gen.energy"],
        ["--set transport.bpm", "is 'abc'; expected a number 20..300."],
        ["--set nope", "has no '='; expected key=value, e.g. transport.bpm=120."],
        ["--set kit", "there is no ''; expected one of house, techno."],
    ]


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "no.yaml")
    assert caught.value.problems == (
        f"{tmp_path}/no.yaml: can't be read: No such file or directory; expected a YAML file.",
    )


def test_a_large_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "larger than" in problems(b"#" * 1_000_001, tmp_path)[0]
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path)


def test_plain_words_mean_what_the_key_wants(tmp_path: Path) -> None:
    text = (
        "audio: {device: 1010}\ntransport: {bpm: 1e2, autostart: off}\ngen: {seed: 010, energy: 1}\nlog.level: debug\n"
    )
    s = read(text, tmp_path)
    assert (s.audio.device, s.transport.bpm, s.transport.autostart) == ("1010", 100.0, False)
    assert (s.gen.seed, s.gen.energy, s.log_level) == (10, 1.0, "debug")


@pytest.mark.parametrize("text", ["", "# nothing\n", "transport:\n", "---\n", "\ufefftransport: {}\n"])
def test_an_empty_file_is_the_default(text: str, tmp_path: Path) -> None:
    assert read(text, tmp_path) == load()


def test_overrides_win_and_the_last_one_most(tmp_path: Path) -> None:
    s = read("transport: {bpm: 90}", tmp_path, "transport.bpm=100", " transport.bpm = 101", "osc.allow=[10.0.0.1]")
    assert s.transport.bpm == 101.0
    assert s.osc.allow == ("10.0.0.1",)


def test_an_output_takes_its_map_its_lanes_and_its_offset(tmp_path: Path) -> None:
    s = read(
        "midi:\n  map: live\n  outputs:\n"
        "    - {name: a, port: 'IAC*', offset_ms: -3, lanes: {kick: {send: off}, snare: {note: 40, gate: 0.5}}}\n"
        "    - {name: b, virtual: true, map: paper, lanes: {bass: {channel: 2, transpose: -12, curve: hard}}}\n",
        tmp_path,
    )
    a, b = s.midi.outputs
    assert (a.port, a.spec.offset_ms, Lane.KICK in a.spec.routes) == ("IAC*", -3.0, False)
    assert (a.spec.routes[Lane.SNARE].note, a.spec.routes[Lane.SNARE].gate) == (40, 0.5)
    assert a.spec.routes[Lane.HIHAT].note == 38
    assert [b.spec.routes[lane].note for lane in LANES[:4]] == [35, 38, 42, 49]
    assert (b.spec.routes[Lane.BASS].channel, b.spec.routes[Lane.BASS].transpose) == (2, -12)
    assert b.spec.routes[Lane.BASS].curve is Curve.HARD


def test_swing_is_one_number_or_one_per_lane(tmp_path: Path) -> None:
    assert set(read("feel: {swing: 0.6}", tmp_path).feel.swing.values()) == {0.6}
    swing = read("feel: {swing: {hihat: 0.6}}", tmp_path).feel.swing
    assert (swing[Lane.HIHAT], swing[Lane.KICK]) == (0.6, 0.5)


def test_bindings_are_passed_on_with_their_kinds(tmp_path: Path) -> None:
    text = "control:\n  midi:\n    - {note: 36, on: yes, address: /hitloop/gen/seed, args: [1, 0.5, '1']}\n"
    assert read(text, tmp_path).control_midi == (
        {"note": 36, "on": True, "address": "/hitloop/gen/seed", "args": (1, 0.5, "1")},
    )
    assert read("control: {midi: lpd8}", tmp_path).control_midi == "lpd8"


def test_relative_paths_start_at_the_config_file(tmp_path: Path) -> None:
    s = read("capture: {dir: takes}\npaths: {state: /abs}\nkit: ./kits/mine.yaml\ncontrol: {midi: my.yaml}", tmp_path)
    assert s.paths.capture == tmp_path / "takes"
    assert s.paths.state == Path("/abs")
    assert s.kit == str(tmp_path / "kits" / "mine.yaml")
    assert s.control_midi == str(tmp_path / "my.yaml")


def test_settings_pickle_and_show_themselves() -> None:
    s = load()
    assert pickle.loads(pickle.dumps(s)) == s
    assert list(flatten(s)) == [key.name for key in KEYS]
    nested = as_dict(s)
    assert nested["kit"] == "house"
    assert nested["midi"]["inputs"] == [{"name": "in", "virtual": True, "clock": True, "control": True}]


def test_changes_tell_what_can_be_taken_over_live(tmp_path: Path) -> None:
    old = load()
    new = read("transport.bpm: 100\nosc.port: 9001\nmidi.outputs: [{name: out, virtual: true, offset_ms: 5}]", tmp_path)
    told = [(name, effect) for name, _, _, effect in changes(old, new)]
    assert told == [("transport.bpm", "live"), ("midi.outputs", "restart"), ("osc.port", "restart")]
    outputs = [{"name": "out", "virtual": True, "offset_ms": 5}, {"name": "clock", "virtual": True, "clock": True}]
    same_ports = read(f"midi.outputs: {outputs}", tmp_path)
    assert [(name, effect) for name, _, _, effect in changes(old, same_ports)] == [("midi.outputs", "live")]
    assert changes(old, old) == ()


def test_default_yaml_is_the_table() -> None:
    assert (CONFIGS / "default.yaml").read_text() == default_yaml(), "run python -m hitloopd.app.config_table defaults"
    assert load(CONFIGS / "default.yaml").values == load().values


def test_default_yaml_has_every_key_with_its_default_and_doc() -> None:
    text = (CONFIGS / "default.yaml").read_text()
    data = yaml.safe_load(text)
    flat = " ".join(line.strip().removeprefix("#").strip() for line in text.splitlines())
    for key in KEYS:
        section, _, tail = key.name.rpartition(".")
        value = data[section][tail] if section else data[tail]
        assert value == yaml.safe_load(scalar(key.default)), key.name
        assert all(line in flat for line in key.doc), key.name
        for name, item in walk_fields(key.fields):
            assert f"{name}: {' '.join(item.doc)}" in flat


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_config_loads(path: Path) -> None:
    assert load(path).midi.outputs


def test_shipped_configs_are_what_they_say() -> None:
    assert load(CONFIGS / "ableton.yaml").sync.source == "midi"
    assert load(CONFIGS / "jack.yaml").midi.backend == "jack"
    assert all(out.spec.clock for out in load(CONFIGS / "hardware.yaml").midi.outputs)
    assert load(CONFIGS / "touchdesigner.yaml").osc.allow


def test_the_table_is_sound() -> None:
    assert len(BY_NAME) == len(KEYS)
    for key in KEYS:
        assert key.doc, key.name
        assert not key.choices or key.default in key.choices, key.name
        assert key.low is None or key.low <= key.default <= key.high, key.name


def test_the_reference_has_every_key() -> None:
    text = config_reference()
    for key in KEYS:
        assert f"| `{key.name}` |" in text
    assert "| `lanes.<lane>.note` |" in text
