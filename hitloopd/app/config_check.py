"""From YAML nodes to checked values: every problem with its place, nothing raised.

Conventions: what a plain word means is decided by the key, not by YAML: ``kit: 808`` is the name "808", ``style: no``
the text "no", ``bpm: 1e2`` is 100. Quotes make a text of a number, and that is told where a number is due.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from hitloopd.app.config_table import Key, Kind, Value
from hitloopd.core.errors import nearest
from hitloopd.core.pattern import Lane

_NUMBER: Final = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_BOOLS: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
PACK_FILE: Final = "pack.yaml"  # as io.packs calls it
_LANES: Final = tuple(lane.value for lane in Lane)
_DEPTH: Final = 4  # bindings are mappings of scalars and lists; deeper is a mistake or an attack


@dataclass(frozen=True, slots=True)
class Names:
    """The names that exist, looked up when a config has one that is not the default: looking takes some 50 ms.

    Args:
        of: kits, styles, models or scales -> the names; an empty tuple is not checked against.
        more: the same for what takes even longer, if it is not among those.
    """

    of: Callable[[str], tuple[str, ...]] = lambda _: ()
    more: Callable[[str], tuple[str, ...]] = lambda _: ()


class _BadValueError(Exception):
    """Only inside this module: the text of one problem with one value."""


@dataclass(slots=True)
class Checker:
    """Collects the problems of one source (a file or one ``--set``).

    Args:
        problems: where they go, one line each.
        source: what stands before the line number.
        base: folder that relative paths start from.
        names: what kits, styles … there are.
        lines: the source has line numbers worth telling.
    """

    problems: list[str]
    source: str
    base: Path
    names: Names
    lines: bool = True

    def report(self, node: yaml.Node | None, key: str, text: str) -> None:
        """Note a problem at ``node``."""
        line = f":{node.start_mark.line + 1}" if self.lines and node is not None else ""
        if self.lines:
            self.problems.append(f"{self.source}{line}: {key}: {text}")
        else:
            self.problems.append(f"{self.source}: {text}")

    def value(self, key: Key, node: yaml.Node, path: str = "") -> Value | None:
        """The checked value, or ``None`` with the problem noted. ``path`` is how to call it, if not ``key.name``."""
        path = path or key.name
        try:
            return self._value(key, node, path)
        except _BadValueError as problem:
            self.report(node, path, str(problem))
            return None

    def _value(self, key: Key, node: yaml.Node, path: str) -> Value:
        match key.kind:
            case Kind.ROWS:
                rows = (self._row(key.fields, item, f"{path}[{n}]") for n, item in enumerate(_items(key, node)))
                return tuple(row for row in rows if row is not None)
            case Kind.LANE_ROWS:
                return self._lanes(key, node, path)
            case Kind.LANE_NUMBERS if isinstance(node, yaml.MappingNode):
                return self._lanes(key, node, path)
            case Kind.TEXTS:
                return tuple(_plain(item, "text") for item in _items(key, node))
            case Kind.BINDINGS:
                return self._bindings(key, node)
            case _:
                return self._scalar(key, node)

    def _scalar(self, key: Key, node: yaml.Node) -> Value:
        text = _plain(node, key.expected, default=key.default)
        match key.kind:
            case Kind.BOOL:
                return _bool(node, text)
            case Kind.INT | Kind.NUMBER | Kind.LANE_NUMBERS:
                return _number(key, node, text)
            case Kind.PATH:
                return str(self.base / Path(text).expanduser()) if text else ""
            case _:
                return self._name(key, text)

    def _name(self, key: Key, text: str) -> str:
        if text in key.refused:
            raise _BadValueError(f"{key.refused[text]}; expected {key.expected}.")
        if key.choices and text not in key.choices:
            raise _BadValueError(f"there is no '{text}'; expected {key.expected}.{nearest(text, key.choices)}")
        if key.names and _is_path(text):
            return str(self.base / Path(text).expanduser())
        known = self.names.of(key.names) if text != key.default else ()
        if key.names == "kits" and text not in known and (self.base / text / PACK_FILE).is_file():
            return str(self.base / text)
        if known and text not in known:
            known = (*known, *self.names.more(key.names))
        if known and text not in known:
            there = [name for name in known if name]
            raise _BadValueError(f"there is no '{text}'; expected one of {', '.join(there)}.{nearest(text, there)}")
        return text

    def _row(self, fields: Sequence[Key], node: yaml.Node, path: str) -> Mapping[str, Value] | None:
        if not isinstance(node, yaml.MappingNode):
            self.report(node, path, f"is {_what(node)}; expected a mapping, e.g. {{name: out, virtual: true}}.")
            return None
        known = {item.name: item for item in fields}
        row: dict[str, Value] = {}
        for name, item in self.pairs(node, path):
            if name not in known:
                self.report(item, f"{path}.{name}", f"unknown; expected {', '.join(known)}.{nearest(name, known)}")
            elif (value := self.value(known[name], item, f"{path}.{name}")) is not None:
                row[name] = value
        present = {name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)}
        for item in fields:
            if item.needed and item.name not in present:
                self.report(node, f"{path}.{item.name}", f"is missing; expected {item.expected}.")
        return row

    def _lanes(self, key: Key, node: yaml.Node, path: str) -> Mapping[str, Value]:
        if not isinstance(node, yaml.MappingNode):
            raise _BadValueError(f"is {_what(node)}; expected {key.expected}.")
        out: dict[str, Value] = {}
        for lane, item in self.pairs(node, path):
            here = f"{path}.{lane}"
            if lane not in _LANES:
                self.report(item, here, f"there is no such lane; expected {', '.join(_LANES)}.{nearest(lane, _LANES)}")
                continue
            value = self._row(key.fields, item, here) if key.fields else self._lane_number(key, item, here)
            if value is not None:
                out[lane] = value
        return out

    def _lane_number(self, key: Key, node: yaml.Node, path: str) -> Value | None:
        try:
            return self._scalar(key, node)
        except _BadValueError as problem:
            self.report(node, path, str(problem))
            return None

    def _bindings(self, key: Key, node: yaml.Node) -> Value:
        if isinstance(node, yaml.ScalarNode):
            text = _plain(node, key.expected, default=key.default)
            return str(self.base / Path(text).expanduser()) if _is_path(text) else text
        return tuple(_free(item, _DEPTH) for item in _items(key, node))

    def pairs(self, node: yaml.MappingNode, path: str) -> Iterable[tuple[str, yaml.Node]]:
        """Name and node of each entry; doubles are reported with the line of the first."""
        first: dict[str, yaml.Node] = {}
        for name_node, item in node.value:
            if not isinstance(name_node, yaml.ScalarNode):
                self.report(name_node, path or "?", f"{_what(name_node)} stands where a key is due.")
                continue
            name = str(name_node.value)
            if name in first:
                here = f"{path}.{name}" if path else name
                self.report(name_node, here, f"is there twice, first in line {first[name].start_mark.line + 1}.")
                continue
            first[name] = name_node
            yield name, item


def _what(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f"'{node.value}'" if node.value else "empty"
    return "a mapping" if isinstance(node, yaml.MappingNode) else "a list"


def is_null(node: yaml.Node) -> bool:
    """Nothing stands behind the colon (or ``null``, ``~``)."""
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _is_quoted(node: yaml.Node) -> bool:
    """Quotes or a block make a text; the C loader gives plain scalars the style '', the Python one None."""
    return isinstance(node, yaml.ScalarNode) and bool(node.style)


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.endswith((".yaml", ".yml"))


def _plain(node: yaml.Node, expected: str, default: Value | None = None) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _BadValueError(f"is {_what(node)}; expected {expected}.")
    if is_null(node):
        hint = f"; leave the line out for '{default}'" if default not in (None, "") else ""
        raise _BadValueError(f"has no value; expected {expected}{hint}.")
    return str(node.value)


def _bool(node: yaml.Node, text: str) -> bool:
    value = _BOOLS.get(text.lower())
    if value is None or _is_quoted(node):
        raise _BadValueError(f"is '{text}'{_quoted(node)}; expected true or false.")
    return value


def _number(key: Key, node: yaml.Node, text: str) -> int | float:
    clean = text.replace("_", "")
    if _is_quoted(node) or not _NUMBER.fullmatch(clean):
        raise _BadValueError(f"is '{text}'{_quoted(node)}; expected {key.expected}{_comma(text)}.")
    number = float(clean)
    low, high = key.low, key.high
    if (low is not None and number < low) or (high is not None and number > high):
        raise _BadValueError(f"is {text}; expected {key.expected}.")
    if key.kind is not Kind.INT:
        return number
    if number != int(number):
        raise _BadValueError(f"is {text}; expected {key.expected}.")
    return int(number)


def _quoted(node: yaml.Node) -> str:
    return " in quotes, so a text" if _is_quoted(node) else ""


def _comma(text: str) -> str:
    return ", with a point instead of the comma" if re.fullmatch(r"\d+,\d+", text) else ""


def _items(key: Key, node: yaml.Node) -> Sequence[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _BadValueError(f"is {_what(node)}; expected {key.expected}, each on its line after a dash.")
    return list(node.value)


def _free(node: yaml.Node, depth: int) -> Value:
    if depth == 0:
        raise _BadValueError("is nested too deeply; expected mappings of plain values.")
    if isinstance(node, yaml.MappingNode):
        return {_plain(name, "a name"): _free(item, depth - 1) for name, item in node.value}
    if isinstance(node, yaml.SequenceNode):
        return tuple(_free(item, depth - 1) for item in node.value)
    return _guess(node)


def _guess(node: yaml.Node) -> Value:
    """A scalar whose kind no table tells: numbers and booleans where they are plain, text otherwise."""
    text = _plain(node, "a value")
    if _is_quoted(node):
        return text
    if text.lower() in _BOOLS:
        return _BOOLS[text.lower()]
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)
