"""Each separator and each transcriber beside the others, on mixes and on true stems.

A song of a minute is one stretch here, and nothing but the transcribers runs: what comes of a song as a whole, and of
its drums once its bars are known, is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES
from offline.jobs import Job, Refused, file_hash, job_key, run_jobs
from offline.transcription.bass.by_name import BASSES, bass_transcriber
from offline.transcription.drums.by_name import DRUMS, drum_transcriber
from offline.transcription.heard import Stems
from offline.transcription.judging.figures import BASS_FIGURES, Told, summed, told
from offline.transcription.judging.judged import RENDERED, JudgedSong
from offline.transcription.judging.scores import bass_tallies, drum_tallies
from offline.transcription.judging.unseen import read_whole
from offline.transcription.judging.work import code_hash
from offline.transcription.separation.by_name import SEPARATORS, separator

TRUE_STEMS: Final = "true stems"

Figures = Mapping[str, Told]
"""Name of a figure (a lane, onset …) -> tally."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Who can be asked here, by name, and why the others can't."""

    separators: tuple[str, ...]
    drums: tuple[str, ...]
    basses: tuple[str, ...]
    missing: Mapping[str, str]


def panel() -> Panel:
    """All that run here."""
    missing: dict[str, str] = {}

    def those(names: Iterator[str], make: Callable[[str], object]) -> tuple[str, ...]:
        usable: list[str] = []
        for name in names:
            try:
                make(name)
            except UnavailableError as error:
                missing[name] = str(error)
            else:
                usable.append(name)
        return tuple(usable)

    separators = those(iter(SEPARATORS), separator)
    drums, basses = those(iter(DRUMS), drum_transcriber), those(iter(BASSES), bass_transcriber)
    return Panel(separators, drums, basses, missing)


def table(songs: Sequence[JudgedSong], work: Path, *, workers: int, quiet: bool) -> tuple[list[Told], Panel]:
    """A row for each transcriber in each place, with means and pooled figures over the songs of a group.

    Songs need true stems. Bass lines are the same on all drum sounds: the rendered songs tell of them.
    """
    who = panel()
    places = (*who.separators, TRUE_STEMS)
    pieces = [(song, place) for song in songs if song.drums and song.bass for place in places]
    jobs = [_job(song, place, who) for song, place in pieces]
    done = run_jobs(asked, jobs, work / "asked", workers=workers, label="songs by all transcribers", quiet=quiet)
    rows: dict[tuple[str, str, str, str], dict[str, Figures]] = {}
    for (song, place), (_, answers) in zip(pieces, done, strict=True):
        for (what, name), figures in {} if isinstance(answers, Refused) else answers.items():
            rows.setdefault((what, song.group, place, name), {})[song.name] = figures
    return [_row(*row, songs_of_row) for row, songs_of_row in sorted(rows.items(), key=_order(who))], who


def _order(who: Panel) -> Callable[[tuple[tuple[str, str, str, str], object]], tuple[object, ...]]:
    places = (*who.separators, TRUE_STEMS)
    return lambda item: (item[0][0] != "drums", item[0][1], places.index(item[0][2]), item[0][3])


def _job(song: JudgedSong, place: str, who: Panel) -> Job:
    names = (drum_transcriber(name).name for name in who.drums)
    files = [file_hash(path) for path in (song.mix, song.drums, song.bass) if path is not None]
    basses = who.basses if song.group == RENDERED else ()
    key = job_key("asked", code_hash(), song.name, files, place, tuple(names), who.drums, basses)
    return Job(key, (song, place, who.drums, basses))


def asked(song: JudgedSong, place: str, drums: Sequence[str], basses: Sequence[str]) -> dict[tuple[str, str], Figures]:
    """What each transcriber gets of one song: (drums or bass, its name) -> figures."""
    stems = _stems(song, place)
    found: dict[tuple[str, str], Figures] = {}
    for name in drums:
        tallies = drum_tallies(song.truth, drum_transcriber(name).hear_drums(stems).hits)
        found["drums", name] = {lane.value: told(tally) for lane, tally in tallies.items()}
    for name in basses:
        notes = bass_transcriber(name).bass_notes(stems)
        found["bass", name] = {figure: told(tally) for figure, tally in bass_tallies(song.truth, notes).items()}
    return found


def _stems(song: JudgedSong, place: str) -> Stems:
    mix = read_whole(song.mix)
    if place != TRUE_STEMS:
        return separator(place).separate(mix)
    assert song.drums is not None
    assert song.bass is not None
    drums, bass = read_whole(song.drums), read_whole(song.bass)
    frames = min(map(len, (mix, drums, bass)))
    return Stems(mix[:frames], drums[:frames], bass[:frames])


def _row(what: str, group: str, place: str, name: str, songs: Mapping[str, Figures]) -> Told:
    names = [lane.value for lane in DRUM_LANES] if what == "drums" else list(BASS_FIGURES)
    return {
        "what": what,
        "group": group,
        "heard in": place if place == TRUE_STEMS else f"mix, separator {place}",
        "by": name,
        "songs": len(songs),
        "figures": {figure: summed([one[figure] for one in songs.values() if figure in one]) for figure in names},
    }
