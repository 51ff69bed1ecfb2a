"""Live sampling from the daemon's side, and the command behind it, with stand-ins for what records and extracts."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import textwrap

import pytest
import soundfile

from hitloopd.app import extract as extraction
from hitloopd.app.cli import main
from hitloopd.app.config import load
from hitloopd.app.extract import Wish, make_kit, new_name, require_name
from hitloopd.app.listening import Listening
from hitloopd.core.commands import Listen
from hitloopd.core.errors import DeviceError, RangeError, UnavailableError
from hitloopd.io.listen import Heard
from tests.kits import tone, write_pack


@pytest.fixture
def whole(monkeypatch):
    """Nothing is missing, whatever is installed here."""
    monkeypatch.setattr(extraction, "NEEDED", ())


def listening(told, script) -> Listening:
    """The command is a script of ours; it gets the words."""
    return Listening(load(), None, ("audio.rate=44100",), told.append, (sys.executable, "-c", textwrap.dedent(script)))


def heard(script, *commands) -> list:
    """All steps of one live sampling."""
    told: list = []

    async def scene():
        door = listening(told, script)
        for command in commands or (Listen(3.0),):
            door.begin(command)
        await door._task

    asyncio.run(scene())
    return [(step.stage, step.share, step.text, step.kit) for step in told]


def test_every_step_is_passed_on_and_what_is_no_step_is_not(whole):
    script = """
        import json, sys
        words = sys.argv
        print("hello")
        print(json.dumps({"stage": "records", "share": 0.5, "text": " ".join(words[1:4])}))
        print(json.dumps({"stage": "ready", "share": 1.0, "text": words[-1], "kit": words[5]}))
    """
    first, second, third = heard(script, Listen(2.5))
    assert first[:2] == ("records", 0.0)
    assert second == ("records", 0.5, "extract --listen 2.5", "")
    assert third[0::2] == ("ready", "--set=audio.rate=44100")
    assert third[3].startswith("heard-")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import sys; print('first', file=sys.stderr); sys.exit('no input')", "no input"),
        ("pass", "it does not say why"),
        ("import os; os.abort()", "ended before its time"),
    ],
)
def test_an_end_before_the_kit_is_told(whole, script, why):
    *_, (stage, share, text, kit) = heard(script)
    assert (stage, share, kit) == ("failed", 1.0, "")
    assert why in text


def test_one_at_a_time_and_a_close_breaks_it_off(whole):
    told: list = []

    async def scene():
        door = listening(told, "import time; print('on', flush=True); time.sleep(600)")
        door.begin(Listen(3.0, use=False))
        assert door.busy
        assert not door.use
        with pytest.raises(UnavailableError, match="listens already"):
            door.begin(Listen(3.0))
        await asyncio.sleep(0)
        await asyncio.wait_for(door.close(), 20)
        assert not door.busy

    asyncio.run(scene())


def test_a_missing_extra_is_told_with_the_command_before_anything_is_recorded(monkeypatch):
    monkeypatch.setattr(extraction, "NEEDED", ("offline", "no_such_package"))
    with pytest.raises(UnavailableError, match=r"needs no_such_package\. .*pip install \"hitloopd\[offline\]\""):
        listening([], "").begin(Listen(3.0))
    with pytest.raises(UnavailableError, match="no_such_package"):
        make_kit(Wish(3.0, (), "", "x", None, 4, "", ""), load(), lambda *_: None)


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────

EXTRACT = """
import json, pathlib, shutil, sys
words = sys.argv[1:]
out = pathlib.Path(words[words.index("--out") + 1])
assert pathlib.Path(words[words.index("--references") + 1], "kick").is_dir()
if SAMPLES:
    shutil.copytree(SAMPLES, out)
else:
    out.mkdir(parents=True)
    (out / "pack.yaml").write_text("format: 1\\nname: x\\nsamples: []")
print(json.dumps({"coverage": "kick 0 (nothing was like it)"}))
"""


@pytest.fixture
def bench(tmp_path, whole, monkeypatch):
    """Settings with folders of their own; ``offline extract`` and the input are stand-ins."""
    settings = load(None, [f"paths.library={tmp_path / 'library'}", f"paths.cache={tmp_path / 'cache'}"])
    (tmp_path / "references" / "kick").mkdir(parents=True)

    def extractor(samples):
        program = f"SAMPLES = {str(samples) if samples else ''!r}\n{EXTRACT}"
        real = extraction._low_priority
        monkeypatch.setattr(extraction.os, "nice", lambda _: 0)
        monkeypatch.setattr(extraction.os, "sched_setscheduler", lambda *_: None)
        monkeypatch.setattr(
            extraction, "_low_priority", lambda command: real([sys.executable, "-c", program, *command[3:]])
        )

    def record(path, seconds, source, tell, peak_db=-6.0):
        path.parent.mkdir(parents=True)
        soundfile.write(path, tone(100), 44_100)
        tell(1.0)
        return Heard(path, source or "the microphone", seconds, 44_100, peak_db)

    monkeypatch.setattr("hitloopd.io.listen.record", record)
    monkeypatch.setattr(extraction, "_obey_signals", lambda: None)  # these are the test run's own
    return settings, extractor, record


def wish(tmp_path, **changes) -> Wish:
    values = {"seconds": 3.0, "recordings": (), "source": "", "name": "tram", "references": tmp_path / "references"}
    values |= {"per_lane": 4, "author": "Ada", "licence": "CC0 1.0"} | changes
    return Wish(**values)


def test_recording_and_kit_land_in_the_library_with_their_credits(tmp_path, bench):
    settings, extractor, _ = bench
    extractor(write_pack(tmp_path / "cut", {"kick": (100, 120), "bass": (60,)}))
    steps: list = []
    made = make_kit(wish(tmp_path), settings, lambda *step: steps.append(step))
    library = settings.paths.library
    assert (made["kit"], made["samples"], made["lanes"]) == ("tram", 3, {"kick": 2, "bass": 1})
    assert (library / "recordings" / "tram.wav").is_file()
    assert (library / "kits" / "tram" / "kick-2.wav").is_file()
    (row,) = csv.DictReader((library / "recordings" / "MANIFEST.csv").read_text().splitlines())
    assert (row["path"], row["author"], row["licence"]) == ("tram.wav", "Ada", "CC0 1.0")
    assert row["source"].startswith("recorded by hitloopd from the microphone")
    assert (steps[0][0], steps[-1][0]) == ("records", "extracts")
    with pytest.raises(RangeError, match="already"):
        make_kit(wish(tmp_path), settings, lambda *_: None)


def test_nothing_usable_leaves_no_kit_and_says_why(tmp_path, bench):
    settings, extractor, _ = bench
    extractor(None)
    with pytest.raises(DeviceError, match="nothing was like it"):
        make_kit(wish(tmp_path), settings, lambda *_: None)
    assert not (settings.paths.library / "kits" / "tram").exists()


def test_a_silent_input_is_told_and_not_extracted(tmp_path, bench, monkeypatch):
    settings, _, record = bench
    monkeypatch.setattr("hitloopd.io.listen.record", lambda *a: record(*a, peak_db=-90.0))
    with pytest.raises(DeviceError, match=r"was silent .*audio\.input"):
        make_kit(wish(tmp_path), settings, lambda *_: None)


def test_the_command_takes_recordings_too_and_says_how_to_play_the_kit(tmp_path, bench, capsys):
    settings, extractor, _ = bench
    extractor(write_pack(tmp_path / "cut"))
    soundfile.write(tmp_path / "My tram (1).wav", tone(100), 44_100)
    paths = ("--set", f"paths.library={settings.paths.library}", "--set", "osc.port=1")
    words = (str(tmp_path / "My tram (1).wav"), "--references", str(tmp_path / "references"), "--json", *paths)
    assert main(["extract", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["kit"], told["samples"]) == (True, "My tram -1", 5)
    assert "hitloopd --set kit=My tram -1" in told["text"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "one of the two"),
        (("x.wav", "--listen", "3"), "one of the two"),
        (("--listen", "0.5"), "expected 1 to 7200"),
        (("gone.wav",), "There is no gone.wav"),
        (("--listen", "3", "--name", "../x"), "no name for a kit"),
        (("--listen", "3", "--per-lane", "0"), "expected 1 to 64"),
    ],
)
def test_what_was_asked_wrongly_is_told(words, said, capsys):
    assert main(["extract", *words]) in (1, 2)
    assert said in capsys.readouterr().err


def test_a_kit_that_nobody_named_can_have_its_name():
    assert require_name(new_name()).startswith("heard-")


@pytest.mark.parametrize("name", ["a", "Tram 7", "x.y"])
def test_names_that_kits_can_have(name):
    assert require_name(name) == name


@pytest.mark.parametrize("name", ["", ".x", "a/b", "a\\b", "..", "x" * 81, "é", "a.yaml", "a\n"])
def test_names_that_kits_can_not_have(name):
    with pytest.raises(RangeError):
        require_name(name)
