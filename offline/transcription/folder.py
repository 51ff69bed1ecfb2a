"""The folder of a transcribed song, which ``transcribe`` writes and ``dataset build --audio`` reads.

::

    song.mid          type 1, one track per lane; its bar lines are those that were found
    bars.json         every bar found: index, midi_bar, start_s, end_s, beats_s, kept, reason, confidence, roll
    rolls.npz         rolls float32 [n, 128, 20] of the kept bars, bar int32 [n] (index in bars.json), root int16 [n]
    provenance.yaml   whose song it is, who transcribed it and how sure, and hashes of the files above
    picture.png       the spectrum with the notes over it

``provenance.yaml`` is written last: a folder that has it is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from hitloopd.core.errors import RangeError
from offline.catalogue import Source
from offline.dataset.encoder import ENCODING, CutSong, cut_file
from offline.dataset.store import draw
from offline.grid import MAX_VELOCITY
from offline.jobs import write_atomically
from offline.transcription.heard import FoundBar
from offline.yaml_text import read_yaml

FORMAT: Final = 1
SONG_FILE: Final = "song.mid"
BARS_FILE: Final = "bars.json"
ROLLS_FILE: Final = "rolls.npz"
PICTURE_FILE: Final = "picture.png"
PROVENANCE_FILE: Final = "provenance.yaml"
NO_DRUMS: Final = "no drums"
KEPT: Final = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the song: as it was found, where it is in the MIDI file, and why it is left out (empty: it is kept)."""

    found: FoundBar
    midi_bar: int
    reason: str

    def as_mapping(self, index: int, roll: int | None) -> dict[str, Any]:
        """The bar as it stands in ``bars.json``."""
        found = self.found
        return {
            "index": index,
            "midi_bar": self.midi_bar,
            "start_s": round(found.start_s, 6),
            "end_s": round(found.end_s, 6),
            "beats_s": [round(beat_s, 6) for beat_s in found.beats_s],
            "kept": self.reason == KEPT,
            "reason": self.reason,
            "confidence": round(found.confidence, 4),
            "roll": roll,
        }


def weighed(found: Sequence[FoundBar], midi_bars: Sequence[int], song: CutSong) -> list[Bar]:
    """Which bars are kept: those that are trusted, and in which drums play.

    Args:
        found: the bars.
        midi_bars: the index of each in the MIDI file.
        song: the bars that the encoder cut out of that file.
    """
    drummed = {bar.index for bar in song.bars}
    return [
        Bar(bar, number, bar.reason or (KEPT if number in drummed else NO_DRUMS))
        for bar, number in zip(found, midi_bars, strict=True)
    ]


def write_bars(folder: Path, bars: Sequence[Bar], song: CutSong) -> None:
    """``bars.json`` and ``rolls.npz``."""
    by_number = {bar.index: bar for bar in song.bars}
    kept = [index for index, bar in enumerate(bars) if bar.reason == KEPT]
    cuts = [by_number[bars[index].midi_bar] for index in kept]
    row = {index: number for number, index in enumerate(kept)}
    rows = [json.dumps(bar.as_mapping(index, row.get(index))) for index, bar in enumerate(bars)]
    write_atomically(folder / BARS_FILE, ("[\n " + ",\n ".join(rows) + "\n]\n").encode())
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        rolls=draw([cut.hits for cut in cuts]).astype(np.float32) / np.float32(MAX_VELOCITY),
        bar=np.array(kept, np.int32),
        root=np.array([cut.root for cut in cuts], np.int16),
    )
    write_atomically(folder / ROLLS_FILE, packed.getvalue())


def write_provenance(folder: Path, facts: Mapping[str, Any]) -> None:
    """The last file: everything that is known of the song, and the hashes of the others."""
    hashes = {name: _sha256(folder / name) for name in (SONG_FILE, BARS_FILE, ROLLS_FILE)}
    text = yaml.safe_dump(
        {"format": FORMAT, **facts, "encoding": ENCODING, "sha256": hashes},
        sort_keys=False,
        allow_unicode=True,
        width=120,
    )
    write_atomically(folder / PROVENANCE_FILE, text.encode())


def read_provenance(folder: Path) -> dict[str, Any]:
    """What ``provenance.yaml`` says.

    Raises:
        RangeError: it is not there, or not of this program's kind.
    """
    try:
        facts = read_yaml((folder / PROVENANCE_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RangeError(f"{folder}: no transcribed song ({PROVENANCE_FILE} can't be read)") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or "song" not in facts:
        raise RangeError(f"{folder}: {PROVENANCE_FILE} is not of a transcribed song (format: {FORMAT})")
    return facts


def is_transcribed(folder: Path) -> bool:
    """Whether a song was transcribed into this folder."""
    return all((folder / name).is_file() for name in (PROVENANCE_FILE, SONG_FILE, BARS_FILE, ROLLS_FILE))


def song_source(folder: Path) -> Source:
    """Whose song it is, for the licence gate and the credits.

    Raises:
        RangeError: there is no such folder.
    """
    facts = read_provenance(folder)
    text = {key: str(facts.get(key) or "") for key in ("author", "licence", "origin", "note", "title")}
    return Source(folder / PROVENANCE_FILE, **text)


def cut_transcribed(provenance: Path) -> CutSong:
    """The kept bars of a transcribed song, each with its second in the song; what was left out is counted.

    Raises:
        RangeError: the folder is not whole, or its files are not those that were written together.
    """
    folder = provenance.parent
    facts = read_provenance(folder)
    for name, digest in facts["sha256"].items():
        if not (folder / name).is_file() or _sha256(folder / name) != digest:
            raise RangeError(f"{name} is not the file that was transcribed; transcribe the song again")
    rows = read_bars(folder)
    seconds = {row["midi_bar"]: row["start_s"] for row in rows if row["kept"]}
    song = cut_file(folder / SONG_FILE)
    bars = tuple(replace(bar, second=seconds[bar.index]) for bar in song.bars if bar.index in seconds)
    counts = song.counts + Counter(f"transcribed bars left out: {row['reason']}" for row in rows if not row["kept"])
    return CutSong(bars, song.key, "transcription" if song.bass_rule else "", counts, song.dropped)


def left_out(bars: Sequence[Bar]) -> dict[str, int]:
    """Reason -> bars, most frequent first."""
    return dict(Counter(bar.reason for bar in bars if bar.reason != KEPT).most_common())


def read_bars(folder: Path) -> list[dict[str, Any]]:
    """The rows of ``bars.json``."""
    return json.loads((folder / BARS_FILE).read_text(encoding="utf-8"))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
