"""``extract`` and ``label`` from the command line: packs, refusals, resuming, the same bytes for the same seed."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import soundfile

from offline.__main__ import main
from offline.extraction import cli, scan
from offline.extraction.pack import load_pack
from tests.offline.extraction_sounds import RATE, bass, cymbal, hat, kick, noise, recording, references, snare


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """References, and a street with two of each sound."""
    folder = tmp_path_factory.mktemp("material")
    references(folder / "refs")
    sounds = (kick(55), snare(4), hat(5), cymbal(6), bass(60), kick(62), snare(7), hat(8, 45), cymbal(9), bass(50))
    street = recording({1.0 + 1.5 * n: sound for n, sound in enumerate(sounds)}, 17.0, 0.004)
    soundfile.write(folder / "street.wav", street, RATE, subtype="FLOAT")
    return folder


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """The references vote alone: what the shipped listener thinks of synthetic sounds is no concern here."""
    monkeypatch.setattr(scan.Options.__init__, "__defaults__", ("onset", None, 0, None))


def _extract(material, out, *words, recordings=("street.wav",)):
    paths = [str(material / name) for name in recordings]
    return main(["extract", *paths, "--references", str(material / "refs"), "--out", str(out), "--no-sheet", *words])


def test_a_pack_of_what_was_planted(material, tmp_path, capsys):
    assert _extract(material, tmp_path / "pack", "--json", "--own-licence", "CC0 1.0", "--author", "me") == 0
    told = json.loads(capsys.readouterr().out)
    pack = load_pack(tmp_path / "pack")
    assert {row.lane for row in pack.samples} == {"kick", "snare", "hihat", "cymbal", "bass"}
    assert told["samples"] == [row.as_mapping() for row in pack.samples]
    for row in pack.samples:
        data = (tmp_path / "pack" / row.file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row.sha256
        assert len(soundfile.read(tmp_path / "pack" / row.file)[0]) == pytest.approx(row.length_s * RATE, abs=1)
        nearest = min((1.0 + 1.5 * n for n in range(10)), key=lambda at: abs(at - row.start_s))
        assert abs(row.start_s - nearest) < (0.02 if row.lane == "bass" else 0.004)  # a tone has no one first frame
        assert (row.licence, row.author) == ("CC0 1.0", "me")
        assert (row.fundamental_hz is not None) == (row.lane == "bass")
    assert len(pack.candidates) >= len(pack.samples)
    assert [row.confidence for row in pack.candidates] == sorted((r.confidence for r in pack.candidates), reverse=True)
    assert "kick" in pack.about["coverage"]


def test_the_same_seed_gives_the_same_bytes(material, tmp_path):
    for name in ("a", "b"):
        assert _extract(material, tmp_path / name, "--name", "x", "--per-lane", "1") == 0
    one, other = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert one == other


@pytest.mark.parametrize("method", ["threshold", "random", "knn"])
def test_the_papers_methods_make_packs_too(material, tmp_path, method):
    words = ["--threshold", "0.6"] if method != "knn" else []
    assert _extract(material, tmp_path / "pack", "--method", method, "--per-lane", "2", *words) == 0
    pack = load_pack(tmp_path / "pack")
    assert pack.samples
    assert pack.about["method"] == method


def test_a_higher_threshold_gives_more_and_less_similar_samples(material, tmp_path):
    sums = []
    for threshold in ("0.3", "0.7"):
        _extract(material, tmp_path / threshold, "--method", "threshold", "--threshold", threshold)
        rows = load_pack(tmp_path / threshold).candidates
        sums.append([sum(row.distances.values()) for row in rows])
    assert len(sums[0]) < len(sums[1])
    assert np.mean(sums[0]) < np.mean(sums[1])
    assert max(sums[0]) < 0.3 + 1e-3


def test_bad_recordings_are_told_and_the_others_go_on(material, tmp_path, capsys):
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "text.wav").write_text("no sound")
    soundfile.write(bad / "silence.flac", np.zeros(RATE), RATE)
    soundfile.write(bad / "short.wav", noise(0.1), RATE)
    soundfile.write(bad / "numbers.wav", np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    whole = (material / "street.wav").read_bytes()
    soundfile.write(bad / "cut.flac", noise(3.0, 0.1), RATE)
    (bad / "cut.flac").write_bytes((bad / "cut.flac").read_bytes()[:60_000])
    words = [str(bad), str(bad / "gone.wav"), str(material / "street.wav")]
    code = main(["extract", *words, "--references", str(material / "refs"), "--out", str(tmp_path / "p"), "--no-sheet"])
    assert code == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if str(bad) in line]
    for name in ("text.wav", "silence.flac", "short.wav", "numbers.wav", "gone.wav", "cut.flac"):
        assert len([line for line in lines if name in line]) == 1, name
    assert load_pack(tmp_path / "p").samples
    assert whole == (material / "street.wav").read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--per-lane", "0"), "1 or more"),
        (("--threshold", "nan"), "between 0 and 6"),
        (("--threshold", "-1"), "between 0 and 6"),
    ],
)
def test_numbers_that_mean_nothing_are_refused_before_the_work(material, tmp_path, capsys, words, told):
    assert _extract(material, tmp_path / "p", *words) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_a_place_that_cannot_take_the_pack_is_refused_before_the_work(material, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert _extract(material, tmp_path / "file") == 2
    assert _extract(material, tmp_path / "file" / "below") == 2
    told = capsys.readouterr().err.splitlines()
    assert ["is a file" in told[0], "can't be written" in told[1], len(told)] == [True, True, 2]
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_usable_is_no_pack(material, tmp_path, capsys):
    assert _extract(material, tmp_path / "p", recordings=("gone.wav",)) == 1
    assert "no pack was written" in capsys.readouterr().err
    assert not (tmp_path / "p" / "pack.yaml").exists()


def test_a_lane_without_references_is_said_to_be_empty(material, tmp_path, capsys):
    references(tmp_path / "few", ("kick", "snare"))
    words = [str(material / "street.wav"), "--references", str(tmp_path / "few"), "--out", str(tmp_path / "p")]
    assert main(["extract", *words, "--no-sheet"]) == 0
    assert "none for bass" in capsys.readouterr().err
    pack = load_pack(tmp_path / "p")
    assert {row.lane for row in pack.samples} <= {"kick", "snare"}
    assert pack.about["lanes"]["bass"]["why"] == "no references for this lane"


def test_what_is_done_is_not_done_again(material, tmp_path, monkeypatch):
    soundfile.write(tmp_path / "b.wav", recording({1.0: kick()}, 3.0), RATE)
    arguments = ["extract", str(material / "street.wav"), str(tmp_path / "b.wav")]
    arguments += ["--references", str(material / "refs"), "--out", str(tmp_path / "p"), "--no-sheet"]
    seen: list[str] = []
    real = scan.scan

    def interrupted(path, options):
        seen.append(path.name)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return real(path, options)

    monkeypatch.setattr(cli, "scan", interrupted)
    assert main(arguments) == 130
    assert main(arguments) == 0
    assert seen == ["street.wav", "b.wav", "b.wav"]
    assert not (tmp_path / "p" / ".work").exists()


def test_recordings_of_other_licences_are_left_out(material, tmp_path, capsys):
    assert _extract(material, tmp_path / "p", "--licence", "cc0") == 1
    assert "left out, its licence is unknown" in capsys.readouterr().err
    assert _extract(material, tmp_path / "p", "--licence", "cc0", "--own-licence", "CC0 1.0") == 0


def test_long_recordings_come_in_stretches_with_the_same_result(material, tmp_path, monkeypatch):
    _extract(material, tmp_path / "whole")
    monkeypatch.setattr(scan, "STRETCH", 4 * 88_064)
    _extract(material, tmp_path / "parts")
    one, other = (
        {(row.lane, round(row.start_s, 2)) for row in load_pack(tmp_path / name).samples} for name in ("whole", "parts")
    )
    assert len(one & other) >= 0.8 * len(one)


def test_the_sheet_shows_and_plays(material, tmp_path):
    paths = [str(material / "street.wav"), "--references", str(material / "refs"), "--out", str(tmp_path / "p")]
    assert main(["extract", *paths, "--per-lane", "1"]) == 0
    assert (tmp_path / "p" / "pack.png").stat().st_size > 10_000
    page = (tmp_path / "p" / "pack.html").read_text()
    assert page.count("<audio") == len(load_pack(tmp_path / "p").samples)


def test_label_says_class_and_lane(material, tmp_path, capsys):
    soundfile.write(tmp_path / "a.wav", kick(58), RATE)
    soundfile.write(tmp_path / "b.wav", snare(12), RATE)
    words = ["--references", str(material / "refs"), "--weights", str(tmp_path / "none"), "--json"]
    assert main(["label", str(tmp_path / "a.wav"), str(tmp_path / "b.wav"), *words]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["class"], row["lane"]) for row in rows] == [("kick", "kick"), ("snare", "snare")]
    assert main(["label", str(tmp_path / "gone.wav"), *words]) == 1
    assert main(["label", str(tmp_path / "a.wav"), "--weights", str(tmp_path / "none")]) == 2
