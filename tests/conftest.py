"""How all tests are read and in which order they run."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

TRAINS = ("training", "export", "evaluation", "models", "weave", "learn", "bar_lessons")
"""In the names of files whose tests train networks."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Read all modules without looking for garbage among them: that took a fifth of the time, and there is none."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests side by side that load the same libraries; within such a group they stay as they were shuffled.

    Two workers begin with half of the tests each, and who is done takes over the last of the other's. So the checkers
    of the sources, which take longest, come first, and only one worker loads what torch needs to train.
    """
    items.sort(key=_group)


def _group(item: pytest.Item) -> int:
    if item.get_closest_marker("style") is not None:
        return 0
    if "offline" not in item.path.parts:
        return 1
    return 3 if any(word in item.path.stem for word in TRAINS) else 2
