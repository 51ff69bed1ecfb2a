"""Learned generators in a real daemon: switched to while playing, morphed, refused, and what each process loads."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.generate.tiny_model import index_file, onnx_bytes, write_dataset, write_model
from tests.live.daemon import Client, Daemon, eventually, run_command
from tests.needs import require

pytestmark = pytest.mark.live

MODEL, MORPH, REGENERATE = "/hitloop/gen/model", "/hitloop/gen/morph", "/hitloop/gen/regenerate"
PROVENANCE, HIHAT = "/hitloop/pattern/provenance", "/hitloop/lane/hihat/regenerate"


@pytest.fixture
def models(tmp_path) -> Path:
    """The library that ``Daemon`` uses, with two models in it, one of them spoilt."""
    folder = tmp_path / "library" / "models"
    write_model(folder / "tiny", index=index_file())
    (write_model(folder / "spoilt") / "model.onnx").write_bytes(onnx_bytes(seed=5)[:-9])
    return folder


def provenance(daemon):
    return json.loads(daemon.ask(PROVENANCE)[0])


def test_a_switch_while_playing_is_heard_at_the_bar_line_that_its_reply_names_and_no_bar_is_late(tmp_path, models):
    with Daemon(tmp_path, "transport.bpm=300") as daemon, Client(daemon.playing().port) as client:
        client.send("/hitloop/sys/subscribe", "bar", 0)
        client.send(MODEL, "tiny")
        client.until(lambda: client.all(MODEL), "the switch")
        ((name, bar),) = client.all(MODEL)
        told = provenance(daemon)
        for seed in range(40):
            client.send(REGENERATE, seed)
            client.listen(0.05)
        client.until(lambda: len(client.all(REGENERATE)) == 40, "every reply")
        client.listen(1.7)
        bars = dict(client.all("/hitloop/event/bar"))
        player, generator = daemon.health()["player"], daemon.health()["generator"]
        errors = client.all("/hitloop/sys/error")
    assert name == "tiny"
    assert bars[bar] != bars[bar - 1] if bar - 1 in bars else bar in bars
    assert told["generator"] == "tiny"
    assert {near["author"] for near in told["nearest"]} == {"Ada", "Bo"}
    assert (player["dropped"], player["missed_bars"], player["late_answers"]) == (0, 0, 0)
    assert errors == []
    assert (generator["refused"], generator["given_up"]) == ({}, 0)


def test_a_broken_model_is_refused_by_name_and_reason_and_the_music_goes_on(tmp_path, models):
    with Daemon(tmp_path, "transport.bpm=300") as daemon:
        before = daemon.playing().status()["pattern"]
        _, code, text = daemon.ask(MODEL, "spoilt")
        assert code == "unavailable"
        assert "'spoilt' is refused" in text
        assert "sha256" in text
        assert daemon.ask(MODEL)[0] == "rules"
        assert daemon.status()["pattern"] == before
        assert "spoilt" in daemon.health()["generator"]["refused"]
        write_model(models / "spoilt")  # mended
        assert daemon.ask(MODEL, "spoilt")[0] == "spoilt"
        assert daemon.health()["generator"]["refused"] == {}
        assert daemon.status()["state"] == "playing"


def test_a_daemon_told_to_play_a_broken_model_plays_rules_and_says_so_once(tmp_path, models):
    with Daemon(tmp_path, "transport.bpm=300", "gen.model=spoilt", "gen.auto=1") as daemon:
        said = daemon.playing().said("'spoilt' is refused")
        assert "Meanwhile rules plays" in said
        assert daemon.said("plays: ").startswith("plays: rules ")
        eventually(lambda: daemon.health()["player"]["bars"] > 5, "some bars")
        assert daemon.status()["generator"] == "rules"
        assert list(daemon.health()["generator"]["refused"]) == ["spoilt"]
        assert daemon.end() == 0
        assert sum("'spoilt' is refused" in line for line in daemon.lines) == 1


def test_the_knobs_of_the_generator_reach_the_model(tmp_path, models):
    with Daemon(tmp_path, "transport.bpm=300", "gen.model=tiny") as daemon:
        daemon.playing()
        daemon.ask(REGENERATE, 3)
        first = provenance(daemon)
        daemon.ask("/hitloop/gen/temperature", 0.0)
        daemon.ask("/hitloop/gen/seed", 9)
        daemon.ask(REGENERATE)
        second = provenance(daemon)
        assert (second["seed"], second["parameters"]["temperature"]) == (9, 0.0)
        assert daemon.ask(MORPH, 0.5)[0] == 0.5
        middle = provenance(daemon)
        assert (middle["parent"], middle["parameters"]["toward"]) == (first["id"], second["id"])
        latents = {told["parameters"]["latent"] for told in (first, second, middle)}
        assert len(latents) == 3, "the model was asked, the notes were not just mixed"
        daemon.ask("/hitloop/lane/kick/cell/3", 0.9)
        assert provenance(daemon)["edits"] == [["kick", 3]]
        daemon.ask(HIHAT, 4)
        told = provenance(daemon)
        assert (told["seed"], told["parameters"]["lanes"]) == (4, "hihat")
        assert any(source.startswith("kick: tiny/") for source in told["sources"])


def test_a_morphed_bar_survives_the_control_process(tmp_path, models):
    with Daemon(tmp_path, "transport.bpm=120", "gen.model=tiny") as daemon:
        daemon.playing()
        daemon.ask(REGENERATE, 3)
        daemon.ask(MORPH, 0.4)
        before = provenance(daemon)
        pid = daemon.pid("control")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: daemon.pid("control") != pid, "another control process")
        assert provenance(daemon) == before


def test_row_mix_plays_what_the_config_names_and_says_how_to_build_it_where_it_names_nothing(tmp_path):
    data = tmp_path / "bars"
    write_dataset(data)
    with Daemon(tmp_path, "transport.bpm=300", f"gen.dataset={data}") as daemon:
        assert daemon.playing().ask(MODEL, "rowmix")[0] == "rowmix"
        sources = provenance(daemon)["sources"]
        assert all("(CC BY 4.0)" in source for source in sources)
    with Daemon(tmp_path, "transport.bpm=300", state="another") as daemon:
        _, code, text = daemon.playing().ask(MODEL, "rowmix")
        assert code == "unavailable"
        assert "python -m offline dataset build" in text
    done = run_command("generate", "--generator", "rowmix", "--out", tmp_path / "x.npz")
    assert done.returncode == 1
    assert "dataset build" in done.stderr


def test_only_the_generator_process_loads_onnxruntime_and_only_for_a_model(tmp_path, models):
    require(Path("/proc/self/maps").exists(), "no /proc here to look into processes")

    def heavy(daemon):
        maps = {name: Path(f"/proc/{daemon.pid(name)}/maps").read_text() for name in daemon.health()["processes"]}
        maps["supervisor"] = Path(f"/proc/{daemon.process.pid}/maps").read_text()
        return {(name, word) for name, text in maps.items() for word in ("numpy", "onnxruntime") if f"/{word}/" in text}

    with Daemon(tmp_path, "transport.bpm=300") as daemon:
        daemon.playing().ask(REGENERATE)
        assert heavy(daemon) == set()
        daemon.ask(MODEL, "tiny")
        assert heavy(daemon) == {("generator", "numpy"), ("generator", "onnxruntime")}
