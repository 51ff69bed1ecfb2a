"""OSC 1.0 address patterns: ``? * [a-z] [!x] {a,b}`` inside one part of a path, never across ``/``.

A pattern is run as a set of positions over a short name, so no pattern, however spiteful, takes more than
its length times the name's; a regular expression would back-track.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from hitloopd.core.errors import HitloopError

SPECIAL: Final = frozenset("?*[]{}")
MAX_PATTERN: Final = 255

Step = Callable[[str, set[int]], set[int]]


class PatternError(HitloopError):
    """An address pattern that can't be read."""

    code = "pattern"


def is_pattern(path: str) -> bool:
    """Whether any of OSC's special characters is in it."""
    return not SPECIAL.isdisjoint(path)


@lru_cache(maxsize=256)
def compile_part(part: str) -> tuple[Step, ...]:
    """The steps of one part, made once and kept.

    Raises:
        PatternError: a bracket or brace is not closed, or one closes that was not opened.
    """
    steps: list[Step] = []
    index = 0
    while index < len(part):
        char = part[index]
        if char in "[{":
            close = part.find("]" if char == "[" else "}", index + 1)
            if close < 0:
                raise PatternError(f"'{part}': '{char}' is not closed.")
            body = part[index + 1 : close]
            steps.append(_one_of(body) if char == "[" else _alternatives(body))
            index = close + 1
            continue
        if char in "]}":
            raise PatternError(f"'{part}': '{char}' closes nothing.")
        steps.append(_STAR if char == "*" else _ANY if char == "?" else _literal(char))
        index += 1
    return tuple(steps)


def part_matches(steps: tuple[Step, ...], name: str) -> bool:
    """Whether a compiled part covers the whole of ``name``."""
    places = {0}
    for step in steps:
        places = step(name, places)
        if not places:
            return False
    return len(name) in places


def _star(name: str, places: set[int]) -> set[int]:
    return set(range(min(places), len(name) + 1))


def _any(name: str, places: set[int]) -> set[int]:
    return {place + 1 for place in places if place < len(name)}


_STAR: Final[Step] = _star
_ANY: Final[Step] = _any


def _literal(char: str) -> Step:
    return lambda name, places: {place + 1 for place in places if name[place : place + 1] == char}


def _alternatives(body: str) -> Step:
    words = body.split(",")
    return lambda name, places: {
        place + len(word) for place in places for word in words if name.startswith(word, place)
    }


def _one_of(body: str) -> Step:
    wanted = not body.startswith("!")
    chars = _class(body if wanted else body[1:])
    return lambda name, places: {
        place + 1 for place in places if place < len(name) and (name[place] in chars) is wanted
    }


def _class(body: str) -> frozenset[str]:
    """The characters of ``a-z05``; a minus at an end stands for itself, and a range is read either way round."""
    chars: set[str] = set()
    index = 0
    while index < len(body):
        if index + 2 < len(body) and body[index + 1] == "-":
            low, high = sorted((ord(body[index]), ord(body[index + 2])))
            chars.update(map(chr, range(low, min(high, low + 128) + 1)))
            index += 3
        else:
            chars.add(body[index])
            index += 1
    return frozenset(chars)
