"""From what was found in all recordings to a pack on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from offline.audio import RATE, Wave, open_recording, read_spans
from offline.catalogue import Source, source_of
from offline.extraction.choice import CONFIDENT, choose
from offline.extraction.classes import References
from offline.extraction.cuts import PREROLL, Cut, around, cut, fundamental, loudness, matched_gains
from offline.extraction.distances import between, template
from offline.extraction.found import Found
from offline.extraction.pack import LANES, Pack, Row, save_pack
from offline.extraction.question import Jury
from offline.extraction.scan import Scan
from offline.extraction.wav import wav_bytes
from offline.jobs import write_atomically

SOFTWARE: Final = "hitloopd offline extract"


@dataclass(frozen=True, slots=True)
class Place:
    """A finding and the recording it is in."""

    scan: Scan
    source: Source
    found: Found


@dataclass(frozen=True, slots=True)
class Plan:
    """What the pack shall be.

    Args:
        folder: where it goes.
        name: of the kit.
        method: that found the places.
        seed: that was used.
        per_lane: samples of a lane at most.
        candidates: rows of the ranked list at most.
        licence: of recordings whose manifest says none.
        author: of those.
    """

    folder: Path
    name: str
    method: str
    seed: int
    per_lane: int = 4
    candidates: int = 500
    licence: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sample of the pack with its sound, for whoever draws or measures it."""

    row: Row
    place: Place
    sound: Wave


@dataclass(frozen=True, slots=True)
class Built:
    """The pack as it was written."""

    pack: Pack
    chosen: tuple[Chosen, ...]


@threadpool_limits.wrap(limits=1)
def build(scans: Sequence[Scan], references: References, plan: Plan) -> Built:
    """Choose, cut, level, write; on one core, as ``scan``.

    Raises:
        DeviceError: a recording can't be read any more.
    """
    places = _ranked(scans)
    picked = {lane: _picked(lane, places, plan) for lane in LANES}
    listed = places[: plan.candidates]
    rows = _Rows(references, plan, {id(p): p for p in [*listed, *(p for some in picked.values() for p in some)]})
    chosen = [one for lane in LANES for one in _lane(lane, picked[lane], rows, plan)]
    candidates = tuple(rows.row(place) for place in listed)
    pack = Pack(
        plan.name,
        tuple(one.row for one in chosen),
        candidates,
        _description(scans, chosen),
        _about(places, chosen, references, plan),
    )
    save_pack(plan.folder, pack)
    return Built(pack, tuple(chosen))


def _ranked(scans: Sequence[Scan]) -> list[Place]:
    places = [Place(scan, source_of(scan.path), found) for scan in scans for found in scan.found]
    return sorted(places, key=lambda p: (-p.found.confidence, p.scan.path.name, p.found.start, p.found.lane))


def _picked(lane: str, places: Sequence[Place], plan: Plan) -> list[Place]:
    of_lane = [place for place in places if place.found.lane == lane]
    return [of_lane[n] for n in choose([place.found for place in of_lane], plan.per_lane, plan.method)]


def _lane(lane: str, places: Sequence[Place], rows: _Rows, plan: Plan) -> list[Chosen]:
    cuts = [_shaped(rows.around(place), place.found, place.scan.found, plan.method) for place in places]
    gains = matched_gains([one.sound for one in cuts], lane)
    found: list[Chosen] = []
    for number, (place, one, gain) in enumerate(zip(places, cuts, gains, strict=True), 1):
        sound = (one.sound * np.float32(10 ** (gain / 20))).astype(np.float32)
        start = max(place.found.start + one.offset, 0)
        row = replace(
            rows.row(place),
            file=f"{lane}-{number}.wav",
            start_s=start / RATE,
            length_s=len(sound) / RATE,
            rate=RATE,
            loudness_lufs=loudness(sound),
            gain_db=gain,
            fundamental_hz=fundamental(sound) if lane == "bass" else None,
        )
        data = wav_bytes(sound, RATE, _info(row, plan), description=_said(row), time_reference=start)
        write_atomically(plan.folder / str(row.file), data)
        found.append(Chosen(replace(row, sha256=hashlib.sha256(data).hexdigest()), place, sound))
    return found


class _Rows:
    """Rows of places, and their sound: each recording is read once for all of them."""

    def __init__(self, references: References, plan: Plan, places: Mapping[int, Place]) -> None:
        self._references, self._plan = references, plan
        self._templates = {n: template(references.items[n].sound) for n in {p.found.reference for p in places.values()}}
        self._sounds: dict[int, Wave] = {}
        by_path: dict[Path, list[int]] = {}
        for key, place in places.items():
            by_path.setdefault(place.scan.path, []).append(key)
        for path, keys in by_path.items():
            spans = [self._span(places[key]) for key in keys]
            self._sounds.update(zip(keys, read_spans(open_recording(path), spans), strict=True))

    def _span(self, place: Place) -> tuple[int, int]:
        length = max(place.found.length, self._templates[place.found.reference].length)
        return place.found.start - PREROLL, PREROLL + length

    def around(self, place: Place) -> Wave:
        """The longest it may be cut, with what is before it."""
        left = max(round(place.scan.length_s * RATE) - place.found.start, 1)
        return self._sounds[id(place)][: PREROLL + min(place.found.length, left)]

    def row(self, place: Place) -> Row:
        """The row of a candidate."""
        found = place.found
        item, reference = self._references.items[found.reference], self._templates[found.reference]
        window = self._sounds[id(place)][PREROLL : PREROLL + reference.length]
        return Row(
            lane=found.lane,
            recording=place.scan.path.name,
            start_s=found.start_s,
            length_s=min(found.length / RATE, max(place.scan.length_s - found.start_s, 0.0)),
            confidence=found.confidence,
            reference=item.name,
            distances=between(window, reference),
            kind=found.kind,
            licence=place.source.licence or self._plan.licence,
            author=place.source.author or self._plan.author,
            origin=place.source.origin,
        )


def cut_out(sound: Wave, found: Found, every: Sequence[Found], method: str) -> Cut:
    """The same cut from a recording that is in memory."""
    return _shaped(around(sound, found.start, found.length), found, every, method)


def _shaped(part: Wave, found: Found, every: Sequence[Found], method: str) -> Cut:
    """The paper's windows stay as long as they are; what begins at an onset ends before the next sure one."""
    if method != "onset":
        return cut(part, found.lane, keep_length=True)
    later = [one.start for one in every if one.start > found.start and one.confidence >= CONFIDENT]
    return cut(part, found.lane, next_onset=min(later) - found.start if later else None)


def _info(row: Row, plan: Plan) -> dict[str, str]:
    """RIFF INFO: who made it, from what, under which licence."""
    given = {
        "INAM": f"{plan.name} {str(row.file).removesuffix('.wav')}",
        "IART": row.author,
        "ICOP": row.licence,
        "ISRC": row.origin or row.recording,
        "IGNR": row.lane,
        "ICMT": _said(row),
        "ISFT": SOFTWARE,
    }
    return {key: value for key, value in given.items() if value}


def _said(row: Row) -> str:
    return (
        f"{row.lane} cut from {row.recording} at {row.start_s:.4f} s, {row.length_s:.4f} s long; "
        f"like {row.reference}; {row.licence or 'licence unknown'}"
    )


def _description(scans: Sequence[Scan], chosen: Sequence[Chosen]) -> str:
    minutes = sum(scan.length_s for scan in scans) / 60
    names = sorted({one.row.recording for one in chosen})
    return f"{len(chosen)} samples out of {minutes:.1f} minutes of sound: {', '.join(names) or 'nothing'}"


def _about(places: Sequence[Place], chosen: Sequence[Chosen], references: References, plan: Plan) -> Mapping[str, Any]:
    lanes = {lane: _coverage(lane, places, chosen, references) for lane in LANES}
    return {
        "coverage": "; ".join(f"{lane} {told['samples']}" + _because(told["why"]) for lane, told in lanes.items()),
        "lanes": lanes,
        "method": plan.method,
        "seed": plan.seed,
        "measures": Jury(references).judge([(one.row.lane, one.sound) for one in chosen]).as_mapping(),
        "references": {"folder": references.folder.name, "sounds": len(references.items)},
    }


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _coverage(lane: str, places: Sequence[Place], chosen: Sequence[Chosen], references: References) -> dict[str, Any]:
    count = sum(one.row.lane == lane for one in chosen)
    found = [place.found.confidence for place in places if place.found.lane == lane]
    why = ""
    if not count:
        if lane in references.missing:
            why = "no references for this lane"
        elif found:
            why = f"nothing was like it enough: the best of {len(found)} places had a confidence of {max(found):.2f}"
        else:
            why = "nothing in the recordings resembles it"
    return {"samples": count, "candidates": len(found), "why": why}
