"""The wheel has everything, works away from the checkout, and every process loads only what it may."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from hitloopd.app.processes import AUDIO
from tests.needs import require

ROOT = Path(__file__).parents[1]
DATA = "hitloopd/data"
HEAVY = ("librosa", "scipy", "torch", "onnxruntime", "joblib", "numba", "sklearn")
"""What the daemon never loads for the rule tables: each would cost time and memory that nobody hears."""
INSTALLED: Final = ("onnxruntime",)
"""Of these, what is installed all the same: the generator process loads it when a learned generator is asked for."""


def run(*command: str, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the project's own backend without fetching anything."""
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out), cwd=ROOT)
    (built,) = out.glob("hitloopd-*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked as an installation; its dependencies come from the environment of the tests."""
    target = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--no-index")
    run(*pip, "--root-user-action=ignore", "--target", str(target), str(wheel), cwd=target)
    return target


def hitloopd(site: Path, *arguments: str) -> tuple[str, ...]:
    """The installed command line, run by this Python."""
    return (sys.executable, str(site / "bin" / "hitloopd"), *arguments)


# ── what is in it ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_wheel_carries_code_configs_and_models_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {path.relative_to(ROOT) for folder in ("configs", "models") for path in (ROOT / folder).rglob("*")}
    expected = {
        f"{DATA}/{path.as_posix()}" for path in shipped if (ROOT / path).is_file() and "__pycache__" not in path.parts
    }
    code = {
        path.relative_to(ROOT).as_posix()
        for folder in ("hitloopd", "offline")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert expected - names == set()
    assert code - names == set()
    assert {"hitloopd/py.typed", f"{DATA}/configs/kits/house.yaml", f"{DATA}/configs/controllers/pads.yaml"} <= names
    strangers = {name for name in names - expected - code if not re.match(r"hitloopd-[\d.]+\.dist-info/", name)}
    assert strangers == {"hitloopd/py.typed"}


def test_installing_pulls_in_neither_librosa_nor_torch(wheel: Path) -> None:
    metadata = next(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/METADATA"))
    lines = zipfile.ZipFile(wheel).read(metadata).decode().splitlines()
    always = [line for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert len(always) >= 5
    unwanted = set(HEAVY) - set(INSTALLED)
    assert not [line for line in always if any(name in line.lower() for name in unwanted)]


# ── away from the checkout ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_installed_program_finds_what_ships_with_it(site: Path, tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(site), "HOME": str(tmp_path)}
    where = run(sys.executable, "-c", "import hitloopd; print(hitloopd.__file__)", cwd=tmp_path, **env)
    assert Path(where.strip()).is_relative_to(site)
    for name in ("default", "ableton", "hardware", "touchdesigner", "jack"):
        report = json.loads(run(*hitloopd(site, "check", "--json", name), cwd=tmp_path, **env))
        assert report["ok"]
        assert Path(report["file"]).is_relative_to(site / DATA)


@pytest.mark.parametrize("ending", ["mid", "npz"])
def test_the_installed_program_makes_bars(site: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"bars.{ending}"
    words = ("generate", "--generator", "rules", "--style", "techno", "--bars", "2", "--out", str(out), "--json")
    report = json.loads(run(*hitloopd(site, *words), cwd=tmp_path, PYTHONPATH=str(site), HOME=str(tmp_path)))
    assert (report["generator"], report["style"], report["bars"]) == ("rules", "techno", 2)
    assert out.stat().st_size > 100


# ── what each process loads ─────────────────────────────────────────────────────────────────────────────────────────


def loaded(pid: int) -> str:
    """The files mapped into a process: every compiled library it loaded is among them."""
    return Path(f"/proc/{pid}/maps").read_text()


@pytest.fixture
def processes(site: Path, tmp_path: Path) -> Iterator[dict[str, int]]:
    """Process ids by name of the installed daemon, playing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(site), "HOME": str(tmp_path)}
    sets = (f"--set=osc.port={port}", f"--set=capture.dir={tmp_path / 'capture'}")
    daemon = subprocess.Popen(
        hitloopd(site, "run", "--json", *sets), cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            ask = hitloopd(site, "status", "--json", "--timeout=1", sets[0])
            done = subprocess.run(ask, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30, check=False)
            if done.returncode == 0 and json.loads(done.stdout)["health"]["player"]["notes_sent"] > 0:
                break
            assert time.monotonic() < deadline, f"no note within 20 s: {done.stdout}{done.stderr}"
        rows = json.loads(done.stdout)["health"]["processes"]
        yield {"supervisor": daemon.pid, **{name: row["pid"] for name, row in rows.items()}}
    finally:
        daemon.terminate()
        _, errors = daemon.communicate(timeout=20)
    assert daemon.returncode == 0, errors


@pytest.mark.live
def test_only_the_audio_process_loads_numpy_and_none_anything_heavier(processes: dict[str, int]) -> None:
    require(Path("/proc/self/maps").exists(), "no /proc here to look into processes")
    maps = {name: loaded(pid) for name, pid in processes.items()}
    assert set(maps) == {"supervisor", "player", "control", "generator", AUDIO}
    assert {name for name, text in maps.items() if "/numpy/" in text} == {AUDIO}
    assert {(name, heavy) for name, text in maps.items() for heavy in HEAVY if f"/{heavy}/" in text} == set()


COMMANDS = (("check",), ("generate", "--out", "bar.mid"), ("ports",), ("run", "--dry-run"))


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_command_loads_anything_heavy(words: tuple[str, ...], tmp_path: Path) -> None:
    code = (
        "import json, sys; from hitloopd.app.cli import main; code = main(sys.argv[1:]); "
        "print(); print(json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    out = run(sys.executable, "-c", code, *words, cwd=tmp_path, HOME=str(tmp_path))
    exit_code, modules = json.loads(out.splitlines()[-1])
    assert exit_code == 0
    assert "hitloopd" in modules
    assert set(modules) & {*HEAVY, "numpy"} == set()
