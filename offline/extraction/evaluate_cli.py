"""``python -m offline evaluate-samples``: what the extraction is worth, on sounds and recordings it never heard."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from hitloopd.core.errors import ArgumentError, UnavailableError, nearest
from offline.audio import RATE, Wave
from offline.extraction.alone import Answer, accuracy, answers
from offline.extraction.build import cut_out
from offline.extraction.choice import choose
from offline.extraction.classes import Reference, References, load_references
from offline.extraction.folds import Fold, folds
from offline.extraction.found import Finder
from offline.extraction.general_midi import font_sounds, own_sounds
from offline.extraction.lessons import Lessons, field_recordings, make_lessons
from offline.extraction.listener import Listener, Network, Together, neighbours
from offline.extraction.measures import Figure, Tally, mean_of, onset_errors_ms, pooled, summary
from offline.extraction.pack import LANES
from offline.extraction.planted import trimmed
from offline.extraction.question import Jury, Verdict
from offline.extraction.report import print_report, write_picture
from offline.extraction.speed import memory, speeds, thirty
from offline.extraction.trials import LEVELS_DB, finders, known_references, looked_through, planted_sets, trial, truth
from offline.jobs import write_atomically

PARTS: Final = ("planted", "alone", "question", "speed", "memory")
PER_LANE: Final = 4
SPEED_S: Final = 60
CONTROL_DB: Final = 12.0
"""At which the jury is shown sounds whose lane is known."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``evaluate-samples``."""
    parser.add_argument("--references", type=Path, required=True, metavar="DIR", help="one-shots of several kits")
    parser.add_argument("--fields", type=Path, required=True, metavar="DIR", help="field recordings")
    parser.add_argument("--work", type=Path, default=Path("evaluate-samples"), help="where listeners are kept")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"what to judge (default: {','.join(PARTS)})")
    parser.add_argument("--lessons", type=int, default=20_000, help="sounds that a listener is taught with")
    parser.add_argument("--font", type=Path, default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"))
    parser.add_argument("--methods", default="onset,knn,threshold,random")
    parser.add_argument("--kits", metavar="NAMES", help="only the rounds that leave these kits out (default: all)")
    parser.add_argument("--hours", type=float, default=2.0, help="length of the recording for the memory")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="say it as one JSON object")


@threadpool_limits.wrap(limits=1)
def run(args: argparse.Namespace) -> int:
    """Judge; the exit code says whether it could be done, not how good it is."""
    parts = [word.strip() for word in args.parts.split(",")]
    for part in parts:
        if part not in PARTS:
            raise ArgumentError(f"There is no part '{part}'; there are {', '.join(PARTS)}.{nearest(part, PARTS)}")
    hall = Hall(args)
    report: dict[str, Any] = {"folds": [{"kit": fold.kit, "fields": list(fold.fields)} for fold in hall.folds]}
    makers: Mapping[str, Callable[[Hall], object]] = {
        "planted": _planted,
        "alone": _alone,
        "question": _question,
        "speed": _speed,
        "memory": lambda h: memory(
            h.fields[max(h.fields, key=lambda g: len(h.fields[g]))], args.references, args.hours
        ),
    }
    for part in PARTS:
        if part in parts:
            print(f"evaluate-samples: {part} …", file=sys.stderr)
            report[part] = makers[part](hall)
    plain = _plain(report)
    write_atomically(args.work / "report.json", json.dumps(plain, indent=1).encode())
    write_picture(plain, args.work / "report.png")
    if args.json:
        print(json.dumps(plain))
    else:
        print_report(plain)
    return 0


class Hall:
    """The sounds, the recordings, and a listener for each fold that has heard neither kit nor recordings of it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.references = load_references(args.references)
        self.sounds: Sequence[Reference] = self.references.items
        self.fields: Mapping[str, Wave] = field_recordings(args.fields)
        wanted = args.kits.split(",") if args.kits else None
        self.folds = [one for one in folds(self.sounds, self.fields) if wanted is None or one.kit in wanted]
        self.methods = [word.strip() for word in args.methods.split(",")]
        self._lessons: Lessons | None = None
        self._known: dict[str, tuple[References, Listener]] = {}

    def known(self, fold: Fold) -> tuple[References, Listener]:
        """What may be known in a fold: the other kits, and a listener they have a vote in."""
        if fold.kit not in self._known:
            references = known_references(fold, self.sounds)
            alone = neighbours([(trimmed(item.sound), item.kind) for item in references.items])
            self._known[fold.kit] = references, Together(self._network(fold), alone)
        return self._known[fold.kit]

    def _network(self, fold: Fold) -> Network:
        """Taught when it is first asked for, then kept in the work folder."""
        path = self.args.work / f"fold_{fold.kit}.npz"
        if not path.is_file():
            from offline.extraction.learn import packed, teach  # noqa: PLC0415 - torch takes seconds

            print(f"evaluate-samples: teaching a listener without {fold.kit} …", file=sys.stderr)
            write_atomically(path, packed(teach(self.lessons().without([fold.kit], fold.fields))))
        return Network.load(path)

    def lessons(self) -> Lessons:
        """Made once, then kept."""
        path = self.args.work / "lessons.npz"
        if self._lessons is None and path.is_file():
            self._lessons = Lessons.load(path)
        if self._lessons is None:
            print("evaluate-samples: making lessons …", file=sys.stderr)
            sounds = [*self.sounds, *self._font(), *own_sounds()]
            self._lessons = make_lessons(sounds, self.fields, self.args.lessons)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lessons.save(path)
        return self._lessons

    def _font(self) -> list[Reference]:
        try:
            return font_sounds(self.args.font)
        except UnavailableError as error:
            print(f"{error} Going on without it.", file=sys.stderr)
            return []

    def finders(self, fold: Fold) -> tuple[References, dict[str, Callable[[], Finder]]]:
        """The methods with what they may know in a fold."""
        references, listener = self.known(fold)
        every = finders(references, listener, self.args.seed)
        return references, {name: every[name] for name in self.methods}


def _planted(hall: Hall) -> dict[str, Any]:
    tallies: dict[str, list[Tally]] = {name: [] for name in hall.methods}
    for fold in hall.folds:
        sets = planted_sets(fold, hall.sounds, hall.fields, LEVELS_DB, hall.args.seed)
        for name, make in hall.finders(fold)[1].items():
            tallies[name] += trial(make, sets)
    return {name: _by_level(of_method) for name, of_method in tallies.items()}


def _by_level(tallies: Sequence[Tally]) -> dict[str, Any]:
    chosen = {f"{level:g} dB": [one for one in tallies if one.level_db == level] for level in LEVELS_DB}
    return {name: _told(some) for name, some in {**chosen, "all": list(tallies)}.items()}


def _told(tallies: Sequence[Tally]) -> dict[str, Any]:
    lanes = {
        lane: [sum(one.lanes.get(lane, (0, 0, 0))[place] for one in tallies) for place in range(3)] for lane in LANES
    }
    return {
        "planted": sum(one.planted for one in tallies),
        **summary(tallies),
        "onset_error_ms": onset_errors_ms(tallies),
        "lanes_planted_hit_right": lanes,
    }


def _alone(hall: Hall) -> dict[str, Any]:
    every: list[Answer] = []
    for fold in hall.folds:
        every += answers(fold, hall.sounds, hall.known(fold)[1])
    return {"sounds": len(every), **accuracy(every)}


def _question(hall: Hall) -> dict[str, Any]:
    """Packs of every method from each recording, between what the jury says of true sounds and of drawn lanes."""
    verdicts: dict[str, list[Verdict]] = {}
    for number, fold in enumerate(hall.folds):
        known, makers = hall.finders(fold)
        jury = Jury(known)
        for group in fold.fields:
            for name, make in makers.items():
                found = jury.judge(_pack(make(), hall.fields[group], name))
                verdicts.setdefault(name, []).append(found)
        for planted in planted_sets(fold, hall.sounds, hall.fields, (CONTROL_DB,), hall.args.seed):
            true = truth(planted)
            lot = np.random.default_rng(number).permutation([lane for lane, _ in true])
            drawn = list(zip(lot.tolist(), [sound for _, sound in true], strict=True))
            for name, pack in (("true", true), ("lanes by lot", drawn)):
                verdicts.setdefault(name, []).append(jury.judge(pack))
    return {name: _figures(found) for name, found in verdicts.items()}


def _figures(found: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "packs": len(found),
        "samples": sum(len(one.surely) for one in found),
        "cohesion": pooled([one.surely for one in found]),
        "variety": pooled([one.varied for one in found]),
        "filled": mean_of([one.filled for one in found]),
    }


def _pack(finder: Finder, field: Wave, method: str) -> list[tuple[str, Wave]]:
    found = looked_through(finder, field)
    samples: list[tuple[str, Wave]] = []
    for lane in LANES:
        of_lane = [one for one in found if one.lane == lane]
        picked = choose(of_lane, PER_LANE, method)
        samples += [(lane, cut_out(field, of_lane[n], found, method).sound) for n in picked]
    return samples


def _speed(hall: Hall) -> dict[str, Any]:
    fold = hall.folds[0]
    longest = max(fold.fields, key=lambda group: len(hall.fields[group]))
    sound = hall.fields[longest][: SPEED_S * RATE]
    few = thirty(hall.references)
    makers = finders(few, hall.known(fold)[1], 0)
    return speeds(sound, few, {name: makers[name] for name in ("onset", "threshold", "knn")})


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can say
    if isinstance(value, Figure):
        return value.as_list()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return round(value, 9) if isinstance(value, float) else value
