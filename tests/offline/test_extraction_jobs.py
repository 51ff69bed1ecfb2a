"""``extract`` in many processes, on a cluster, and after a kill: the same bytes as from one core in one go."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from offline.__main__ import main
from offline.extraction import cli, scan
from tests.offline.cluster import dask_cluster
from tests.offline.extraction_sounds import RATE, hat, kick, recording, references, snare

ALONE = ("onset", None, 0, None)
"""Defaults of the options with which the references vote alone."""

DEADLY = f"""
import os, signal, sys
from offline.__main__ import main
from offline.extraction import cli, scan
scan.Options.__init__.__defaults__ = {ALONE!r}
real, seen = scan.scan, []
def deadly(path, options):
    seen.append(path)
    if len(seen) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(path, options)
cli.scan = deadly
main(sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """The shipped listener is no concern here."""
    monkeypatch.setattr(scan.Options.__init__, "__defaults__", ALONE)


@pytest.fixture
def words(tmp_path):
    """What to extract from: three recordings and one that is none."""
    references(tmp_path / "refs")
    streets = tmp_path / "streets"
    streets.mkdir()
    for name, sounds in {"a": (kick(55), hat(5)), "b": (snare(4), kick(62)), "c": (hat(8, 45), snare(7))}.items():
        sound = recording({1.0 + n: one for n, one in enumerate(sounds)}, 3.5, 0.004)
        soundfile.write(streets / f"{name}.wav", sound, RATE)
    (streets / "text.wav").write_text("no sound")
    return [str(streets), "--references", str(tmp_path / "refs"), "--name", "x", "--no-sheet", "--out"]


def _products(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))}


@pytest.mark.live
def test_many_processes_and_a_cluster_give_the_same_bytes_as_one(words, tmp_path, capsys):
    def told(name: str, *more: str) -> list[str]:
        assert main(["extract", *words, str(tmp_path / name), *more]) == 1, "one file is no sound"
        return [line for line in capsys.readouterr().err.splitlines() if "text.wav" in line]

    first = told("one")
    assert len(first) == 1
    assert told("two", "--jobs", "2") == first
    with dask_cluster(tmp_path) as address:
        assert told("three", "--cluster", address) == first
    assert "pack.yaml" in _products(tmp_path / "one")
    assert _products(tmp_path / "one") == _products(tmp_path / "two") == _products(tmp_path / "three")


def test_after_a_kill_the_same_command_goes_on(words, tmp_path, monkeypatch):
    assert main(["extract", *words, str(tmp_path / "whole")]) == 1
    killed = subprocess.run([sys.executable, "-c", DEADLY, "extract", *words, str(tmp_path / "pack")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "pack" / "pack.yaml").exists()
    seen: list[str] = []
    monkeypatch.setattr(cli, "scan", lambda path, options: (seen.append(path.name), scan.scan(path, options))[1])
    assert main(["extract", *words, str(tmp_path / "pack")]) == 1
    assert seen == ["b.wav", "c.wav", "text.wav"], "the first was done before the kill"
    assert _products(tmp_path / "pack") == _products(tmp_path / "whole")


def test_a_cluster_that_is_not_there_is_said(words, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("offline.jobs.CONNECT_S", 0.5)
    assert main(["extract", *words, str(tmp_path / "pack"), "--cluster", "tcp://127.0.0.1:9"]) == 2
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
