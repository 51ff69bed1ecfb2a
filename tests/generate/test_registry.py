from __future__ import annotations

import time
from importlib import metadata
from importlib.metadata import EntryPoint

import pytest

from hitloopd.core.errors import HitloopError, UnavailableError, UnknownNameError
from hitloopd.core.request import Request
from hitloopd.generate import registry


class Stranger:
    name = "stranger"
    styles = ()
    model_hash = "1"

    def generate(self, request):
        return request


class Half:
    name = "half"
    styles = ()


class Breaking:
    def __init__(self):
        raise RuntimeError("no model file")


@pytest.fixture
def doors(monkeypatch):
    """Entry points of this test's choice."""

    def install(*points: tuple[str, str], installed: bool = True):
        found = [EntryPoint(name, value, registry.GROUP) for name, value in points]
        monkeypatch.setattr(metadata, "entry_points", lambda group: found)
        if not installed:
            monkeypatch.setattr(metadata, "distribution", _missing)
        registry._doors.cache_clear()

    yield install
    registry._doors.cache_clear()


def _missing(name):
    raise metadata.PackageNotFoundError(name)


def test_built_ins_come_by_the_plug_in_door():
    assert {"random", "rules"} <= set(registry.generators())
    assert registry.load("rules").generate(Request("rules", 1)).notes


def test_the_fallback_table_is_what_the_package_registers():
    found = {door.name: door.value for door in metadata.entry_points(group=registry.GROUP) if registry._ours(door)}
    assert {name: found[name] for name in registry.BUILT_IN} == registry.BUILT_IN


def test_without_package_metadata_the_built_ins_are_there(doors):
    doors(installed=False)
    assert registry.generators() == ("random", "rowmix", "rules")
    assert registry.load("random").name == "random"


def test_a_strangers_generator_is_loaded_like_ours(doors):
    doors(("stranger", "tests.generate.test_registry:Stranger"))
    assert registry.generators() == ("rowmix", "stranger")
    assert registry.load("stranger").name == "stranger"


def test_ours_win_over_a_stranger_of_the_same_name(doors):
    doors(
        ("rules", "tests.generate.test_registry:Stranger"),
        ("rules", "hitloopd.generate.rules:Rules"),
        ("rules", "a.b:C"),
    )
    assert registry.load("rules").name == "rules"


def test_unknown_name_has_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'rules'"):
        registry.load("rulez")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("tests.generate.test_registry:Breaking", "RuntimeError: no model file"),
        ("tests.generate.no_such_module:Thing", "ModuleNotFoundError"),
        ("tests.generate.test_registry:NoSuchClass", "AttributeError"),
        ("tests.generate.test_registry:Half", "has no model_hash, generate"),
    ],
)
def test_a_broken_plug_in_gives_one_clear_error(doors, value, told):
    doors(("broken", value), ("fine", "tests.generate.test_registry:Stranger"))
    with pytest.raises(UnavailableError, match="'broken'") as caught:
        registry.load("broken")
    assert told in str(caught.value)
    assert isinstance(caught.value, HitloopError)
    assert registry.load("fine").name == "stranger"  # the others go on


def test_the_list_is_read_once():
    registry.generators()
    start = time.perf_counter()
    for _ in range(100):
        registry.generators()
    assert time.perf_counter() - start < 0.05
