"""Same request, same notes, on every machine and in every version: the notes' ids, stored.

After a change of a table that is meant: ``python -m tests.golden.test_generate_patterns`` writes them anew, and the
commit says why the bars changed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hitloopd.core.pattern import NO_PROVENANCE
from hitloopd.core.request import Request
from hitloopd.generate.registry import load
from hitloopd.generate.rules import Rules

STORE = Path(__file__).with_name("generate_patterns.json")
SEEDS = (0, 1, 2_147_483_647)
TEMPERATURES = (0.0, 1.0, 1.7)


def requests() -> dict[str, Request]:
    asked = [
        Request("rules", seed, style, temperature=temperature)
        for style in Rules.styles
        for seed, temperature in zip(SEEDS, TEMPERATURES, strict=True)
    ]
    asked += [Request("rules", 5, "house", scale="minor-pentatonic"), Request("random", 0), Request("random", 77)]
    return {f"{r.generator} {r.style} {r.scale} {r.seed} {r.temperature}": r for r in asked}


def id_of(request: Request) -> str:
    """Of the notes alone, so that another style's table does not matter."""
    return replace(load(request.generator).generate(request), provenance=NO_PROVENANCE).id


@pytest.mark.parametrize("name", requests())
def test_the_bar_is_the_one_of_old(name):
    assert id_of(requests()[name]) == json.loads(STORE.read_text())[name]


def test_nothing_stored_is_forgotten():
    assert set(json.loads(STORE.read_text())) == set(requests())


if __name__ == "__main__":
    STORE.write_text(json.dumps({name: id_of(request) for name, request in requests().items()}, indent=1) + "\n")
