"""What the commands do. Imports that cost time are inside the functions."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from hitloopd.core.errors import ConfigError, DeviceError, RangeError, UnavailableError, UnknownNameError

if TYPE_CHECKING:
    from hitloopd.app.options import RunOptions
    from hitloopd.app.settings import Settings

EXIT_TROUBLE: Final = 1
MAX_BARS: Final = 100_000
NO_WORDS: Final[Mapping[str, str]] = {}
DEMO_OPTIONS: Final[Mapping[str, str]] = {
    "transport.bpm": "--bpm",
    "gen.style": "--style",
    "gen.seed": "--seed",
    "gen.energy": "--energy",
    "kit": "--kit",
}
GENERATE_OPTIONS: Final[Mapping[str, str]] = {
    **DEMO_OPTIONS,
    "gen.model": "--generator",
    "gen.temperature": "--temperature",
}
STYLE_KITS: Final[Mapping[str, str]] = {
    "drum-and-bass": "dnb",
    "jungle": "dnb",
    "breakbeat": "dnb",
    "hip-hop": "hiphop",
    "trap": "trap",
    "dubstep": "trap",
    "techno": "techno",
    "minimal": "techno",
    "electro": "techno",
    "trance": "techno",
}


def run(args: Namespace) -> int:
    """``hitloopd run``."""
    from hitloopd.app.options import RunOptions  # noqa: PLC0415

    config = _config_file(args.config)
    overrides = list(args.set)
    if args.capture is not None:
        overrides.append(f"capture.dir={json.dumps(str(args.capture.absolute()))}")
    if args.log_level is not None:
        overrides.append(f"log.level={args.log_level}")
    _check_bars(args.bars, 0)
    settings = _settings(config, overrides)
    if args.check:
        return _checked(args, config, settings)
    if args.dry_run:
        return _dry_run(args, settings)
    _check_kit(settings)
    _holder_check(settings)
    terminal = sys.stdout.isatty()
    options = RunOptions(config, tuple(overrides), args.bars, show=args.view or (terminal and not args.json))
    code, summary = _daemon(settings, options, view=args.view, grids=False, quiet=args.json)
    if settings.paths.capture is not None and "bars" in summary:
        summary |= {"files": _files(settings.paths.capture, options.capture_name)}
    if args.json or args.bars:
        _print_summary(summary, as_json=args.json)
    return code or (EXIT_TROUBLE if summary.get("problems") else 0)


def demo(args: Namespace) -> int:
    """``hitloopd demo``."""
    import tempfile  # noqa: PLC0415

    from hitloopd.app.options import RunOptions  # noqa: PLC0415

    _check_bars(args.bars, 1)
    out: Path = args.out.absolute()
    kit = _kit_path(args.kit) or STYLE_KITS.get(args.style, "house")
    with tempfile.TemporaryDirectory(prefix="hitloopd-demo-") as state:
        overrides = [
            f"transport.bpm={args.bpm}",
            f"gen.style={json.dumps(args.style)}",
            f"gen.seed={args.seed}",
            f"gen.energy={args.energy}",
            f"kit={json.dumps(kit)}",
            "transport.autostart=true",
            "osc.port=0",
            f"capture.dir={json.dumps(str(out))}",
            f"paths.state={json.dumps(state)}",
        ]
        settings = _settings(None, overrides, DEMO_OPTIONS)
        _check_kit(settings)
        _make_folder(out)
        options = RunOptions(
            None, tuple(overrides), args.bars, show=True, script=_script(args.bars), capture_name="demo"
        )
        code, summary = _daemon(settings, options, view=sys.stdout.isatty(), grids=not args.json, quiet=args.json)
    if "bars" in summary:
        summary |= {"files": _files(out, "demo")}
    _print_summary(summary, as_json=args.json)
    return code or (EXIT_TROUBLE if summary.get("problems") else 0)


def _kit_path(kit: str | None) -> str | None:
    """A pack in this folder by its bare name, too: ``--kit tram`` for ``./tram/pack.yaml``."""
    from hitloopd.io.kits import kit_at  # noqa: PLC0415 - YAML

    return str(Path(kit).absolute()) if kit and kit_at(Path(kit)) is not None else kit


def _files(folder: Path, name: str) -> list[str]:
    return [str(path) for path in (folder / f"{name}.mid", folder / f"{name}.wav") if path.is_file()]


def _script(bars: int) -> tuple[tuple[int, str], ...]:
    """A calmer, an energetic and a regenerate on the way, spread over the bars; in one bar none would be heard."""
    if bars == 1:
        return ()
    steps = ("/hitloop/gen/calmer", "/hitloop/gen/energetic", "/hitloop/gen/regenerate")
    return tuple((min((index + 1) * bars // 4, max(bars - 2, 0)), step) for index, step in enumerate(steps))


def ports(args: Namespace) -> int:
    """``hitloopd ports``."""
    from hitloopd.io.midi_ports import backends  # noqa: PLC0415

    found = backends()
    if args.json:
        rows = {
            b.name: {
                "available": b.available,
                "detail": b.detail,
                "mend": b.mend,
                "inputs": list(b.ports.inputs),
                "outputs": list(b.ports.outputs),
            }
            for b in found
        }
        print(json.dumps(rows))
        return 0
    for backend in found:
        print(f"{backend.name}: {backend.detail}" + (f". Try: {backend.mend}" if backend.mend else ""))
        for word, names in (("from", backend.ports.inputs), ("to", backend.ports.outputs)):
            for name in names:
                print(f"  {word:4}  {name}")
    return 0


def doctor(args: Namespace) -> int:
    """``hitloopd doctor``."""
    from hitloopd.app.doctor import as_json, doctor, table  # noqa: PLC0415

    findings = doctor(_settings(_config_file(args.config), args.set), devices=True)
    print(as_json(findings) if args.json else table(findings))
    return 0


def check(args: Namespace) -> int:
    """``hitloopd check``."""
    path = _config_file(args.file)
    return _checked(args, path, _settings(path, args.set))


def _checked(args: Namespace, path: Path | None, settings: Settings) -> int:
    from hitloopd.app.config import as_dict  # noqa: PLC0415
    from hitloopd.app.midi_control import read_bindings  # noqa: PLC0415

    read_bindings(settings)
    _check_kit(settings)
    if args.json:
        print(json.dumps({"ok": True, "file": str(path) if path else None, "settings": as_dict(settings)}))
    else:
        print(f"{path or 'the defaults'}: no problems")
    return 0


def generate(args: Namespace) -> int:
    """``hitloopd generate``."""
    from hitloopd.app.make_bars import make_bars, write_bars  # noqa: PLC0415

    _check_bars(args.bars, 1)
    overrides = [*args.set]
    overrides += [
        f"{key}={json.dumps(value)}"
        for key, value in (
            ("gen.model", args.generator),
            ("gen.style", args.style),
            ("gen.energy", args.energy),
            ("gen.seed", args.seed),
            ("gen.temperature", args.temperature),
            ("transport.bpm", args.bpm),
        )
        if value is not None
    ]
    settings = _settings(_config_file(args.config), overrides, GENERATE_OPTIONS)
    bars = make_bars(settings, args.bars)
    write_bars(args.out, bars, settings)
    first = bars[0].provenance
    report = {
        "generator": first.generator,
        "model": first.model,
        "style": settings.gen.style,
        "seed": first.seed,
        "energy": settings.gen.energy,
        "bars": len(bars),
        "file": str(args.out.absolute()),
    }
    print(json.dumps(report) if args.json else _sentence(report))
    return 0


def extract(args: Namespace) -> int:
    """``hitloopd extract``."""
    from hitloopd.app.extract import extract as carry_out  # noqa: PLC0415

    settings = _settings(_config_file(args.config), args.set)
    args.source = settings.audio.input if args.source is None else args.source
    return carry_out(args, settings)


def credits_(args: Namespace) -> int:
    """``hitloopd credits``."""
    from hitloopd.app.credits import as_json, credited, lines  # noqa: PLC0415

    things = credited(_settings(_config_file(args.config), args.set), args.model)
    print(json.dumps(as_json(things)) if args.json else "\n".join(lines(things)))
    return 0


def send(args: Namespace) -> int:
    """``hitloopd send``."""
    from hitloopd.control.osc_client import parse_argument  # noqa: PLC0415

    settings = _settings(_config_file(args.config), args.set)
    replies = _ask(settings, args.address, [parse_argument(word) for word in args.arguments], args.timeout)
    if args.json:
        rows = [{"path": path, "args": list(values)} for path, values in replies]
        print(json.dumps({"ok": not any(path.endswith("/sys/error") for path, _ in replies), "replies": rows}))
    else:
        for path, values in replies:
            print(path, *values)
    return 1 if any(path.endswith("/sys/error") for path, _ in replies) else 0


def status(args: Namespace) -> int:
    """``hitloopd status``."""
    settings = _settings(_config_file(args.config), args.set)
    (_, values), *_ = _ask(settings, "/hitloop/sys/status", (), args.timeout)
    (_, counters), *_ = _ask(settings, "/hitloop/sys/health", (), args.timeout)
    now, health = json.loads(str(values[0])), json.loads(str(counters[0]))
    if args.json:
        print(json.dumps({**now, "health": health}))
        return 0
    print(
        f"{now['state']} at {now['bpm']:.2f} BPM ({now['source']}), bar {now['bar'] + 1}; {now['generator']} "
        f"{now['style']} seed {now['seed']}, energy {now['energy']:.2f}, kit {now['kit']}"
    )
    player = health["player"]
    print(
        f"late {player['late']}, dropped {player['dropped']}, lateness p99 {player['lateness_p99_us']:.0f} µs; "
        + ", ".join(f"{name} {'up' if row['alive'] else 'down'}" for name, row in health["processes"].items())
    )
    return 0


# ── helpers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _settings(path: Path | None, overrides: Sequence[str], words: Mapping[str, str] = NO_WORDS) -> Settings:
    """The checked settings.

    Args:
        path: a config file, if any.
        overrides: ``key=value``.
        words: key -> the option that it was given by, for the problems.

    Raises:
        ConfigError: every problem there is.
    """
    from hitloopd.app.config import load  # noqa: PLC0415
    from hitloopd.app.names import known_names  # noqa: PLC0415

    try:
        library = load(path, overrides).paths.library
    except ConfigError:
        library = None  # with the names all problems are told in one go
    try:
        return load(path, overrides, known_names(library))
    except ConfigError as error:
        raise ConfigError(_as_typed(problem, words) for problem in error.problems) from error


def _as_typed(problem: str, words: Mapping[str, str]) -> str:
    head, colon, tail = problem.partition(":")
    option = words.get(head.removeprefix("--set "), head)
    return f"{option}{colon}{tail}"


def _config_file(path: Path | None) -> Path | None:
    """A path, or the name of a shipped config."""
    if path is None or path.exists() or path.suffix:
        return path
    from hitloopd.app.resources import find  # noqa: PLC0415

    try:
        return find("config", str(path))
    except UnknownNameError as error:
        raise ConfigError([f"--config: {error}"]) from error


def _check_kit(settings: Settings) -> None:
    """A kit that can't be played is told before anything is started, with all that is wrong in it."""
    from hitloopd.app.resources import folders  # noqa: PLC0415
    from hitloopd.io.kits import load_kit  # noqa: PLC0415 - YAML

    try:
        load_kit(settings.kit, folders("kit", settings.paths.library))
    except (UnknownNameError, DeviceError) as error:
        raise ConfigError([f"kit: {error}"]) from error


def _check_bars(bars: int, low: int) -> None:
    if not low <= bars <= MAX_BARS:
        raise ConfigError([f"--bars: is {bars}; expected a whole number {low}..{MAX_BARS}."])


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"{path} can't be made: {error.strerror}. Choose another --out.") from error


def _holder_check(settings: Settings) -> None:
    """Two daemons on one port or state folder: say who holds it before anything is started."""
    from hitloopd.app.doctor import osc_port  # noqa: PLC0415
    from hitloopd.session import lockfile  # noqa: PLC0415

    finding = osc_port(settings.osc.host, settings.osc.port)
    if finding.state != "ok":
        raise DeviceError(f"{finding.detail}. Try: {finding.mend}")
    if settings.paths.state.is_dir():
        with contextlib.suppress(OSError):  # a folder that can't be written is told, and played without
            os.close(lockfile.hold(settings.paths.state))


def _daemon(
    settings: Settings, options: RunOptions, *, view: bool, grids: bool, quiet: bool
) -> tuple[int, dict[str, object]]:
    from hitloopd.app.front import Front  # noqa: PLC0415
    from hitloopd.app.supervise import LOOK_S, REST_S, Supervisor  # noqa: PLC0415
    from hitloopd.app.terminal import Screen, keys  # noqa: PLC0415

    front = Front(Screen(sys.stderr if quiet else sys.stdout), view=view, grids=grids, quiet=quiet)
    supervisor = Supervisor(settings, options, front.listen)
    with keys() as read:

        def look() -> bool:
            front.draw()
            stay = not view or front.press(read(0.0), supervisor.tell_control)
            hung_up = front.screen.live and front.screen.gone  # like any program of a terminal that was closed
            return stay and not front.done and not hung_up

        code = supervisor.run(look, LOOK_S if view or front.screen.live else REST_S)
    return code, front.summary or ({"ok": False, "problems": front.problems} if front.problems else {})


def _dry_run(args: Namespace, settings: Settings) -> int:
    from hitloopd.app.config import as_dict  # noqa: PLC0415
    from hitloopd.app.outputs import output_specs  # noqa: PLC0415

    if args.json:
        plan = {"outputs": [spec.name for spec in output_specs(settings)], "settings": as_dict(settings)}
        print(json.dumps(plan))
        return 0
    for line in _plan_lines(settings):
        print(f"would open {line}")
    return 0


def _plan_lines(settings: Settings) -> Iterator[str]:
    midi, paths = settings.midi, settings.paths
    if midi.backend != "none":
        for out in midi.outputs:
            what = " and ".join(word for word, sent in (("notes", out.spec.notes), ("clock", out.spec.clock)) if sent)
            where = f"own port {midi.client_name}:{out.spec.name}" if out.virtual else f"port '{out.port}'"
            yield f"MIDI output {out.spec.name} ({where}) for {what or 'nothing'}"
        for entry in midi.inputs:
            what = " and ".join(word for word, took in (("clock", entry.clock), ("control", entry.control)) if took)
            where = f"own port {midi.client_name}:{entry.name}" if entry.virtual else f"port '{entry.port}'"
            yield f"MIDI input {entry.name} ({where}) for {what or 'nothing'}"
    if settings.audio.backend != "none":
        yield f"the sound device {settings.audio.device or '(the usual one)'}, kit {settings.kit}"
    yield f"OSC on {settings.osc.host}:{settings.osc.port}"
    yield f"the session in {paths.state}"
    if paths.capture is not None:
        yield f"capture files in {paths.capture}"


def _ask(
    settings: Settings, address: str, arguments: Sequence[str | int | float | bool], timeout_s: float
) -> list[tuple[str, tuple[object, ...]]]:
    from hitloopd.control.osc_client import ask  # noqa: PLC0415

    host = "127.0.0.1" if settings.osc.host in ("0.0.0.0", "::") else settings.osc.host  # noqa: S104 - compared, not bound
    where = f"{host}:{settings.osc.port}"
    if not address.startswith("/"):
        raise RangeError(f"'{address}' is no OSC address: it must begin with '/', e.g. /hitloop/sys/status.")
    try:
        replies = ask(host, settings.osc.port, address, arguments, timeout_s=timeout_s)
    except OSError as error:
        raise UnavailableError(f"No hitloopd at {where} ({error.strerror or error}). Start one: hitloopd") from error
    if not replies:
        raise UnavailableError(
            f"No answer from {where} within {timeout_s:g} s. If a hitloopd runs there it is busy, and what was asked "
            "for may still come into force (hitloopd status); if none does, start one: hitloopd"
        )
    return [(reply.path, reply.args) for reply in replies]


def _print_summary(summary: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary))
    elif summary:
        print(_sentence(summary))


def _sentence(report: Mapping[str, object]) -> str:
    return "\n".join(f"{name:>13}  {_plain(value)}" for name, value in report.items() if value not in ([], ()))


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {item}" for name, item in cast("Mapping[str, object]", value).items())
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in cast("Sequence[object]", value))
    return str(value)
