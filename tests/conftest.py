"""The order of all tests: those first that take longest, so that no worker is left with one of them at the end."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the checkers of the sources; the others stay as they were shuffled."""
    items.sort(key=lambda item: item.get_closest_marker("style") is None)
