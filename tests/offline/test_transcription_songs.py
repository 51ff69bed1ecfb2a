"""Which files are songs, what they and their folders are called, and whose they are."""

from __future__ import annotations

import csv

import pytest

from hitloopd.core.errors import ArgumentError
from offline.transcription.songs import find_songs, folders


def place(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names_of(songs):
    return [song.name for song in songs]


def where(songs):
    return [folder.as_posix() for folder in folders(songs)]


def test_a_folder_with_a_mix_is_one_song_and_the_rest_its_stems(tmp_path):
    place(tmp_path / "album", "one/mix.ogg", "one/drums.ogg", "one/bass.ogg", "two.flac", "notes.txt", "b/drums.wav")
    songs, missing = find_songs([tmp_path / "album"])
    assert names_of(songs) == ["album/b/drums.wav", "album/one/mix.ogg", "album/two.flac"]
    assert [song.source.title for song in songs] == ["drums", "one", "two"]
    assert where(songs) == ["b/drums", "one/mix", "two"]
    assert not missing


def test_a_file_that_is_named_is_taken_whatever_it_is(tmp_path):
    place(tmp_path, "one/drums.ogg", "one/mix.ogg", "letter.txt")
    songs, missing = find_songs([tmp_path / "one/drums.ogg", tmp_path / "letter.txt", tmp_path / "gone.wav"])
    assert len(songs) == 2
    assert missing == [tmp_path / "gone.wav"]


def test_folders_are_as_short_as_tells_them_apart(tmp_path):
    place(tmp_path, "a/song.wav", "b/song.wav", "b/other.wav", "b/other.mp3", "b/plain.wav")
    songs, _ = find_songs([tmp_path / "a", tmp_path / "b"])
    assert where(songs) == ["a/song", "b/other-mp3", "b/other-wav", "plain", "b/song"]


def test_two_songs_of_the_very_same_name_are_refused(tmp_path):
    place(tmp_path, "x/album/song.wav", "y/album/song.wav")
    songs, _ = find_songs([tmp_path / "x" / "album", tmp_path / "y" / "album"])
    with pytest.raises(ArgumentError, match=r"album/song\.wav"):
        folders(songs)


def test_a_file_named_twice_is_one_song(tmp_path):
    place(tmp_path, "a/song.wav")
    assert len(find_songs([tmp_path / "a", tmp_path / "a" / "song.wav"])[0]) == 1


def test_the_manifest_says_whose_it_is_and_the_command_only_where_it_does_not(tmp_path):
    place(tmp_path, "one.wav", "two.wav")
    with (tmp_path / "MANIFEST.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "author", "licence"], ["one.wav", "Ada", "CC0 1.0"]])
    songs, _ = find_songs([tmp_path], "me", "CC BY 4.0")
    assert [(song.source.author, song.source.licence) for song in songs] == [("Ada", "CC0 1.0"), ("me", "CC BY 4.0")]
