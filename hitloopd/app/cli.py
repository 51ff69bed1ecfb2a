"""The command line. Every command starts in well under half a second: what is heavy is imported where it is used."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from hitloopd import __version__
from hitloopd.app import commands
from hitloopd.app.commands import EXIT_TROUBLE
from hitloopd.core.errors import ConfigError, HitloopError

EXIT_USAGE: Final = 2

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 for success, 1 for trouble, 2 for what was asked wrongly."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    args = _parser().parse_args(_with_command(words))
    command: Command = args.command
    try:
        return command(args)
    except ConfigError as error:
        return _fail(args, error, EXIT_USAGE)
    except HitloopError as error:
        return _fail(args, error, EXIT_TROUBLE)
    except BrokenPipeError:
        return EXIT_TROUBLE  # whoever read our output left
    except KeyboardInterrupt:
        return 130


def _fail(args: argparse.Namespace, error: HitloopError, code: int) -> int:
    problems = error.problems if isinstance(error, ConfigError) else (str(error),)
    if getattr(args, "json", False):
        print(json.dumps({"ok": False, "code": error.code, "problems": problems}))
    for problem in problems:
        print(f"hitloopd: {problem}", file=sys.stderr)
    return code


_FLAGS: Final = {"--list-ports": ["ports"], "--check": ["check"], "--doctor": ["doctor"]}


def _with_command(words: list[str]) -> list[str]:
    """``hitloopd`` alone, or with options only, is ``hitloopd run``; the usual flags of daemons work too."""
    if words and words[0] in _FLAGS:
        return [*_FLAGS[words[0]], *words[1:]]
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        return ["run", *words]
    return words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hitloopd",
        description="A live pattern daemon: generates bars, plays them locked to MIDI clock, obeys OSC and MIDI.",
        epilog="Without a command it runs the daemon. 'hitloopd COMMAND --help' tells more.",
    )
    parser.add_argument("--version", action="version", version=f"hitloopd {__version__}")
    sub = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")
    for add in (_run, _demo, _ports, _doctor, _check, _generate, _credits, _extract, _send, _status):
        add(sub)
    return parser


_Sub = argparse._SubParsersAction  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - argparse has no public name


def _add(sub: _Sub[argparse.ArgumentParser], name: str, command: Command, doc: str) -> argparse.ArgumentParser:
    parser = sub.add_parser(name, help=doc, description=doc)
    parser.set_defaults(command=command)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="config file, or the name of a shipped one")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a config key, any number")


def _run(sub: _Sub[argparse.ArgumentParser]) -> None:
    parser = _add(sub, "run", commands.run, "Run the daemon in the foreground.")
    _add_config(parser)
    parser.add_argument("--capture", type=Path, metavar="DIR", help="write what is sent and heard to DIR")
    parser.add_argument("--bars", type=int, default=0, metavar="N", help="stop after N bars")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"))
    parser.add_argument("--view", action="store_true", help="live view with keys; ? lists them")
    parser.add_argument("--dry-run", action="store_true", help="say what would be opened, open nothing")
    parser.add_argument("--check", action="store_true", help="check the config, start nothing")


def _demo(sub: _Sub[argparse.ArgumentParser]) -> None:
    parser = _add(
        sub, "demo", commands.demo, "Play some bars for real, into demo.mid and demo.wav and, if it can, aloud."
    )
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder of the files (here)")
    parser.add_argument("--bars", type=int, default=8, help="how many, at least 1 (8)")
    parser.add_argument("--bpm", type=float, default=124.0, help="20 to 300 (124)")
    parser.add_argument("--style", default="house", help="a style (house)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bars (1)")
    parser.add_argument("--energy", type=float, default=0.5, help="0 to 1 (0.5)")
    parser.add_argument("--kit", help="a kit (the style's)")


def _ports(sub: _Sub[argparse.ArgumentParser]) -> None:
    _add(sub, "ports", commands.ports, "List the MIDI ports there are, by backend.")


def _doctor(sub: _Sub[argparse.ArgumentParser]) -> None:
    parser = _add(sub, "doctor", commands.doctor, "Say what works here, what does not, and what mends it.")
    _add_config(parser)


def _check(sub: _Sub[argparse.ArgumentParser]) -> None:
    parser = _add(sub, "check", commands.check, "Check a config file; tells every problem with its line.")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")


def _generate(sub: _Sub[argparse.ArgumentParser]) -> None:
    parser = _add(sub, "generate", commands.generate, "Make bars without playing them.")
    _add_config(parser)
    parser.add_argument("--generator", metavar="G", help="rules, random, rowmix or a model (the configured one)")
    parser.add_argument("--style", metavar="S")
    parser.add_argument("--energy", type=float, metavar="E", help="0 to 1")
    parser.add_argument("--seed", type=int, metavar="N")
    parser.add_argument("--bars", type=int, default=1, metavar="N", help="1 to 100000 (1)")
    parser.add_argument("--bpm", type=float, help="tempo written to the .mid")
    parser.add_argument("--temperature", type=float, help="0 to 2")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="FILE.mid or FILE.npz")


def _extract(sub: _Sub[argparse.ArgumentParser]) -> None:
    parser = _add(sub, "extract", commands.extract, "Cut a kit out of what the input hears, or out of recordings.")
    parser.add_argument("recordings", nargs="*", type=Path, metavar="RECORDING", help="sound files, or folders of them")
    parser.add_argument("--listen", type=float, metavar="SECONDS", help="record the input for so long, and take that")
    parser.add_argument("--source", metavar="INPUT", help="an input's name or number, or jack:PORT (audio.input)")
    parser.add_argument("--name", help="of the kit (the recording's, or heard- and the time)")
    parser.add_argument("--references", type=Path, metavar="DIR", help="labelled one-shots (the built-in kits' sounds)")
    parser.add_argument("--per-lane", type=int, default=4, metavar="N", help="samples of a lane at most (4)")
    parser.add_argument("--author", default="", help="of what is recorded, for the credits")
    parser.add_argument("--licence", default="", help="of what is recorded, for the credits")
    parser.add_argument("--no-use", dest="use", action="store_false", help="don't have the running daemon play it")
    parser.add_argument("--lines", action="store_true", help="say every step as a line of JSON")
    _add_config(parser)


def _credits(sub: _Sub[argparse.ArgumentParser]) -> None:
    doc = "Say whose work the models and kits are made from, as their licences ask."
    parser = _add(sub, "credits", commands.credits_, doc)
    parser.add_argument("--model", metavar="M", help="one model (all)")
    _add_config(parser)


def _send(sub: _Sub[argparse.ArgumentParser]) -> None:
    parser = _add(sub, "send", commands.send, "Send an OSC request to the running daemon and print its reply.")
    parser.add_argument("address", metavar="ADDRESS")
    parser.add_argument("arguments", nargs="*", metavar="ARG")
    _add_config(parser)
    parser.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS")


def _status(sub: _Sub[argparse.ArgumentParser]) -> None:
    parser = _add(sub, "status", commands.status, "Say what the running daemon plays.")
    _add_config(parser)
    parser.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS")


if __name__ == "__main__":
    sys.exit(main())
