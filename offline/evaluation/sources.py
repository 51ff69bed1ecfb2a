"""Who is judged: baselines, generators of the daemon, model folders, files of rolls. All become rolls the same way.

Conventions: a generator is asked as the daemon asks it, and its bar is what sounds with the energy knob where the
request put it. Its seeds follow from the judge's seed. How it is asked:

- ``plain``: as ``hitloopd generate`` does with a fresh config: one style, energy one half.
- ``data``: like a training bar picked at random: its style, where the generator knows that or its family (the word
  before the slash), otherwise a style of the generator's own by chance. Models whose card says that they follow the
  energy also get that bar's. Against ``all`` bars, both ways, the bass is left out where the picked bar has none.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np
import numpy.typing as npt

from hitloopd.core.errors import ArgumentError, UnavailableError
from hitloopd.core.pattern import ALL_LANES, DRUM_LANES, LANES, Pattern
from hitloopd.core.request import MAX_SEED, Request, next_seed
from hitloopd.generate.card import CARD, MODEL, read_card
from hitloopd.generate.registry import Places, generators, load
from hitloopd.generate.roll import BASS_ROW, roll_from_pattern
from hitloopd.ports.generator import Generator
from offline.evaluation.baselines import NEGATIVES, REFERENCES, make
from offline.evaluation.reference import Reference
from offline.evaluation.views import as_bytes
from offline.jobs import file_hash, job_key

Ask = Literal["data", "plain"]
ASKS: Final[tuple[Ask, ...]] = ("data", "plain")
Kind = Literal["baseline", "generator", "model", "rolls"]
ANY_STYLE: Final = "house"  # generators without styles ignore it
FOLLOWS_ENERGY: Final = frozenset({"weave"})  # kinds of model whose bars come with the energy that was asked for
BASELINES: Final = (*REFERENCES, *NEGATIVES)
DEAF: Final = frozenset({"latent"})  # kinds whose bar follows from seed and temperature alone, at energy one half
_AT_ONCE: Final = 256
_PROBES: Final = 12


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to judge.

    Args:
        name: in the table.
        kind: what it is.
        where: a baseline's or generator's name, a model's folder, a file.
        temperature: what a generator is asked for.
        ask: ``data`` or ``plain``.
        dataset: what ``rowmix`` mixes.
    """

    name: str
    kind: Kind
    where: str
    temperature: float = 1.0
    ask: Ask = "data"
    dataset: str = ""


def parse(word: str, *, temperature: float, ask: Ask, dataset: Path) -> Source:
    """The source a word of the command line means: a model folder, a file of rolls, or a generator's name.

    Raises:
        ArgumentError: it is none of them; the message has what is known.
    """
    found = _parse(word, temperature=temperature, ask=ask, dataset=dataset)
    return replace(found, name=f"{found.name} ({found.kind})") if found.name in BASELINES else found


def _parse(word: str, *, temperature: float, ask: Ask, dataset: Path) -> Source:
    path = Path(word)
    if path.suffix == ".npz" and path.is_file():
        return Source(path.stem, "rolls", str(path))
    if holds_model(path):
        return Source(path.resolve().name, "model", str(path), temperature, ask)
    if path.is_dir():
        raise ArgumentError(
            f"'{word}' is a folder without card.yaml or model.onnx: no model. Export one: python -m offline export."
        )
    if word in generators():
        return Source(word, "generator", word, temperature, ask, str(dataset))
    raise ArgumentError(
        f"'{word}' is no model folder, no .npz of rolls and no generator (there are {', '.join(generators())})."
    )


def holds_model(folder: Path) -> bool:
    """There is a model in the folder, whole or not."""
    return (folder / CARD).is_file() or (folder / MODEL).is_file()


def baseline(name: str) -> Source:
    """One of ``baselines``."""
    return Source(name, "baseline", name)


def fingerprint(source: Source) -> str:
    """Changes when the source would draw other bars: the file's or model's hash, and some bars as they come today.

    So a change to the code that draws counts when it changes bars, and no other change does.
    """
    if source.kind == "baseline":
        return source.where
    if source.kind == "rolls":
        return file_hash(Path(source.where))
    generator = opened(source)
    style = style_for("", generator.styles, np.random.default_rng(0))
    conditions = generator.generate(Request(source.where, 1, style))
    asked = [
        Request(source.where, number, style, energy, source.temperature, lanes, condition=condition)
        for number in range(_PROBES)
        for energy, lanes, condition in (
            (0.5, ALL_LANES, None),
            (0.2, frozenset(DRUM_LANES), None),
            (0.8, frozenset(LANES[number % len(LANES) :]), conditions),
        )
    ]
    return job_key(generator.model_hash, *((p.notes, p.root) for p in answers(generator, asked)))


def opened(source: Source) -> Generator:
    """The generator, ready to draw; raises ``UnavailableError`` where it does not start."""
    if source.kind == "model":
        from hitloopd.generate.learned import Learned  # noqa: PLC0415 - onnxruntime, for models only

        learned: Any = Learned(Path(source.where))
        return cast("Generator", learned)
    dataset = Path(source.dataset) if source.dataset else None
    return load(source.where, Places(dataset=dataset))


def is_model_of(source: Source, kinds: frozenset[str]) -> bool:
    """The source is a model folder of one of these kinds."""
    return source.kind == "model" and read_card(Path(source.where)).kind in kinds


def rolls(source: Source, held: Reference, count: int, seed: int) -> npt.NDArray[np.uint8]:
    """``count`` bars ``[n, 128, 20]``; of a file at most as many as it has.

    Raises:
        UnavailableError: the model is refused, or the file has no rolls.
    """
    if source.kind == "baseline":
        return make(source.where, held.material, count, seed)
    if source.kind == "rolls":
        return _from_file(Path(source.where), count, seed)
    if is_model_of(source, DEAF):
        bars = _whole(source, count, seed).copy()
        bars[~held.bass[held.asked(count, seed)], :, BASS_ROW:] = 0
        return bars
    generator = opened(source)
    return as_bytes(drawn(generator, requests(source, generator.styles, held, count, seed)))


@functools.lru_cache(maxsize=64)
def _whole(source: Source, count: int, seed: int) -> npt.NDArray[np.uint8]:
    """Bars of a model that knows neither style nor lanes, drawn once for all references: its lanes are cut out."""
    generator = opened(source)
    asked = [Request(source.where, first_seed(seed), temperature=source.temperature)]
    while len(asked) < count:
        asked.append(replace(asked[-1], seed=next_seed(asked[-1].seed)))
    return as_bytes(drawn(generator, asked))


def drawn(generator: Generator, asked: Sequence[Request]) -> npt.NDArray[np.float32]:
    """What sounds of the bars that the generator answers with, as float rolls."""
    return np.stack(
        [
            roll_from_pattern(pattern.at(request.energy))
            for request, pattern in zip(asked, answers(generator, asked), strict=True)
        ]
    )


def answers(generator: Generator, asked: Sequence[Request]) -> list[Pattern]:
    """The generator's bars, in batches where it can."""
    many: Any = getattr(generator, "generate_many", None)
    if many is None:
        return [generator.generate(request) for request in asked]
    return [p for start in range(0, len(asked), _AT_ONCE) for p in many(asked[start : start + _AT_ONCE])]


def requests(source: Source, styles: Sequence[str], held: Reference, count: int, seed: int) -> list[Request]:
    """What a generator with these styles is asked, one request per bar: see above."""
    follows = is_model_of(source, FOLLOWS_ENERGY) and source.ask == "data"
    out: list[Request] = []
    number = first_seed(seed)
    rng = np.random.default_rng([seed, 33])
    for picked in held.asked(count, seed):
        request = Request(source.where, number, temperature=source.temperature)
        if source.ask == "data":
            request = replace(request, style=style_for(str(held.styles[picked]), styles, rng))
        if follows:
            request = replace(request, energy=held.energy(picked))
        out.append(replace(request, lanes=ALL_LANES if held.bass[picked] else frozenset(DRUM_LANES)))
        number = next_seed(number)
    return out


def first_seed(seed: int) -> int:
    """Where a generator's seeds begin for a seed of the judge: far from those of every other."""
    return int(np.random.default_rng([seed, 34]).integers(MAX_SEED))


def style_for(wanted: str, known: Sequence[str], rng: np.random.Generator) -> str:
    """A data set's style among a generator's: itself, its family, or one by chance."""
    chance = known[int(rng.integers(len(known)))] if known else ANY_STYLE
    return next((style for style in (wanted, wanted.partition("/")[0]) if style in known), chance)


def _from_file(path: Path, count: int, seed: int) -> npt.NDArray[np.uint8]:
    with np.load(path, allow_pickle=False) as file:
        if "rolls" not in file:
            raise UnavailableError(f"{path} has no array 'rolls', only {', '.join(file)}. Expected is n x 128 x 20.")
        bars = as_bytes(file["rolls"])
    return bars[np.random.default_rng([seed, 35]).permutation(len(bars))[:count]]


def raw_rolls(source: Source, count: int, seed: int) -> npt.NDArray[np.uint8]:
    """What a network of kind ``latent`` draws before anything is made of it: the paper measured that.

    Raises:
        UnavailableError: the model is refused.
    """
    from hitloopd.generate.card import check_files  # noqa: PLC0415 - for models only
    from hitloopd.generate.latent import GRAIN, normals  # noqa: PLC0415
    from hitloopd.generate.learned import open_session  # noqa: PLC0415

    folder = Path(source.where)
    session = open_session(check_files(folder, read_card(folder)))
    number, points = first_seed(seed), []
    for _ in range(count):
        points.append(normals(number, 0, source.temperature))
        number = next_seed(number)
    latents = np.stack(points).astype(np.float32) / np.float32(GRAIN)
    parts = [session.run(["roll"], {"latent": latents[at : at + 64]})[0] for at in range(0, count, 64)]
    return as_bytes(np.concatenate(parts))
