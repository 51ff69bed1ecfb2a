"""Settings of a training run: typed, from ``configs/train/<name>.yaml``, every mistake told at once.

Conventions: one flat mapping. What the file leaves out keeps the default of the dataclass; what it says beyond the
dataclass is refused with the nearest name. A word on the command line (``--set key=value``) wins over the file.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import yaml

from hitloopd.core.errors import ConfigError, nearest
from offline.catalogue import SHIPPABLE

HERE: Final = Path(__file__).resolve()


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """What every recipe has.

    Args:
        epochs: how often the whole training data is seen.
        batch_size: bars per step.
        seed: of weights, order, noise.
        precision: of the arithmetic inside the networks; weights and optimisers stay float32.
        bars: at most so many training bars, a fixed random share of them; 0 is all.
        distinct: leave out bars whose roll came before in the data set.
        bass: only bars that have a bass line.
        licences: licence families to learn from.
        sample_every: epochs between two pictures.
        samples: bars in a picture.
        validate_every: epochs between two looks at the validation songs; 0 is never.
        best_by: figure of ``validate`` whose lowest value is kept as best.pt; empty: the last state is what counts.
        checkpoint_minutes: no more than this is lost when the power fails.
    """

    epochs: int = 100
    batch_size: int = 64
    seed: int = 1
    precision: Literal["float32", "bfloat16"] = "float32"
    bars: int = 0
    distinct: bool = False
    bass: bool = False
    licences: tuple[str, ...] = SHIPPABLE
    sample_every: int = 5
    samples: int = 24
    validate_every: int = 0
    best_by: str = ""
    checkpoint_minutes: float = 5.0


C = TypeVar("C", bound=TrainingConfig)


def read(kind: type[C], path: Path, changes: Sequence[str] = ()) -> C:
    """The settings of one file, changed by ``key=value`` words.

    Raises:
        ConfigError: the file is not there or no YAML mapping, or some keys or values are wrong: a line for each.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ConfigError([f"{path}: can't be read: {error.strerror or error}."]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: no YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(found, dict):
        raise ConfigError([f"{path}: expected a mapping of settings, got {type(found).__name__}."])
    bad = [f"--set {word}: expected key=value." for word in changes if "=" not in word]
    said = dict(word.split("=", 1) for word in changes if "=" in word)
    return parse(kind, {**found, **{key: yaml.safe_load(text) for key, text in said.items()}}, str(path), bad)


def parse(kind: type[C], values: Mapping[str, Any], where: str, bad: Sequence[str] = ()) -> C:
    """A mapping as settings.

    Raises:
        ConfigError: as ``read``; ``bad`` are mistakes already known.
    """
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    problems = list(bad)
    taken: dict[str, Any] = {}
    for key, value in values.items():
        if key not in names:
            problems.append(f"{where}: there is no setting '{key}'.{nearest(str(key), names)}")
            continue
        try:
            taken[key] = _fit(value, hints[key])
        except ValueError as error:
            problems.append(f"{where}: {key}: expected {error}, got {value!r}.")
    if problems:
        raise ConfigError(problems)
    return kind(**taken)


def plain(config: TrainingConfig) -> dict[str, Any]:
    """The settings as YAML knows them."""
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(config).items()
    }


def train_folder() -> Path:
    """Where the settings of the recipes lie: beside the package in a checkout, inside hitloopd's data in a wheel."""
    places = (HERE.parents[2] / "configs" / "train", HERE.parents[2] / "hitloopd" / "data" / "configs" / "train")
    return next((place for place in places if place.is_dir()), places[0])


def _fit(value: object, hint: Any) -> Any:  # noqa: ANN401 - a type hint can be anything
    """The value as the hint wants it; ValueError with what was expected."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value not in inner:
            raise ValueError("one of " + ", ".join(map(str, inner)))
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError("a list")
        return tuple(_fit(item, inner[0]) for item in value)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise ValueError(_WORDS[hint])
    return value


_WORDS: Final[Mapping[type, str]] = {int: "a whole number", float: "a number", bool: "true or false", str: "words"}
