"""Whose a file is, and whether it may be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitloopd.core.errors import ArgumentError
from offline.catalogue import FAMILIES, SHIPPABLE, Source, families, gate, licence_family, source_of


@pytest.mark.parametrize(
    ("licence", "family"),
    [
        ("CC BY 4.0", "by"),
        ("CC-BY-3.0", "by"),
        ("CC BY (version not stated)", "by"),
        ("Creative Commons Attribution 3.0", "by"),
        ("CC BY-SA (version not stated)", "by-sa"),
        ("Creative Commons Attribution-ShareAlike 4.0", "by-sa"),
        ("CC0 1.0", "cc0"),
        ("CC-0", "cc0"),
        ("Public Domain", "cc0"),
        ("Unlicense", "cc0"),
        ("BSD-3-Clause", "bsd"),
        ("BSD (variant not stated)", "bsd"),
        ("MIT", "mit"),
        ("CC BY-NC 4.0", "unknown"),
        ("CC BY-NC-SA 4.0", "unknown"),
        ("CC BY-ND 4.0", "unknown"),
        ("Attribution-NonCommercial", "unknown"),
        ("by permission", "unknown"),
        ("limited", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_licence_belongs_to_the_family_of_what_it_asks(licence, family):
    assert licence_family(licence) == family
    assert Source(Path("x"), licence=licence).family == family


def test_the_families_of_an_argument_and_a_wrong_one():
    assert families("cc0, BY,,by-sa") == ("cc0", "by", "by-sa")
    with pytest.raises(ArgumentError, match=r"'b-sa'.*by-sa"):
        families("b-sa")


def test_what_ships_binds_nobody_to_share_alike():
    assert set(SHIPPABLE) == set(FAMILIES) - {"by-sa"}


def test_a_file_has_the_row_of_the_nearest_manifest_that_names_it(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "MANIFEST.csv").write_text(
        "path,author,licence,source,note\na/b/x.mid,outer,CC0,net,\na/b/y.mid,outer,CC0,net,\n"
    )
    (inner / "MANIFEST.csv").write_text(
        'path,author,licence,source,note\nx.mid,inner,MIT,book,"style=funk/slow; bpm=95;human"\n'
    )
    near = source_of(inner / "x.mid")
    assert (near.author, near.family, near.origin, near.title) == ("inner", "mit", "book", "x")
    assert near.facts == {"style": "funk/slow", "bpm": "95"}
    assert near.credit() == {"author": "inner", "licence": "MIT", "origin": "book", "title": "x"}
    assert source_of(inner / "y.mid").author == "outer"
    nobody = source_of(inner / "z.mid")
    assert (nobody.family, nobody.author, nobody.title) == ("unknown", "", "z")


def test_the_gate_lets_in_what_is_allowed_and_tells_unknown_from_unwanted():
    sources = [Source(Path(name), licence=licence) for name, licence in (("a", "CC0"), ("b", "CC BY-SA"), ("c", ""))]
    shut = gate(sources, ("cc0",))
    assert [s.path.name for s in shut.passed] == ["a"]
    assert [s.path.name for s in shut.refused] == ["b", "c"]
    assert [s.path.name for s in shut.unknown] == ["c"]
    wide = gate(iter(sources), ("cc0",), allow_unknown=True)
    assert [s.path.name for s in wide.passed] == ["a", "c"]
    assert not wide.unknown
