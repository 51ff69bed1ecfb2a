"""Figures, bars, table and page from hand-made outcomes; the command itself on a song of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import Lane
from offline.__main__ import main
from offline.audio import RATE
from offline.transcription.cells import cells_of
from offline.transcription.heard import BassNote, DrumHit
from offline.transcription.judging import table as evaluate_table
from offline.transcription.judging.cli import PAGE
from offline.transcription.judging.figures import asked_for, overall, song_figures, summed, told
from offline.transcription.judging.judged import ELECTRONIC, ELEMENTS, RENDERED, JudgedSong, judged_songs
from offline.transcription.judging.report import page, write_pictures
from offline.transcription.judging.scores import Tally
from offline.transcription.judging.table import TRUE_STEMS, Panel, asked, panel
from offline.transcription.judging.truth import Truth, even_truth
from offline.transcription.judging.work import Outcome, hearing_files, nothing
from tests.offline.beat_songs import song as sound_of
from tests.offline.beat_songs import steady
from tests.offline.songbook import HAT, KICK, SNARE, hit, tempo, track, write

HITS = tuple(
    sorted(
        DrumHit(0.5 * beat, lane, 1.0, 1.0)
        for beat in range(16)
        for lane in (Lane.KICK, Lane.HIHAT, *((Lane.SNARE,) if beat % 2 else ()))
    )
)
LINE = tuple(BassNote(2.0 * bar, 2.0 * bar + 1, 40 + bar, 1.0, 1.0) for bar in range(4))
BARS = even_truth(120, 4, {}).bars
LANES = (Lane.KICK, Lane.SNARE, Lane.HIHAT, Lane.CYMBAL)
WHO = {"separator": "none", "drums": "ear", "bass": "ear"}


def song(name: str = "one", group: str = RENDERED, **truth) -> JudgedSong:
    known = Truth(LANES, HITS, (), LINE, BARS, 120.0, 8.0)
    return JudgedSong(name, group, Path("mix.ogg"), None, None, replace(known, **truth))


def outcome(hits=HITS, notes=LINE, bars=BARS) -> Outcome:
    kept = [bar for bar in bars if not bar.reason]
    cells = cells_of(hits, notes, kept) if kept else np.zeros((0, 16, 5), np.bool_)
    return Outcome(hits, notes, tuple(bars), cells, tuple(bar.start_s for bar in kept), WHO, 1.0)


def test_what_is_true_is_perfect() -> None:
    figures = song_figures(song(), outcome())
    assert {lane: one["f"] for lane, one in figures["drums"].items()} == dict.fromkeys(
        ("kick", "snare", "hihat", "cymbal"), 1.0
    )
    assert figures["bass"]["onset + pitch"]["f"] == 1.0
    assert figures["tempo"]["fits"]
    assert figures["bar lines"]["f"] == 1.0
    assert figures["cells"]["of found bars"]["f"] == 1.0
    assert figures["cells"]["on the true grid"]["f"] == 1.0
    assert "refused" not in figures


def test_a_song_of_which_nothing_came_counts_as_missed() -> None:
    figures = song_figures(song(), nothing("no beat was found in it"))
    assert figures["drums"]["kick"] == told(Tally(0, 16, 0))
    assert figures["cells"]["of found bars"]["recall"] == 0.0
    assert not figures["tempo"]["fits"]
    assert figures["refused"] == "no beat was found in it"


def test_bars_that_were_left_out_are_missed_but_their_lines_count() -> None:
    bars = [BARS[0]._replace(reason="the beat is not clear"), *BARS[1:]]
    figures = song_figures(song(), outcome(bars=tuple(bars)))
    assert figures["bar lines"]["f"] == 1.0
    assert figures["cells"]["of found bars"]["recall"] == pytest.approx(0.75, abs=0.02)
    assert figures["left out"] == {"the beat is not clear": 1}


def test_errors_say_which_lane_was_taken_for_which() -> None:
    wrong = tuple(hit._replace(lane=Lane.CYMBAL) if hit.lane is Lane.HIHAT else hit for hit in HITS)
    high = tuple(note._replace(start_s=note.start_s + 0.01, pitch=note.pitch + 12) for note in LINE)
    errors = song_figures(song(), outcome(wrong, high))["errors"]
    assert errors["false hits"]["cymbal"] == {"kick": 16}
    assert errors["semitones off"] == {"12": 4}
    assert errors["late_ms"]["bass"] == 10.0
    assert errors["late_ms"]["hihat"] is None


def test_a_mean_is_over_songs_that_have_something_to_find() -> None:
    tallies = [told(Tally(4, 4, 4)), told(Tally(2, 0, 0)), told(Tally(0, 12, 0))]
    assert summed(tallies) == {
        "mean": 0.5,
        "pooled": round(8 / 22, 4),
        "precision": round(4 / 6, 4),
        "recall": 0.25,
        "songs": 2,
        "true": 16,
    }


def summary_of(*pairs) -> dict:
    figures = {one.name: song_figures(one, heard) for one, heard in pairs}
    groups = {one.group: overall(figures, one.group) for one, _ in pairs}
    return {"kept out of training": ["x"], "heard by": WHO, "songs": figures, "groups": groups}


def test_the_bars_are_held_against_means_and_shares() -> None:
    electronic = song("two", ELECTRONIC, lanes=(), hits=(), bass=None)
    wrong_tempo = outcome(bars=tuple(bar._replace(beats_s=(bar.start_s, bar.start_s + 1)) for bar in BARS))
    summary = summary_of((song(), outcome()), (electronic, wrong_tempo))
    summary["speed"] = {"times real time": 9.0}
    rows = {row["what"]: row for row in asked_for(summary)}
    assert rows["rendered songs: kick F"]["reached"]
    assert rows["share of songs with the tempo within 2 %"] == {
        "what": "share of songs with the tempo within 2 %",
        "measured": 0.5,
        "least": 1.0,
        "reached": False,
    }
    assert rows["share of songs with bar-line F >= 0.9"]["measured"] == 1.0
    assert not rows["times real time, one core"]["reached"]
    assert not any("cymbal" in what or "unseen" in what for what in rows)  # there were none


def test_lanes_whose_table_lacks_sounds_are_told_and_not_judged() -> None:
    full = even_truth(120, 4, {Lane.KICK: [0.5], Lane.HIHAT: [1.0]})
    half = replace(
        song("elements", ELEMENTS),
        truth=even_truth(120, 4, {Lane.HIHAT: [1.0]}),
        share_told={"kick": 0.05},
        doubtful=full,
    )
    figures = song_figures(half, outcome())
    assert list(figures["drums"]) == ["hihat"]
    assert figures["not judged"]["kick"]["as the table has it"]["recall"] == 1.0
    assert "Its table has 5 % of its sounds" in page({**summary_of((half, outcome())), "bars": []})


def test_the_table_has_a_row_for_each_transcriber_and_place(folder) -> None:
    songs = judged_songs(folder / "songs", folder, folder / "work", [RENDERED])
    who = Panel(("none",), ("ear",), ("pyin",), {})
    found = {place: asked(songs[0], place, who.drums, who.basses) for place in ("none", TRUE_STEMS)}
    assert {key for answers in found.values() for key in answers} == {("drums", "ear"), ("bass", "pyin")}
    assert found["none"]["drums", "ear"]["kick"]["true"] == 12
    assert found[TRUE_STEMS]["bass", "pyin"]["onset"]["true"] == 4


def test_who_is_not_installed_is_named(monkeypatch) -> None:
    def absent(name: str) -> object:
        if name == "spectral":
            raise UnavailableError("pip install it")
        return object()

    monkeypatch.setattr(evaluate_table, "separator", absent)
    who = panel()
    assert who.missing["spectral"] == "pip install it"
    assert "spectral" not in who.separators
    assert {"none", "demucs"} <= set(who.separators)


def test_the_page_and_its_pictures_tell_all_of_it(tmp_path) -> None:
    summary = summary_of((song(), outcome()), (song("bad | one"), nothing("it is silent")))
    figures = {name: summed([told(Tally(4, 4, 3))]) for name in ("kick", "snare", "hihat", "cymbal")}
    summary["table"] = [
        {"what": "drums", "group": RENDERED, "heard in": "mix", "by": "ear", "songs": 1, "figures": figures}
    ]
    summary["not installed"] = {"demucs": "pip install demucs"}
    summary["bars"] = asked_for(summary)
    text = page(summary)
    for part in ("bars reached", "Song by song", "it is silent", "Each separator", "`demucs`", "sound font"):
        assert part in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1
    write_pictures(summary, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"bars.png", "songs.png"}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Eight seconds of kick, snare, hats and a bass, with the MIDI of it."""
    place = tmp_path / "songs" / "one"
    place.mkdir(parents=True)
    bars, eighths = range(4), range(32)
    drums = [hit(beat, pitch) for beat in range(16) for pitch in ((KICK, SNARE)[beat % 2],)]
    drums += [hit(bar * 4 + 3.5, KICK) for bar in bars] + [hit(eighth / 2, HAT) for eighth in eighths]
    line = [(bar * 4.0, bar * 4.0 + 1, pitch, 100) for bar, pitch in zip(bars, (33, 33, 36, 31), strict=True)]
    bass = track(line, channel=1, name="bass", program=33)
    write(place / "truth.mid", track(drums, extra=[tempo(120)], until=16), bass)
    write(place / "truth_drums.mid", track(drums, extra=[tempo(120)], until=16))
    write(place / "truth_bass.mid", bass, track((), extra=[tempo(120)], until=16))
    sound = sound_of(steady(120, 16), [4] * 4)
    for name in ("mix", "drums", "bass"):
        soundfile.write(place / f"{name}.ogg", sound, RATE)
    return tmp_path


def test_what_was_heard_is_kept_until_something_that_hears_changes() -> None:
    files = {"/".join(path.parts[-2:]) for path in hearing_files()}
    assert {"drums/ear.py", "drums/part.py", "bass/decode.py", "beats/bars.py", "transcription/join.py"} <= files
    assert {f"{name}/model.onnx" for name in ("drum-ear", "kit-ear", "part-ear", "bass-ear", "beat-ear")} <= files
    assert not {"judging/scores.py", "lessons/kits.py", "transcription/cells.py"} & files


def test_the_command_judges_what_transcribe_does_and_goes_on_where_it_was(folder, capsys) -> None:
    words = ["evaluate-transcription", "--songs", str(folder / "songs"), "--references", str(folder)]
    words += ["--work", str(folder / "work"), "--groups", "rendered", "--parts", "chain", "--json"]
    assert main(words) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["songs"]["one"]["drums"]["kick"]["true"] == 12
    assert summary["songs"]["one"]["bars"]["found"] > 0
    assert summary["heard by"]["separator"]
    assert {row["what"] for row in summary["bars"]} >= {"rendered songs: kick F", "cells on the true grid, F"}
    made = {path: path.stat().st_mtime_ns for path in (folder / "work" / "heard").iterdir()}
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == summary
    assert {path: path.stat().st_mtime_ns for path in (folder / "work" / "heard").iterdir()} == made
    assert (folder / "work" / "report" / PAGE).read_text(encoding="utf-8").startswith("# How well")


@pytest.mark.parametrize(("option", "word"), [("--parts", "chian"), ("--groups", "renderd")])
def test_a_part_that_does_not_exist_is_told(option, word, tmp_path, capsys) -> None:
    words = ["--songs", str(tmp_path), "--references", str(tmp_path), "--work", str(tmp_path), option, word]
    assert main(["evaluate-transcription", *words]) == 2
    assert f"'{word}'" in capsys.readouterr().err
