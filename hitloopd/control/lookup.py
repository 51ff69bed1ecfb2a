"""From a path, or an OSC pattern, to the rows of the table that answer to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from hitloopd.control.addresses import ALIASES, ROOT, ROWS
from hitloopd.control.match import MAX_PATTERN, PatternError, compile_part, is_pattern, part_matches
from hitloopd.control.spec import Access, Endpoint, Row
from hitloopd.core.errors import nearest
from hitloopd.core.pattern import LANES
from hitloopd.core.time import CELLS_PER_BAR


def _expand(row: Row) -> Iterator[Endpoint]:
    template = ROOT + row.template
    for lane in LANES if "<lane>" in template else (None,):
        path = template.replace("<lane>", lane) if lane else template
        for cell in range(CELLS_PER_BAR) if "<cell>" in path else (0,):
            full = path.replace("<cell>", str(cell))
            yield Endpoint(full, full, row, lane, cell)


def _endpoints() -> dict[str, Endpoint]:
    found = {endpoint.path: endpoint for row in ROWS for endpoint in _expand(row)}
    return found | {alias: replace(found[full], path=alias) for alias, full in ALIASES.items()}


ENDPOINTS: Final[Mapping[str, Endpoint]] = _endpoints()
"""Every concrete path, aliases included."""

STATE: Final = tuple(e for e in ENDPOINTS.values() if e.row.watched and e.path == e.address)
"""What a subscriber to ``state`` is told."""


@dataclass(frozen=True, slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict[str, "_Node"])


def _tree() -> _Node:
    root = _Node()
    for path in ENDPOINTS:
        node = root
        for part in path[1:].split("/"):
            node = node.children.setdefault(part, _Node())
    return root


_TREE: Final = _tree()


def resolve(path: str) -> tuple[Endpoint, ...]:
    """The endpoints that ``path`` names: one, several where it is a pattern, or none (``unknown`` says what to tell).

    Raises:
        PatternError: the pattern is not OSC 1.0, or has ``//``.
    """
    endpoint = ENDPOINTS.get(path)
    if endpoint is not None:
        return (endpoint,)
    if len(path) > MAX_PATTERN:
        raise PatternError(f"An address has at most {MAX_PATTERN} characters, this one has {len(path)}.")
    if "//" in path:
        raise PatternError(f"'{path}': '//' is not supported; name every part, '*' stands for any one.")
    return _matching(path) if is_pattern(path) else ()


@lru_cache(maxsize=512)
def _matching(pattern: str) -> tuple[Endpoint, ...]:
    """All endpoints under a pattern but those that only go out. Kept, as the table never changes."""
    steps = [compile_part(part) for part in pattern[1:].split("/")]
    return tuple(
        endpoint
        for path, endpoint in ENDPOINTS.items()
        if endpoint.row.access is not Access.NONE
        and len(parts := path[1:].split("/")) == len(steps)
        and all(part_matches(step, part) for step, part in zip(steps, parts, strict=True))
    )


def unknown(path: str) -> str:
    """What to say of a path that nothing answers to: the nearest one, and what there is at the place of the mistake."""
    parts, node, good = path.strip("/").split("/"), _TREE, ""
    while parts and parts[0] in node.children:
        good, node = f"{good}/{parts[0]}", node.children[parts.pop(0)]
    text = f"There is no address '{path[:120]}'."
    if not parts:
        return f"{text} Below it there are: {_names(node)}."
    near = [f"{good}/{'/'.join((name, *parts[1:]))}" for name in _close(parts[0][:40], node)]
    known = [p for p in near if p in ENDPOINTS] or near
    hint = f" Did you mean {' or '.join(known[:3])}?" if known else ""
    return f"{text}{hint} Below {good or '/'} there are: {_names(node)}."


def _names(node: _Node) -> str:
    return ", ".join(node.children) if node.children else "no more parts"


def _close(name: str, node: _Node) -> list[str]:
    # `nearest` quotes what it found between apostrophes, and no part of the table has one.
    return nearest(name, node.children).split("'")[1::2]
