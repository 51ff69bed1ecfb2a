"""``python -m offline dataset build`` as a person uses it: licences, bad files, report, interruption, processes."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest

from offline.__main__ import main
from offline.dataset import build as build_module
from offline.dataset.store import load_bars
from tests.offline.cluster import dask_cluster
from tests.offline.pictures import leave_out_pictures
from tests.offline.songbook import beat_song, hit, library, manifest, track, write

PRODUCTS = ("bars.npz", "bars.csv", "sources.json", "report.json", "report.md", "bars.png", "distances.png")


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch, request):
    """Two panels are drawn by the code that draws 24, and sooner; none where nobody looks at them."""
    monkeypatch.setattr("offline.dataset.report.SHOWN", 2)
    if "drawing" not in request.fixturenames:
        leave_out_pictures(monkeypatch)


@pytest.fixture
def drawing():
    """For tests of pictures."""


def build(*words: object) -> int:
    return main(["dataset", "build", *map(str, words), "--quiet"])


def test_a_folder_becomes_a_data_set_with_everything_on_record(drawing, tmp_path, capsys):
    assert build(library(tmp_path / "songs"), "--out", tmp_path / "set") == 0
    bars = load_bars(tmp_path / "set")
    assert len(bars) == 3 + 4 + 3 + 4 + 3 + 4
    assert set(bars.file.tolist()) == {f"songs/song{index}.mid" for index in range(6)}
    assert set(bars.style.tolist()) == {"house"}
    assert set(bars.family.tolist()) == {"cc0", "by", "bsd"}
    assert np.allclose(bars.tempo_bpm, 124, atol=0.01)
    no_bass = {"songs/song0.mid", "songs/song3.mid"}
    assert set(bars.file[~bars.has_bass].tolist()) >= no_bass
    assert not set(bars.file[bars.has_bass].tolist()) & no_bass
    credit = bars.facts["sources"][1]
    assert (credit["author"], credit["licence"], credit["bars"]) == ("author 1", "CC BY 4.0", 4)
    assert "21 bars with drums" in capsys.readouterr().out
    for name in PRODUCTS:
        assert (tmp_path / "set" / name).stat().st_size > 0
        assert not name.endswith(".png") or (tmp_path / "set" / name).read_bytes()[:4] == b"\x89PNG"


def test_the_report_says_what_is_in_it(tmp_path, capsys):
    assert build(library(tmp_path / "songs"), "--out", tmp_path / "set", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "set" / "report.json").read_text())
    bars = load_bars(tmp_path / "set")
    assert report["bars"] == len(bars) == sum(part["bars"] for part in report["splits"].values())
    assert report["distinct"] == int((~bars.duplicate).sum())
    assert {row["family"]: row["bars"] for row in report["licences"]} == {"cc0": 7, "by": 7, "bsd": 7}
    assert set(report["measures"]) == {"all", "drums only", "drums and bass"}
    assert report["measures"]["all"]["unqualified notes"] == 0
    assert report["density"]["kick"]["q50"] == 4
    page = (tmp_path / "set" / "report.md").read_text()
    assert "![bars](bars.png)" in page
    assert "CC BY 4.0" in page
    assert "0.287" in page, "the paper's own row stands beside"


def test_a_file_whose_licence_nobody_states_is_refused_and_nothing_is_built(tmp_path, capsys):
    songs = library(tmp_path / "songs", 2)
    beat_song(songs / "found_somewhere.mid")
    assert build(songs, "--out", tmp_path / "set") == 1
    told = capsys.readouterr().err
    assert "found_somewhere.mid" in told
    assert "--allow-unknown" in told
    assert "song0.mid" not in told
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("licence", ["all rights reserved", "CC BY-NC 4.0", ""])
def test_a_licence_that_is_none_of_the_families_is_unknown(tmp_path, capsys, licence):
    songs = library(tmp_path / "songs", 1)
    manifest(songs, [("song0.mid", "somebody", licence, "")])
    assert build(songs, "--out", tmp_path / "set") == 1
    assert licence in capsys.readouterr().err


def test_unknown_files_come_in_when_asked_and_the_data_set_says_so(tmp_path):
    songs = library(tmp_path / "songs", 2)
    beat_song(songs / "found_somewhere.mid", shift=5)
    assert build(songs, "--out", tmp_path / "set", "--allow-unknown") == 0
    bars = load_bars(tmp_path / "set")
    assert bars.facts["unknown licences allowed"] is True
    assert "unknown" in set(bars.family.tolist())
    assert "without a stated licence" in (tmp_path / "set" / "report.md").read_text()


def test_share_alike_is_left_out_unless_it_is_named(tmp_path, capsys):
    songs = library(tmp_path / "songs", 3)
    manifest(songs, [(f"song{i}.mid", "a", licence, "") for i, licence in enumerate(("CC0", "CC BY-SA 4.0", "MIT"))])
    assert build(songs, "--out", tmp_path / "one") == 0
    assert "CC BY-SA 4.0" in capsys.readouterr().err
    assert set(load_bars(tmp_path / "one").family.tolist()) == {"cc0", "mit"}
    assert json.loads((tmp_path / "one" / "report.json").read_text())["left out"] == [
        {"file": "song1.mid", "licence": "CC BY-SA 4.0"}
    ]
    assert build(songs, "--out", tmp_path / "two", "--licence", "by-sa") == 0
    assert set(load_bars(tmp_path / "two").family.tolist()) == {"by-sa"}


def test_a_licence_family_that_does_not_exist_is_named_with_those_that_do(tmp_path, capsys):
    assert build(library(tmp_path / "songs", 1), "--out", tmp_path / "set", "--licence", "cc0,gpl") == 2
    assert "'gpl'" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "told"), [(("nowhere",), "nowhere"), ((".",), ".mid")])
def test_nothing_to_read_is_said(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    assert build(*words, "--out", "set") == 2
    assert told in capsys.readouterr().err


def test_bad_files_are_skipped_with_name_and_reason(tmp_path, capsys):
    songs = library(tmp_path / "songs", 2)
    (songs / "broken.mid").write_bytes((songs / "song0.mid").read_bytes()[:60])
    (songs / "empty.MIDI").touch()
    rows = [(path.name, "a", "CC0", "") for path in songs.iterdir() if path.suffix != ".csv"]
    manifest(songs, rows)
    assert build(songs, "--out", tmp_path / "set") == 0
    told = capsys.readouterr().err
    assert "skipped songs/broken.mid: not readable as MIDI" in told
    assert "skipped songs/empty.MIDI: the file is empty" in told
    assert "Traceback" not in told
    assert len(json.loads((tmp_path / "set" / "report.json").read_text())["skipped"]) == 2


def test_only_bad_files_make_no_data_set(tmp_path, capsys):
    songs = tmp_path / "songs"
    songs.mkdir()
    (songs / "empty.mid").touch()
    manifest(songs, [("empty.mid", "a", "CC0", "")])
    assert build(songs, "--out", tmp_path / "set") == 2
    assert "the file is empty" in capsys.readouterr().err
    assert not (tmp_path / "set" / "bars.npz").exists()


def products(folder) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in PRODUCTS}


def test_interrupted_it_goes_on_where_it_was_and_comes_to_the_same(drawing, tmp_path, monkeypatch):
    songs = library(tmp_path / "songs")
    assert build(songs, "--out", tmp_path / "whole") == 0
    calls: list[str] = []
    real = build_module.cut_file

    def watched(path):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(path.name)
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(build_module, "READERS", {".mid": watched})
        assert build(songs, "--out", tmp_path / "set") == 130
    assert not (tmp_path / "set" / "bars.npz").exists()
    again: list[str] = []
    monkeypatch.setattr(build_module, "READERS", {".mid": lambda path: (again.append(path.name), real(path))[1]})
    assert build(songs, "--out", tmp_path / "set") == 0
    assert sorted(calls + again) == [f"song{index}.mid" for index in range(6)], "each file once"
    assert products(tmp_path / "set") == products(tmp_path / "whole")


def test_a_changed_file_is_cut_again(tmp_path):
    songs = library(tmp_path / "songs", 2)
    assert build(songs, "--out", tmp_path / "set") == 0
    before = len(load_bars(tmp_path / "set"))
    beat_song(songs / "song1.mid", bars=9)
    assert build(songs, "--out", tmp_path / "set") == 0
    assert len(load_bars(tmp_path / "set")) == before - 4 + 9


@pytest.mark.live
def test_many_processes_and_a_cluster_give_the_same_bytes_as_one(drawing, tmp_path):
    songs = library(tmp_path / "songs", 8)
    (songs / "broken.mid").write_bytes(b"MThd")
    with (songs / "MANIFEST.csv").open("a") as file:
        csv.writer(file).writerow(["broken.mid", "a", "CC0", ""])
    assert build(songs, "--out", tmp_path / "one") == 0
    elsewhere = shutil.copytree(songs, tmp_path / "there" / "songs")
    assert build(elsewhere, "--out", tmp_path / "two", "--jobs", 2) == 0
    assert products(tmp_path / "one") == products(tmp_path / "two"), "nor does it matter where the files lie"
    with dask_cluster(tmp_path) as address:
        assert build(songs, "--out", tmp_path / "three", "--cluster", address) == 0
    assert products(tmp_path / "one") == products(tmp_path / "three")


def test_a_cluster_that_is_not_there_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("offline.jobs.CONNECT_S", 0.5)
    songs = library(tmp_path / "songs", 1)
    assert build(songs, "--out", tmp_path / "set", "--cluster", "tcp://127.0.0.1:9") == 2
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


# --- encode -----------------------------------------------------------------------------------------------------------


def test_encode_gives_the_rolls_of_any_folder_without_asking_for_licences(tmp_path, capsys):
    songs = tmp_path / "songs"
    beat_song(songs / "one.mid", bars=3)
    beat_song(songs / "two_a12345.mid", bars=2, bass=False)
    (songs / "torn.mid").write_bytes(b"MThd")
    out = tmp_path / "x.npz"
    assert main(["dataset", "encode", str(songs), "--out", str(out), "--quiet"]) == 0
    with np.load(out) as file:
        rolls, mask, song = file["rolls"], file["mask"], file["song"]
    assert rolls.shape == (5, 128, 20)
    assert rolls.dtype == np.float32
    assert rolls.max() == pytest.approx(100 / 127)
    assert mask.tolist() == [True, True, True, False, False]
    assert song.tolist() == ["songs/one"] * 3 + ["songs/two"] * 2
    assert "skipped songs/torn.mid" in capsys.readouterr().err


def test_encode_and_build_agree(tmp_path):
    songs = library(tmp_path / "songs")
    assert build(songs, "--out", tmp_path / "set") == 0
    assert main(["dataset", "encode", str(songs), "--out", str(tmp_path / "x.npz"), "--quiet"]) == 0
    with np.load(tmp_path / "x.npz") as file:
        assert np.array_equal(np.round(file["rolls"] * 127), load_bars(tmp_path / "set").rolls)


def test_encode_of_nothing_usable_is_an_error(tmp_path, capsys):
    (tmp_path / "torn.mid").write_bytes(b"MThd")
    assert main(["dataset", "encode", str(tmp_path), "--out", str(tmp_path / "x.npz"), "--quiet"]) == 2
    assert "Not one of 1 files" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize("number", ["-1", "two"])
def test_a_number_of_jobs_that_is_none_is_refused(tmp_path, capsys, number):
    with pytest.raises(SystemExit):
        build(tmp_path, "--out", tmp_path, "--jobs", number)
    assert "number of processes" in capsys.readouterr().err


def test_a_place_that_cannot_take_the_result_is_refused_before_the_work(tmp_path, capsys):
    songs = library(tmp_path / "songs", 1)
    assert build(songs, "--out", songs / "song0.mid") == 2
    assert main(["dataset", "encode", str(songs), "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "is a file" in told
    assert "is a folder" in told


def test_a_song_under_two_names_is_one_song(tmp_path):
    songs = tmp_path / "songs"
    draw = np.random.default_rng(1)
    takes = [hit(beat / 4, int(draw.choice((36, 38, 42))), int(draw.integers(20, 127))) for beat in range(16 * 6)]
    other = [(start, end, pitch, velocity - 1) for start, end, pitch, velocity in takes]
    for name, notes in (("first", takes), ("second", takes), ("third", other)):
        write(songs / f"{name}.mid", track(notes, until=24))
    assert main(["dataset", "encode", str(songs), "--out", str(tmp_path / "x.npz"), "--quiet"]) == 0
    with np.load(tmp_path / "x.npz") as file:
        assert file["song"].tolist() == ["songs/first"] * 12 + ["songs/third"] * 6
