"""The commands as they are typed: ``demo`` above all, and what each says when it was asked wrongly."""

from __future__ import annotations

import json
import wave

import mido
import numpy as np
import pytest

from tests.live.daemon import run_command

pytestmark = pytest.mark.live

SUMMARY = {"bars", "notes_sent", "notes_off", "stuck_notes", "late", "lateness_us", "missed_bars", "dropped"}
SUMMARY |= {"generator", "seed", "files"}


def notes_of(path):
    """(tick, channel, note, velocity) of every note-on, and how many note-offs there are."""
    tick, ons, offs = 0, [], 0
    for message in mido.merge_tracks(mido.MidiFile(path).tracks):
        tick += message.time
        if message.type == "note_on" and message.velocity:
            ons.append((tick, message.channel, message.note, message.velocity))
        offs += message.type == "note_off"
    return ons, offs


def demo(folder, *words):
    done = run_command("demo", "--out", folder, "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # one object and nothing else


def test_demo_plays_exactly_its_bars_into_both_files_and_the_same_again(tmp_path):
    words = ("--bars", 3, "--bpm", 200, "--style", "techno", "--seed", 9)
    summary = demo(tmp_path / "a", *words)
    assert set(summary) >= SUMMARY
    assert {"p50", "p99", "max"} <= set(summary["lateness_us"])
    assert (summary["bars"], summary["stuck_notes"], summary["missed_bars"], summary["seed"]) == (3, 0, 0, 9)
    assert summary["files"] == [str(tmp_path / "a" / name) for name in ("demo.mid", "demo.wav")]
    assert len(summary["seeds"]) == 2, "a regenerate on the way"
    ons, offs = notes_of(tmp_path / "a" / "demo.mid")
    assert summary["notes_sent"] == summary["notes_off"] == len(ons) == offs
    by_bar = [sorted(n[1:] for n in ons if n[0] // 1920 == bar) for bar in range(4)]
    assert by_bar[0]
    assert by_bar[1]
    assert by_bar[2]
    assert not by_bar[3]
    assert len(by_bar[1]) <= len(by_bar[0]), "a calmer on the way"
    _check_wave(tmp_path / "a" / "demo.wav", seconds=3 * 4 * 60 / 200)
    again = demo(tmp_path / "b", *words)
    assert notes_of(tmp_path / "b" / "demo.mid")[0] == ons
    assert again["seeds"] == summary["seeds"]


def _check_wave(path, seconds):
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 48_000)
        length = file.getnframes() / file.getframerate()
        raw = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, 2, file.getsampwidth())
    assert seconds <= length < seconds + 4
    loud = raw[:, :, -1].astype(np.int8).astype(int)
    beat = round(48_000 * 60 / 200)
    assert np.abs(loud[:beat]).max() > 8, "the first kick"
    assert np.abs(loud[round(seconds * 48_000) - beat : round(seconds * 48_000)]).max() > 2


def test_demo_prints_every_bar_once_as_a_grid(tmp_path):
    done = run_command("demo", "--out", tmp_path, "--bars", 2, "--bpm", 300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    heads = [line for line in lines if line.startswith("bar ")]
    assert [head.split()[1] for head in heads] == ["1", "2"]
    assert all(head.count("seed") == 1 for head in heads)
    assert sum(line.startswith("1 kick") for line in lines) == 2
    assert "\x1b" not in done.stdout
    said = [line for line in lines if line and line == line.lstrip() and "│" not in line]
    assert len(said) == len(set(said)), "nothing is said twice"


def test_everything_wrong_is_told_at_once_and_nothing_is_started(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("transport:\n  bpm: 500\nkitt: house\ngen:\n  style: hose\n  energy: 2\n")
    for words in (("check", bad), ("run", "--config", bad), ("--check", bad), ("run", "--check", "--config", bad)):
        done = run_command(*words, "--json")
        assert done.returncode == 2
        told = json.loads(done.stdout)
        assert told["ok"] is False
        places = [problem.split(": ")[0] for problem in told["problems"]]
        assert places == [f"{bad}:{line}" for line in (2, 3, 5, 6)]
        assert "Did you mean 'house'" in done.stderr
    done = run_command("demo", "--bpm", 1, "--style", "hose", "--energy", 3, "--out", tmp_path / "never")
    assert done.returncode == 2
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == ["--bpm", "--style", "--energy"]
    assert not (tmp_path / "never").exists()
    assert run_command("demo", "--bars", 0, "--out", tmp_path / "never").returncode == 2


@pytest.mark.parametrize("words", [("ports",), ("doctor",), ("check",), ("run", "--dry-run"), ("--list-ports",)])
def test_rule_50_commands_that_look_answer_in_json(words, tmp_path):
    done = run_command(*words, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert run_command(*words).stdout


def test_generate_writes_what_it_says(tmp_path):
    done = run_command("generate", "--bars", 5, "--seed", 3, "--style", "jungle", "--json", "--out", tmp_path / "x.npz")
    told = json.loads(done.stdout)
    assert (told["generator"], told["seed"], told["bars"]) == ("rules", 3, 5)
    with np.load(tmp_path / "x.npz") as data:
        assert data["rolls"].dtype == np.float32
        assert data["rolls"].shape == (5, 128, 20)
        assert json.loads(str(data["provenance"][0]))["seed"] == 3
        assert float(data["rolls"].max()) <= 1
        assert float(data["rolls"].sum()) > 10
    done = run_command("generate", "--generator", "random", "--bars", 5, "--bpm", 90, "--out", tmp_path / "x.mid")
    assert done.returncode == 0
    assert "random" in done.stdout
    assert len(notes_of(tmp_path / "x.mid")[0]) > 20
    for out, code in (("x.wav", 1), ("none/x.mid", 1), ("none/x.npz", 1)):
        failed = run_command("generate", "--out", tmp_path / out)
        assert failed.returncode == code
        assert str(tmp_path / out) in failed.stderr
