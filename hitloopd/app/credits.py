"""Whose work plays: the attribution that licences ask for, from everything that ships with it. One table of sources.

To have another kind of thing credited, add a row to ``SOURCES``: who gives its ``Credited``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hitloopd.app.resources import places, shipped
from hitloopd.app.settings import Settings
from hitloopd.core.errors import HitloopError, UnknownNameError, nearest
from hitloopd.core.kit import SYNTH
from hitloopd.generate.card import read_card
from hitloopd.generate.credits import song_credits
from hitloopd.generate.registry import models
from hitloopd.io.kits import kit_at, read_kit


@dataclass(frozen=True, slots=True)
class Credit:
    """One work of somebody's, as its licence asks to be named."""

    title: str
    author: str
    licence: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Credited:
    """A thing that plays, and the works it is made from.

    Args:
        kind: ``model``, ``kit`` …
        name: its name.
        licence: its own; empty where nobody says.
        works: what it is made from, in no order.
        problem: why the works can't be told, if they can't.
    """

    kind: str
    name: str
    licence: str
    works: Sequence[Credit] = ()
    problem: str = ""


def models_credited(settings: Settings) -> list[Credited]:
    """Every model there is, with the songs it was trained on."""
    found: list[Credited] = []
    for name, folder in models(places(settings.paths.library)).items():
        licence = ""
        try:
            licence = str(read_card(folder).fields.get("licence", ""))
            songs = song_credits(folder)
        except HitloopError as error:
            found.append(Credited("model", name, licence, problem=str(error)))
            continue
        works = [Credit(*(song.get(field, "") for field in ("title", "author", "licence", "origin"))) for song in songs]
        found.append(Credited("model", name, licence, works))
    return found


def kits_credited(settings: Settings) -> list[Credited]:
    """Every kit that plays more than the program's own sounds, with the recordings that it was cut from."""
    kits = shipped("kit", settings.paths.library)
    if settings.kit not in kits and (path := kit_at(Path(settings.kit))) is not None:
        kits[settings.kit] = path
    found: list[Credited] = []
    for name, path in kits.items():
        try:
            kit = read_kit(path).kit
        except HitloopError as error:
            found.append(Credited("kit", name, "", problem=str(error)))
            continue
        samples = [sample for lane in kit.slots for sample in kit.samples_of(lane) if not sample.name.startswith(SYNTH)]
        works = dict.fromkeys(
            Credit(one.recording or one.note or one.name, one.author, one.licence, one.origin) for one in samples
        )
        if works:
            found.append(Credited("kit", name, "", tuple(works)))
    return found


SOURCES: Final[Mapping[str, Callable[[Settings], list[Credited]]]] = {"model": models_credited, "kit": kits_credited}


def credited(settings: Settings, model: str | None = None) -> list[Credited]:
    """Everything that is credited, or one model.

    Raises:
        UnknownNameError: there is no such model.
    """
    if model is None:
        return [thing for source in SOURCES.values() for thing in source(settings)]
    found = models_credited(settings)
    names = [thing.name for thing in found]
    if model not in names:
        there = ", ".join(names) or "none here"
        raise UnknownNameError(f"There is no model '{model}'; there are: {there}.{nearest(model, names)}")
    return [thing for thing in found if thing.name == model]


def as_json(things: Iterable[Credited]) -> dict[str, object]:
    """For ``--json``: every work."""
    return {"credits": [asdict(thing) for thing in things]}


def lines(things: Sequence[Credited]) -> list[str]:
    """For people: each author once a licence, with up to three titles."""
    if not things:
        return ["Nothing here needs credits: no models, no samples; rules and built-in kits are the program's own."]
    return [line for thing in things for line in _lines(thing)]


def _lines(thing: Credited) -> list[str]:
    own = f", licence {thing.licence}" if thing.licence else ""
    if thing.problem:
        return [f"{thing.kind} {thing.name}{own}: {thing.problem}"]
    groups: dict[tuple[str, str], list[str]] = {}
    for work in thing.works:
        groups.setdefault((work.licence, work.author), []).append(work.title)
    out = [f"{thing.kind} {thing.name}{own}; made from {len(thing.works)} works:"]
    for (licence, author), titles in sorted(groups.items()):
        more = f" and {len(titles) - 3} more" if len(titles) > 3 else ""
        out.append(f"  {licence or 'no licence'}: {author or 'unknown'}: {', '.join(sorted(titles)[:3])}{more}")
    return out
