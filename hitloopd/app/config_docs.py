"""What is written from the table of config keys: ``configs/default.yaml`` and the README's reference."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from hitloopd.app.config_table import KEYS, Key, Value

_HEADER: Final = (
    "# Every key of hitloopd with its default. A config file needs only the keys that differ; any line here may go.",
    "# `hitloopd check FILE` says what is wrong with one. Written by `python -m hitloopd.app.config_table defaults`.",
)
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./")


def scalar(value: Value) -> str:
    """``value`` as YAML on one line.

    >>> scalar({"name": "out", "virtual": True, "allow": ()})
    '{name: out, virtual: true, allow: []}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {scalar(item)}" for name, item in value.items()) + "}"
    return repr(value)


def default_yaml() -> str:
    """The text of ``configs/default.yaml``."""
    lines = list(_HEADER)
    section = ""
    for key in KEYS:
        head, _, tail = key.name.rpartition(".")
        if head != section:
            section = head
            lines += ["", f"{head}:"] if head else [""]
        indent = "  " if head else ""
        lines += [f"{indent}{line}" for line in _entry(key, tail)]
    return "\n".join(lines) + "\n"


def config_reference() -> str:
    """Every key as Markdown tables, for the README."""
    lines = ["| key | value | default | change | |", "|---|---|---|---|---|"]
    lines += [_row(key, key.name) for key in KEYS]
    for key in KEYS:
        if key.fields:
            lines += ["", f"Each entry of `{key.name}`:", "", "| field | value | default | |", "|---|---|---|---|"]
            lines += [_field_row(item, name) for name, item in walk_fields(key.fields)]
    return "\n".join(lines) + "\n"


def walk_fields(fields: Iterable[Key], prefix: str = "") -> Iterator[tuple[str, Key]]:
    """Every field of a row, nested ones as ``lanes.<lane>.note``."""
    for item in fields:
        yield f"{prefix}{item.name}", item
        yield from walk_fields(item.fields, f"{prefix}{item.name}.<lane>.")


def _text(value: str) -> str:
    tricky = value.lower() in ("", "on", "off", "yes", "no", "true", "false", "null") or value[0].isdigit()
    if tricky or not set(value) <= _PLAIN:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value


def _entry(key: Key, tail: str) -> Iterator[str]:
    yield from (f"# {line}" for line in key.doc)
    yield f"# {key.expected}; {_change(key)}"
    for name, item in walk_fields(key.fields):
        yield from textwrap.wrap(
            f"{name}: {' '.join(item.doc)} ({item.expected}{_default_words(item)})",
            110,
            initial_indent="#   ",
            subsequent_indent="#       ",
        )
    default = () if key.default is None else key.default
    if key.fields and isinstance(default, tuple) and default:
        yield f"{tail}:"
        yield from (f"  - {scalar(row)}" for row in default)
    else:
        yield f"{tail}: {scalar(default)}"


def _default_words(item: Key) -> str:
    if item.default is None:
        return ", needed" if item.needed else ""
    return f", default {scalar(item.default)}"


def _change(key: Key) -> str:
    return "a change is taken over live" if key.live else "a change needs a restart"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def _row(key: Key, name: str) -> str:
    default = "" if key.default is None else f"`{scalar(key.default)}`"
    live = "live" if key.live else "restart"
    return f"| `{name}` | {_cell(key.expected)} | {default} | {live} | {_cell(' '.join(key.doc))} |"


def _field_row(key: Key, name: str) -> str:
    default = "needed" if key.needed else "" if key.default is None else f"`{scalar(key.default)}`"
    return f"| `{name}` | {_cell(key.expected)} | {default} | {_cell(' '.join(key.doc))} |"
