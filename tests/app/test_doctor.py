from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from hitloopd.app import doctor as dr
from hitloopd.app.config import load
from tests.generate.tiny_model import write_model


def settings(tmp_path: Path, *overrides: str):
    return load(None, [f"paths.{name}={tmp_path / name}" for name in ("state", "cache", "library")] + list(overrides))


@pytest.fixture
def no_probe(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    answers: dict[str, str | None] = {}

    class Fake:
        def __init__(self, code: str) -> None:
            self.code = code

        def answer(self) -> str | None:
            return next((text for word, text in answers.items() if word in self.code), None)

    monkeypatch.setattr(dr, "Probe", Fake)
    return answers


def by_name(found: list[dr.Finding]) -> dict[str, dr.Finding]:
    return {item.name: item for item in found}


def test_everything_that_is_not_ok_has_a_mend(tmp_path: Path, no_probe: dict[str, str | None]) -> None:
    for platform in ("linux", "darwin", "win32"):
        for item in dr.doctor(settings(tmp_path, "osc.port=0"), devices=True, platform=platform):
            assert item.state in ("ok", "missing", "degraded")
            assert item.mend or item.state == "ok", item


@pytest.mark.parametrize(
    ("platform", "name", "answer", "state"),
    [
        ("darwin", "IAC driver", "IAC Driver Bus 1", "ok"),
        ("darwin", "IAC driver", "Synth", "degraded"),
        ("win32", "loopMIDI", "loopMIDI Port 0", "ok"),
        ("win32", "loopMIDI", None, "missing"),
    ],
)
def test_other_systems(
    platform: str, name: str, answer: str | None, state: str, *, tmp_path: Path, no_probe: dict[str, str | None]
) -> None:
    no_probe["backends"] = answer and json.dumps([["rtmidi", True, "2 ports", "", [answer]]])
    assert by_name(dr.doctor(settings(tmp_path, "osc.port=0"), platform=platform))[name].state == state


def test_midi_and_devices_tell_what_the_children_said(tmp_path: Path, no_probe: dict[str, str | None]) -> None:
    rows = [["rtmidi", False, "no sequencer", "modprobe", []], ["jack", True, "a server runs", "", ["system:1"]]]
    no_probe.update({"backends": json.dumps(rows), "query_devices": "Speakers"})
    found = by_name(dr.doctor(settings(tmp_path, "osc.port=0"), devices=True))
    assert found["audio devices"] == dr.Finding("audio devices", "ok", "Speakers")
    assert found["MIDI jack"] == dr.Finding("MIDI jack", "ok", "a server runs")
    assert found["MIDI rtmidi"] == dr.Finding("MIDI rtmidi", "degraded", "no sequencer", "modprobe")


def test_no_midi_at_all_is_missing() -> None:
    rows = [["rtmidi", False, "no sequencer", "modprobe", []]]
    assert dr._backends(json.dumps(rows))[0] == [dr.Finding("MIDI rtmidi", "missing", "no sequencer", "modprobe")]
    assert dr._backends(None)[0][0].state == "missing"


def test_a_taken_osc_port_is_told_with_another_one() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        finding = dr.osc_port("127.0.0.1", port)
    assert (finding.state, finding.mend) == ("missing", f"hitloopd run --set osc.port={port + 1}")
    assert dr.osc_port("127.0.0.1", port).state == "ok"
    assert dr.osc_port("192.0.2.1", 0).state == "missing"


def test_a_probe_fails_quietly_and_in_time() -> None:
    failing, printing = dr.Probe("raise SystemExit(3)"), dr.Probe("print(7)")
    hanging = dr.Probe("import threading; threading.Event().wait()")
    assert failing.answer() is None
    assert printing.answer() == "7"
    assert hanging.answer(0.05) is None


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    assert dr._folder("state folder", tmp_path / "a" / "b").detail.endswith("(will be made)")
    shut = dr._folder("state folder", tmp_path, lambda *_: False)
    assert (shut.state, shut.mend) == ("degraded", "hitloopd run --set paths.state=FOLDER")


def test_refused_rights_name_the_command() -> None:
    assert "rtprio 95" in dr._fifo("Operation not permitted").mend
    assert dr._fifo("").state == "ok"


def test_table_and_json_say_the_same() -> None:
    found = [dr.Finding("JACK", "degraded", "no server", "jackd"), dr.Finding("Python", "ok", "3.11")]
    assert dr.table(found).splitlines() == [
        "degraded  JACK             no server",
        "                           -> jackd",
        "ok        Python           3.11",
    ]
    assert json.loads(dr.as_json(found))[0] == {
        "name": "JACK",
        "state": "degraded",
        "detail": "no server",
        "mend": "jackd",
    }


def test_models_are_proved_and_a_spoilt_one_is_named(tmp_path: Path, no_probe: dict[str, str | None]) -> None:
    write_model(tmp_path / "library" / "models" / "mine")
    found = by_name(dr.doctor(settings(tmp_path, "osc.port=0")))["models"]
    assert found.state == "ok"
    assert "mine" in found.detail
    (tmp_path / "library" / "models" / "mine" / "model.onnx").write_bytes(b"spoilt")
    found = by_name(dr.doctor(settings(tmp_path, "osc.port=0")))["models"]
    assert found.state == "degraded"
    assert "'mine' is refused" in found.detail
