"""Songs, their versions and their part of the data."""

from __future__ import annotations

from collections import Counter

import pytest

from offline.dataset.songs import SPLITS, TEST_SHARE, VALID_SHARE, location, song_of, split_of, united


@pytest.mark.parametrize(
    ("name", "song"),
    [
        ("freedoom/d_dm04.mid", "freedoom/d_dm04"),
        ("freedoom/d_dm04_22ad99.mid", "freedoom/d_dm04"),
        ("freedoom/d_read_m.mid", "freedoom/d_read_m"),
        ("mine/song_decade.mid", "mine/song_decade"),
        ("groove/drummer1/session1/102_funk_95_beat_4-4.mid", "groove/drummer1/session1/funk_95"),
        ("groove/drummer1/session1/103_funk_95_fill_4-4.mid", "groove/drummer1/session1/funk_95"),
        ("groove/drummer2/session1/103_funk_95_fill_4-4.mid", "groove/drummer2/session1/funk_95"),
        ("groove/drummer1/eval_session/1_funk-groove1_138_beat_4-4.mid", "groove/eval_session/funk-groove1_138"),
        ("groove/drummer7/eval_session/1_funk-groove1_138_beat_4-4.mid", "groove/eval_session/funk-groove1_138"),
    ],
)
def test_versions_of_a_song_have_one_name(name, song):
    assert song_of(name) == song


def test_the_part_of_a_song_never_changes():
    assert [split_of(f"freedoom/song{index}") for index in range(12)] == PINNED


PINNED = ["train"] * 3 + ["valid", "train", "valid", "train", "test", "test", "valid", "test", "test"]


def test_the_parts_have_their_shares():
    parts = Counter(split_of(f"song {index}") for index in range(4000))
    assert set(parts) == set(SPLITS)
    assert parts["test"] / 4000 == pytest.approx(TEST_SHARE, abs=0.03)
    assert parts["valid"] / 4000 == pytest.approx(VALID_SHARE, abs=0.03)


def test_songs_that_share_half_of_their_bars_are_one_and_so_are_theirs():
    same = united({"a": set(range(10)), "b": set(range(5, 30)), "c": set(range(20, 40)), "d": {1, 100, 101, 102}})
    assert same == {"a": "a", "b": "a", "c": "a", "d": "d"}


def test_a_few_common_bars_do_not_make_two_songs_one():
    assert united({"a": {1, 2, 3}, "b": {1, 2, 3}}) == {"a": "a", "b": "b"}


def test_a_file_is_named_from_its_manifest_or_from_the_folder_given(tmp_path):
    deep = tmp_path / "corpus" / "sub" / "x.mid"
    deep.parent.mkdir(parents=True)
    deep.touch()
    assert location(deep, tmp_path / "corpus" / "sub") == "sub/x.mid"
    assert location(deep, deep) == "sub/x.mid"
    (tmp_path / "corpus" / "MANIFEST.csv").write_text("path\n")
    assert location(deep, tmp_path / "corpus" / "sub") == "corpus/sub/x.mid"
