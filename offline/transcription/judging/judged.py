"""The songs that transcription is judged on, with their sound and their truth.

``rendered``: songs rendered from MIDI. ``unseen``: the same with drums of kits kept out of all training.
``electronic``: released songs at one tempo whose first sample is a bar line. ``elements``: single drum stems of those
with a table of onsets, alone; ``elements in the mix``: with the rest of their song around them. A lane whose table
lacks sounds is not judged.

Kept out of training and tuning: every one of these songs, and the kits of ``KEPT_OUT``. What is rendered lies in the
work folder, named by what it was made of.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import soundfile

from hitloopd.core.errors import ArgumentError
from offline.audio import RATE, Wave
from offline.catalogue import Source, source_of
from offline.extraction.classes import load_references
from offline.jobs import file_hash, job_key, write_atomically
from offline.transcription.judging.table_check import ENOUGH, complete_lanes
from offline.transcription.judging.truth import Truth, even_truth, midi_truth, table_onsets
from offline.transcription.judging.unseen import Kit, as_loud_as, kits, read_whole, resounded, without_clipping

RENDERED, UNSEEN, ELECTRONIC, ELEMENTS, ELEMENTS_MIXED = GROUPS = (
    "rendered",
    "unseen",
    "electronic",
    "elements",
    "elements in the mix",
)
KEPT_OUT: Final = ("lm-2", "tr-505")
_VERSION: Final = 1  # change it with what rendering makes


@dataclass(frozen=True, slots=True)
class JudgedSong:
    """A song with its truth.

    Args:
        name: unique among the judged songs.
        group: one of ``GROUPS``.
        mix: the whole song.
        drums: its true drum stem, where there is one.
        bass: its true bass stem, where there is one.
        truth: what is played.
        share_told: of lanes whose table lacks sounds, the share that it has; they are not in the truth.
        doubtful: the truth with those lanes, where there are any.
    """

    name: str
    group: str
    mix: Path
    drums: Path | None
    bass: Path | None
    truth: Truth
    share_told: Mapping[str, float] = field(default_factory=dict[str, float])
    doubtful: Truth | None = None


def judged_songs(songs: Path, references: Path, work: Path, groups: Sequence[str] = GROUPS) -> list[JudgedSong]:
    """Every song with a truth below a folder; renders what is not there yet.

    Args:
        songs: folder to be looked through.
        references: one-shots, with the kits that were kept out.
        work: where what is rendered is kept.
        groups: which are wanted.

    Raises:
        ArgumentError: there is no such song, or a kit is missing.
        DeviceError: a sound can't be read.
    """
    rendered = [_rendered(path.parent) for path in sorted(songs.rglob("truth.mid"))]
    tables = sorted(songs.rglob("drum_elements.csv"))
    found: list[JudgedSong] = []
    if RENDERED in groups:
        found += rendered
    if UNSEEN in groups and rendered:
        some = kits(load_references(references).items, KEPT_OUT)
        found += [_unseen(song, kit, work) for song in rendered for kit in some]
    if ELECTRONIC in groups:
        found += _electronic(songs)
    if ELEMENTS in groups:
        found += [_elements(table) for table in tables]
    if ELEMENTS_MIXED in groups:
        found += [_elements_mixed(_elements(table), work) for table in tables]
    if not found:
        raise ArgumentError(f"{songs}: no song with a known truth in it (truth.mid, or bpm=… in its manifest).")
    return found


def _rendered(folder: Path) -> JudgedSong:
    truth = midi_truth(folder / "truth.mid", folder / "truth_bass.mid")
    return JudgedSong(folder.name, RENDERED, folder / "mix.ogg", folder / "drums.ogg", folder / "bass.ogg", truth)


def _unseen(song: JudgedSong, kit: Kit, work: Path) -> JudgedSong:
    midi = song.mix.with_name("truth_drums.mid")
    assert song.drums is not None  # every rendered song has its stems

    def make() -> tuple[Wave, Wave]:
        assert song.drums is not None
        return resounded(song.mix, song.drums, midi, kit)

    parts = [file_hash(path) for path in (song.mix, song.drums, midi)]
    sounds = [(note, sound.tobytes()) for note, sound in sorted(kit.sounds.items())]
    mix, drums = _kept(work, f"{song.name}_{kit.name}", job_key(_VERSION, parts, sounds), make)
    return replace(song, name=f"{song.name} ({kit.name})", group=UNSEEN, mix=mix, drums=drums)


def _electronic(songs: Path) -> Iterator[JudgedSong]:
    for mix in sorted(songs.rglob("mix.ogg")):
        source = source_of(mix)
        if "bpm" in source.facts:
            stems = [mix.with_name(f"{stem}.ogg") for stem in ("drums", "bass")]
            drums, bass = (path if path.is_file() else None for path in stems)
            truth = even_truth(float(source.facts["bpm"]), _bars(source), {})
            yield JudgedSong(mix.parent.name, ELECTRONIC, mix, drums, bass, truth)


def _elements(table: Path) -> JudgedSong:
    sound = table.with_suffix(".flac")
    source = source_of(table)
    bpm, bars, onsets = float(source.facts["bpm"]), _bars(source), table_onsets(table)
    shares = complete_lanes(read_whole(sound), onsets, bpm)
    sure = {lane: times for lane, times in onsets.items() if shares[lane] >= ENOUGH}
    lacking = {lane.value: round(share, 3) for lane, share in shares.items() if lane not in sure}
    return JudgedSong(
        f"{table.parent.name} elements",
        ELEMENTS,
        sound,
        sound,
        None,
        even_truth(bpm, bars, sure),
        lacking,
        even_truth(bpm, bars, onsets) if lacking else None,
    )


def _elements_mixed(song: JudgedSong, work: Path) -> JudgedSong:
    """The drum elements as loud as the song's drum stem, over bars of its other stems: same tempo, same bar lines."""
    whole, stem = song.mix.with_name("mix.ogg"), song.mix.with_name("drums.ogg")

    def make() -> tuple[Wave, Wave]:
        elements, mix, old = read_whole(song.mix), read_whole(whole), read_whole(stem)
        frames = min(map(len, (elements, mix, old)))
        drums = as_loud_as(elements[:frames], old[:frames])
        return mix[:frames] - old[:frames] + drums, drums

    parts = [file_hash(path) for path in (song.mix, whole, stem)]
    mix, drums = _kept(work, song.name.replace(" ", "_"), job_key(_VERSION, parts), make)
    return replace(song, name=f"{song.name} in the mix", group=ELEMENTS_MIXED, mix=mix, drums=drums)


def _bars(source: Source) -> int:
    counted = re.search(r"(\d+) bars", source.note)
    if counted is None:
        raise ArgumentError(f"{source.path}: its manifest does not say how many bars it has.")
    return int(counted[1])


def _kept(work: Path, name: str, key: str, make: Callable[[], tuple[Wave, Wave]]) -> tuple[Path, Path]:
    """Mix and drums as files of the work folder; made where they are not there."""
    folder = work / "sounds" / f"{name}_{key[:8]}"
    paths = (folder / "mix.flac", folder / "drums.flac")
    if not all(path.is_file() for path in paths):
        for path, sound in zip(paths, without_clipping(*make()), strict=True):
            write_atomically(path, _flac(sound))
    return paths


def _flac(sound: Wave) -> bytes:
    out: Any = io.BytesIO()
    soundfile.write(out, sound, RATE, format="FLAC", subtype="PCM_24")
    return bytes(out.getvalue())
