"""The command table of ``python -m offline``."""

from __future__ import annotations

import sys
import types

import pytest

from hitloopd.core.errors import UnavailableError
from offline import __main__ as command_line
from offline.__main__ import COMMANDS, main


@pytest.fixture
def command(monkeypatch):
    """A command of our own in the table; it may be given another ``run``."""
    module = types.ModuleType("offline_test_command")
    module.configure = lambda parser: parser.add_argument("--times", type=int, default=1)
    module.run = lambda arguments: arguments.times
    monkeypatch.setitem(sys.modules, "offline_test_command", module)
    monkeypatch.setattr(command_line, "COMMANDS", {**COMMANDS, "try": ("offline_test_command", "a try")})
    return module


def test_without_a_command_the_table_is_shown(capsys):
    assert main([]) == 2
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told and what in told for name, (_, what) in COMMANDS.items())


def test_a_wrong_command_names_the_nearest(capsys):
    assert main(["datset"]) == 2
    assert "'dataset'" in capsys.readouterr().err


def test_a_command_gets_its_arguments_and_gives_the_exit_code(command):
    assert main(["try", "--times", "3"]) == 3


def test_a_command_that_fails_on_purpose_says_why(command, capsys):
    def fail(_arguments):
        raise UnavailableError("no such corpus")

    command.run = fail
    assert main(["try"]) == 2
    assert capsys.readouterr().err == "offline try: no such corpus\n"


def test_an_interruption_says_how_to_go_on(command, capsys):
    def fail(_arguments):
        raise KeyboardInterrupt

    command.run = fail
    assert main(["try"]) == 130
    assert "goes on from here" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch, capsys):
    monkeypatch.setattr(command_line, "COMMANDS", {"try": ("torch_that_is_not_there", "a try")})
    assert main(["try"]) == 2
    assert 'pip install -e ".[offline]"' in capsys.readouterr().err


def test_a_hole_in_our_own_code_is_no_missing_package(monkeypatch):
    monkeypatch.setattr(command_line, "COMMANDS", {"try": ("offline.not_written", "a try")})
    with pytest.raises(ModuleNotFoundError):
        main(["try"])
