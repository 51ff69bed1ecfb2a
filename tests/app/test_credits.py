from __future__ import annotations

import json

import pytest

from hitloopd.app import cli
from hitloopd.app.config import load
from hitloopd.app.credits import credited, lines
from hitloopd.core.errors import UnknownNameError
from tests.generate.tiny_model import index_file, write_model
from tests.kits import write_pack


@pytest.fixture
def library(tmp_path):
    write_model(tmp_path / "models" / "tiny", index=index_file())
    return tmp_path


def settings(library):
    return load(None, [f"paths.library={library}"])


def test_every_song_is_named_with_author_and_licence(library):
    (thing,) = credited(settings(library), "tiny")
    assert (thing.kind, thing.name, thing.licence) == ("model", "tiny", "MIT")
    assert {(work.title, work.author, work.licence) for work in thing.works} == {
        ("One", "Ada", "CC0 1.0"),
        ("Two", "Bo", "CC BY 4.0"),
    }
    text = "\n".join(lines([thing]))
    assert "CC BY 4.0: Bo: Two" in text


def test_unknown_names_have_the_nearest(library):
    with pytest.raises(UnknownNameError, match="Did you mean 'tiny'"):
        credited(settings(library), "tinny")


def test_a_model_without_credits_says_so_and_the_others_are_told(library):
    write_model(library / "models" / "bare")
    found = {thing.name: thing for thing in credited(settings(library))}
    assert "can't be read" in found["bare"].problem
    assert len(found["tiny"].works) == 2


def test_the_command_prints_json(library, capsys):
    assert cli.main(["credits", "--json", "--model", "tiny", "--set", f"paths.library={library}"]) == 0
    (thing,) = json.loads(capsys.readouterr().out)["credits"]
    assert thing["works"][0]["origin"] == "here"
    assert cli.main(["credits", "--model", "nope", "--set", f"paths.library={library}"]) == 1


def test_generate_draws_from_a_model_of_the_library_and_names_its_hash(library, tmp_path, capsys):
    out = tmp_path / "bars.npz"
    words = ["generate", "--generator", "tiny", "--bars", "20", "--out", str(out), "--json"]
    assert cli.main([*words, "--set", f"paths.library={library}"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["generator"], report["bars"]) == ("tiny", 20)
    assert len(report["model"]) == 12
    import numpy as np

    with np.load(out) as file:
        assert file["rolls"].shape == (20, 128, 20)
        told = json.loads(str(file["provenance"][0]))
    assert told["model"] == report["model"]
    assert told["nearest"][0]["author"] in {"Ada", "Bo"}


def test_a_kit_credits_the_recordings_that_it_was_cut_from(tmp_path, capsys):
    write_pack(tmp_path / "library" / "kits" / "tram", {"kick": (100, 120), "snare": (300,)})
    write_pack(tmp_path / "elsewhere", {"kick": (100,)})
    words = ("--set", f"paths.library={tmp_path / 'library'}", "--set", f"kit={tmp_path / 'elsewhere'}")
    assert cli.main(["credits", "--json", *words]) == 0
    kits = [thing for thing in json.loads(capsys.readouterr().out)["credits"] if thing["kind"] == "kit"]
    assert [kit["name"] for kit in kits] == ["tram", str(tmp_path / "elsewhere")], "our own sounds need none"
    work = {"title": "tram.wav", "author": "Ada", "licence": "CC BY 4.0", "origin": "example.org/tram"}
    assert kits[0]["works"] == [work], "once, however many samples"
    (tmp_path / "library" / "kits" / "tram" / "kick-1.wav").unlink()
    assert cli.main(["credits", *words]) == 0
    assert "these files are not there: kick-1.wav" in capsys.readouterr().out
