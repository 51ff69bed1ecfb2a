"""Reading configuration: YAML file and ``--set``, all problems at once, each with its place.

A problem reads ``file:line: key: what is wrong; expected …; nearest …``. Sections may be nested or dotted, so
``transport: {bpm: 120}`` and ``transport.bpm: 120`` say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

import yaml

from hitloopd.app.config_check import Checker, Names, is_null
from hitloopd.app.config_table import BY_NAME, KEYS, SECTIONS, Value
from hitloopd.app.settings import Settings, defaults, input_from, output_from, settings_from
from hitloopd.core.errors import ConfigError, HitloopError, nearest
from hitloopd.core.routes import PRESETS

MAX_BYTES: Final = 1_000_000
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")
MAX_DEPTH: Final = 16
# The stubs leave these two untyped.
_PARSE: Final = cast("Callable[[str, object], Iterable[object]]", yaml.parse)  # pyright: ignore[reportUnknownMemberType]
_COMPOSE: Final = cast("Callable[[str, object], yaml.Node | None]", yaml.compose)  # pyright: ignore[reportUnknownMemberType]
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # not every build of PyYAML has libyaml

Effect = Literal["live", "restart"]
Change = tuple[str, Value, Value, Effect]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A checked value and where it came from."""

    value: Value
    checker: Checker
    node: yaml.Node


def load(path: Path | str | None = None, overrides: Sequence[str] = (), names: Names | None = None) -> Settings:
    """Read a config file over the defaults, and ``key=value`` overrides over that.

    Args:
        path: a YAML file; ``None`` for the defaults alone.
        overrides: as given to ``--set``, later ones win; the value is YAML, e.g. ``osc.allow=[10.0.0.2]``.
        names: kits, styles, models and scales that exist; empty lists are not checked against.

    Raises:
        ConfigError: anything is wrong; ``problems`` has all of it.
    """
    known = names or Names()
    problems: list[str] = []
    entries: dict[str, _Entry] = {}
    if path is not None:
        _read_file(Path(path), known, entries, problems)
    for override in overrides:
        _read_override(override, known, entries, problems)
    _cross_check(entries)
    if problems:
        raise ConfigError(problems)
    values = defaults() | {name: entry.value for name, entry in entries.items()}
    return settings_from(values)


def flatten(settings: Settings) -> dict[str, Value]:
    """Every key with the value in force, in the table's order."""
    return {key.name: settings.values[key.name] for key in KEYS}


def as_dict(settings: Settings) -> dict[str, object]:
    """The same, nested by section, with lists: ready for JSON."""
    out: dict[str, object] = {}
    sections: dict[str, dict[str, object]] = {}
    for name, value in flatten(settings).items():
        section, _, tail = name.rpartition(".")
        if section:
            out[section] = sections.setdefault(section, {})
            sections[section][tail] = _plain(value)
        else:
            out[tail] = _plain(value)
    return out


def changes(old: Settings, new: Settings) -> tuple[Change, ...]:
    """What differs, and whether it can be taken over while playing or needs a restart."""
    out: list[Change] = []
    for key in KEYS:
        before, after = old.values[key.name], new.values[key.name]
        if before != after:
            live = key.live and not (key.name == "midi.outputs" and _ports(old) != _ports(new))
            out.append((key.name, before, after, "live" if live else "restart"))
    return tuple(out)


def _read_file(path: Path, names: Names, entries: dict[str, _Entry], problems: list[str]) -> None:
    checker = Checker(problems, str(path), path.absolute().parent, names)
    text = _text(path, problems)
    node = _compose(text, checker) if text is not None else None
    if node is not None:
        _walk(node, checker, entries)


def _text(path: Path, problems: list[str]) -> str | None:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        problems.append(f"{path}: can't be read: {error.strerror}; expected a YAML file.")
        return None
    if len(raw) > MAX_BYTES:
        problems.append(f"{path}: is larger than {MAX_BYTES} bytes; expected a config file.")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problems.append(f"{path}:{line}: is not UTF-8 text; expected a YAML file saved as UTF-8.")
        return None


def _compose(text: str, checker: Checker) -> yaml.Node | None:
    try:
        _check_depth(text)
        return _COMPOSE(text, _LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}" if checker.lines and mark is not None else ""
        checker.problems.append(f"{checker.source}{place}: not YAML: {error.problem or error.context}.")
    except yaml.YAMLError as error:
        reason = str(error).partition("\n")[0]
        checker.problems.append(f"{checker.source}: not YAML: {reason}.")
    return None


def _check_depth(text: str) -> None:
    """Refuse deep nesting: libyaml's composer recurses in C, and 100 000 brackets would end the whole process."""
    depth = 0
    for event in _PARSE(text, _LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} deep")


def _walk(root: yaml.Node, checker: Checker, entries: dict[str, _Entry]) -> None:
    """Fill ``entries`` from a whole file, nested or dotted."""
    if is_null(root):
        return
    if not isinstance(root, yaml.MappingNode):
        checker.report(root, "file", f"is not a mapping; expected sections: {', '.join(SECTIONS)}.")
        return
    for name, node in checker.pairs(root, ""):
        if name not in SECTIONS:
            _take(name, node, checker, entries)
        elif isinstance(node, yaml.MappingNode):
            for tail, item in checker.pairs(node, name):
                _take(f"{name}.{tail}", item, checker, entries)
        elif not is_null(node):
            keys = ", ".join(key.name.partition(".")[2] for key in KEYS if key.name.startswith(f"{name}."))
            checker.report(node, name, f"is a section, not a value; expected {keys} under it.")


def _take(name: str, node: yaml.Node, checker: Checker, entries: dict[str, _Entry]) -> None:
    key = BY_NAME.get(name)
    if key is None:
        checker.report(node, name, f"unknown key; {_nearest_key(name)}")
        return
    first = entries.get(name)
    if first is not None and first.checker is checker:
        checker.report(node, name, f"is there twice, first in line {first.node.start_mark.line + 1}.")
        return
    value = checker.value(key, node)
    if value is not None:
        entries[name] = _Entry(value, checker, node)


def _read_override(text: str, names: Names, entries: dict[str, _Entry], problems: list[str]) -> None:
    name, equals, value = text.partition("=")
    name = name.strip()
    checker = Checker(problems, f"--set {name}", Path.cwd(), names, lines=False)
    if not equals:
        problems.append(f"--set {text}: has no '='; expected key=value, e.g. transport.bpm=120.")
    elif (node := _compose(value.strip() or '""', checker)) is not None:
        _take(name, node, checker, entries)


def _nearest_key(name: str) -> str:
    """Same last word in another section first, then what looks alike."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    tail = name.rpartition(".")[2]
    same = [key for key in BY_NAME if key.rpartition(".")[2] == tail]
    if not same:
        same = difflib.get_close_matches(name, list(BY_NAME), n=3, cutoff=0.7)
    if not same:
        tails = {key.rpartition(".")[2]: key for key in BY_NAME}
        same = [tails[close] for close in difflib.get_close_matches(tail, list(tails), n=3, cutoff=0.7)]
    if same:
        return "nearest: " + ", ".join(same) + "."
    return f"expected one of the sections {', '.join(SECTIONS)}.{nearest(name, SECTIONS)}"


def _cross_check(entries: Mapping[str, _Entry]) -> None:
    """What single values can't tell: rows that contradict themselves or each other, a network without a guest list."""
    map_entry = entries.get("midi.map")
    map_name = map_entry.value if map_entry is not None and isinstance(map_entry.value, str) else next(iter(PRESETS))
    for name in ("midi.outputs", "midi.inputs"):
        entry = entries.get(name)
        if entry is not None and isinstance(entry.value, tuple):
            _check_rows(name, entry, entry.value, map_name)
    _check_allow(entries)


def _check_rows(name: str, entry: _Entry, rows: Iterable[Value], map_name: str) -> None:
    if any(f" {name}[" in problem for problem in entry.checker.problems):
        return  # a row that is wrong in itself makes what follows from it a guess
    taken: set[str] = set()
    nodes: list[yaml.Node] = list(entry.node.value) if isinstance(entry.node, yaml.SequenceNode) else []
    for number, (row, node) in enumerate(zip(rows, nodes, strict=True)):
        assert isinstance(row, Mapping)
        try:
            _ = output_from(row, map_name) if name == "midi.outputs" else input_from(row)
        except HitloopError as error:
            entry.checker.report(node, f"{name}[{number}]", str(error))
        own = str(row["name"])
        if own in taken:
            entry.checker.report(node, f"{name}[{number}].name", f"'{own}' is there twice; expected a name of its own.")
        taken.add(own)


def _check_allow(entries: Mapping[str, _Entry]) -> None:
    allow = entries.get("osc.allow")
    if allow is not None and isinstance(allow.value, tuple):
        for item in allow.value:
            if not _is_network(str(item)):
                text = f"'{item}' is not an address; expected e.g. 192.168.1.20 or 10.0.0.0/24."
                allow.checker.report(allow.node, "osc.allow", text)
    host = entries.get("osc.host")
    if host is not None and host.value not in _LOCAL and (allow is None or not allow.value):
        text = f"{host.value} opens OSC to the network; expected osc.allow to list who may ask."
        host.checker.report(host.node, "osc.host", text)


def _is_network(text: str) -> bool:
    import ipaddress  # noqa: PLC0415 - 5 ms that only those who open the network pay

    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _ports(settings: Settings) -> tuple[tuple[str, str, bool], ...]:
    return tuple((out.spec.name, out.port, out.virtual) for out in settings.midi.outputs)


def _plain(value: Value) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
