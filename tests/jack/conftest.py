"""A JACK server for the tests of this folder; see ``tests.jack.server``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jack.server import JackServer, running_server


@pytest.fixture(scope="session")
def jack_server() -> Iterator[JackServer]:
    """One server for the whole session. Don't kill it."""
    with running_server() as server:
        yield server


@pytest.fixture
def own_jack_server() -> Iterator[JackServer]:
    """A server of the test's own, to kill."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def roomy_server() -> Iterator[JackServer]:
    """One server for the whole session with 256 frames a period: whole daemons on a busy machine, as people play."""
    with running_server(period=256) as server:
        yield server
