"""The sources themselves: formatted, linted, typed, and layered as ARCHITECTURE.md says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BESIDE = Path(sys.executable).parent

pytestmark = pytest.mark.style


def complaints(*command: str) -> str:
    """What a checker has to say; empty where it is content."""
    env = {**os.environ, "PATH": f"{BESIDE}{os.pathsep}{os.environ['PATH']}", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("-m", "ruff", "format", "--check", "."), id="formatted"),
        pytest.param(("-m", "ruff", "check", "."), id="linted"),
        pytest.param(("-m", "pyright", "--pythonpath", sys.executable), id="typed"),
        pytest.param(("-c", "from importlinter.cli import lint_imports_command as f; f()"), id="layered"),
    ],
)
def test_the_checker_is_content(command: tuple[str, ...]) -> None:
    assert complaints(sys.executable, *command) == ""


def test_a_checker_that_is_not_content_is_heard(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import os\n")
    assert "F401" in complaints(sys.executable, "-m", "ruff", "check", "--isolated", "--select=F", str(wrong))
