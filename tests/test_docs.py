"""The pages say what the program does: tables as the program has them, commands that parse, files that are there."""

from __future__ import annotations

import ast
import configparser
import plistlib
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from hitloopd import __version__
from hitloopd.app.cli import _parser, _with_command
from hitloopd.app.config import load
from hitloopd.app.readme import README, marks, renewed
from hitloopd.control import reference
from hitloopd.control.lookup import resolve
from hitloopd.core.errors import UnknownNameError

ROOT = Path(__file__).parents[1]
TEXT = README.read_text(encoding="utf-8")
PAGES = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "configs/README.md", "models/README.md")
SERVICE = ROOT / "configs" / "service"
DEMO = "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/hitloopd demo"
TEST = 'python3 -m venv .venv && .venv/bin/pip install -q -e ".[test]" && .venv/bin/pytest'


def blocks(language: str) -> list[str]:
    """The fenced blocks of README in one language ('' is none)."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# ── README ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_readme_opens_with_the_two_commands() -> None:
    assert [block.strip() for block in blocks("sh")[:2]] == [DEMO, TEST]
    windows = blocks("powershell")[0]
    assert r".venv\Scripts\hitloopd demo" in windows
    assert r".venv\Scripts\pytest" in windows
    assert TEXT.index(TEST) < TEXT.index("\n## Play")


def test_readme_has_the_tables_as_the_program_has_them() -> None:
    assert renewed(TEXT) == TEXT, "run python -m hitloopd.app.readme"


def test_a_stale_table_is_written_again_and_a_missing_one_is_named() -> None:
    stale = TEXT.replace("| `transport.bpm` |", "| `transport.bmp` |")
    assert stale != TEXT
    assert renewed(stale) == TEXT
    begin, _ = marks("keys")
    with pytest.raises(UnknownNameError, match="keys"):
        renewed(TEXT.replace(begin, ""))


@pytest.mark.parametrize(
    "line", sorted(set(re.findall(r"^\$ (hitloopd .*)$|`(hitloopd(?: [^`]+)?)`", TEXT, re.MULTILINE)))
)
def test_every_command_shown_is_one(line: tuple[str, str]) -> None:
    words = shlex.split(line[0] or line[1])[1:]
    args = _parser().parse_args(_with_command(words))
    assert callable(args.command)
    address = getattr(args, "address", "")
    if address.startswith("/"):
        assert resolve(address)


def test_every_address_named_exists() -> None:
    prose = TEXT.replace(TEXT[TEXT.index(reference.BEGIN) : TEXT.index(reference.END)], "")
    named = set(re.findall(r"/hitloop/[a-z_/<>*0-9]*[a-z0-9>]", prose))
    assert len(named) >= 10
    for address in named:
        assert resolve(address.replace("<lane>", "kick")), address


def test_every_set_names_a_key_and_every_python_block_is_python() -> None:
    pairs = re.findall(r"--set ([a-z_.]+=[^\s`]+)", TEXT)
    keys = [pair for pair in pairs if pair != "key=value"]
    assert keys
    load(None, keys)
    for block in blocks("python"):
        ast.parse(block)


def test_the_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert len(pictures) >= 2
    for picture in pictures:
        assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")
        assert (ROOT / picture).stat().st_size < 200_000


# ── every page ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", page(name))
    inside = [target for target in targets if not target.startswith(("http://", "https://", "#"))]
    missing = [target for target in inside if not (ROOT / name).parent.joinpath(target).exists()]
    assert missing == []


def test_architecture_names_real_files_and_every_room() -> None:
    text = page("ARCHITECTURE.md")
    named = set(re.findall(r"`((?:hitloopd|tests|configs|offline|models)/[\w/.]+)`", text))
    assert len(named) >= 5
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    rooms = {path.name for path in (ROOT / "hitloopd").iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    tree = text[text.index("```") : text.index("```", text.index("```") + 3)]
    assert {room for room in rooms if f"\n  {room}/" not in tree} == set()


def test_architecture_names_the_layers_that_are_checked() -> None:
    contracts = tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert "  >  ".join(layers) in page("ARCHITECTURE.md")


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[?([0-9][\w.]*)", page("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == __version__
    assert tomllib.loads(page("pyproject.toml"))["project"]["version"] == __version__


def test_configs_page_lists_every_config() -> None:
    text = page("configs/README.md")
    names = [path.name for path in (ROOT / "configs").iterdir() if path.name not in ("README.md", "__pycache__")]
    assert [name for name in names if f"[{name}" not in text] == []


# ── what runs it ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ci_runs_readmes_own_test_command_with_nothing_skipped() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run(("bash", "-n", str(script)), check=True)
    lines = script.read_text().splitlines()
    assert TEST in lines
    assert any("export HITLOOP_REQUIRE_ALL=1" in line for line in lines[: lines.index(TEST)])


def test_the_systemd_unit_starts_a_command_that_exists() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str
    unit.read(SERVICE / "hitloopd.service")
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert program.endswith("/.venv/bin/hitloopd")
    assert _parser().parse_args(words).name == "run"
    assert unit["Service"]["KillMode"] == "mixed"
    assert int(unit["Service"]["LimitRTPRIO"]) >= 60


def test_the_launchd_agent_starts_a_command_that_exists() -> None:
    agent = plistlib.loads((SERVICE / "org.hitloopd.hitloopd.plist").read_bytes())
    program, *words = agent["ProgramArguments"]
    assert program.endswith("/.venv/bin/hitloopd")
    assert _parser().parse_args(words).name == "run"
    assert agent["Label"] == "org.hitloopd.hitloopd"
