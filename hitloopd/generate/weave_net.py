"""The network of ``weave``: the four steps that the walk takes it by, and how onnxruntime takes them.

Its file has the four as branches of one graph (``offline.models.weave_branches``): the input ``which`` says whose turn
it is, the others are shared, and each step puts what it is told side by side, whole numbers and values.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from hitloopd.core.errors import UnavailableError
from hitloopd.generate.learned import Session, require_shapes
from hitloopd.generate.weave_bar import (
    CELLS,
    CHORDS,
    FINE,
    LENGTHS,
    PITCHES,
    PLACES,
    POINTERS,
    VELOCITIES,
    Array,
)

NOISE: Final = (PLACES, PITCHES + 1, POINTERS + 1, VELOCITIES, POINTERS + 1, LENGTHS, FINE, 2)
"""Parts of a hit's noise: place, pitch, which way to the velocity (afresh, or by a pointer) and which one, likewise
length, fine, more."""
STARTS: Final = (0, *accumulate(NOISE))
"""Where each of them begins, and how many they are in all."""


class StepInputs(NamedTuple):
    """What is asked of the trunk; arrays as in ``offline.models.weave_drawing``."""

    base: Array
    before_it: Array
    held: Array
    pace: Array
    past: Array


class HitInputs(NamedTuple):
    """What is asked of the hit head; arrays as in ``offline.models.weave_drawing``."""

    state_of: Array
    before: Array
    known: Array
    facts: Array
    old: Array
    noise: Array


class Net(Protocol):
    """The network's four steps; arrays as in ``offline.models.weave_drawing``."""

    width: int
    past: tuple[int, int, int]
    """Layers, heads, size of a head."""

    def whole(self, style: Array, has_bass: Array, energy: Array, told: Array) -> Array:
        """What every cell begins with."""
        ...

    def read(self, given: Array, kept: Array) -> tuple[Array, Array]:
        """What to add for the given lanes, and the contents of their hits."""
        ...

    def step(self, told: StepInputs) -> tuple[Array, Array, Array]:
        """Chances of the combinations, states, longer past."""
        ...

    def hit(self, told: HitInputs) -> tuple[Array, Array]:
        """Facts and vectors of hits."""
        ...


class OnnxNet:
    """The network in an onnxruntime session.

    Raises:
        UnavailableError: the model has other inputs or outputs.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        found: dict[str, Sequence[Any]] = {item.name: list(item.shape) for item in session.get_inputs()}
        past = [size for size in found.get("past", ()) if isinstance(size, int)]
        if len(past) != 3 or past[2] % 2:
            raise UnavailableError("it has no input 'past' of cells x layers x heads x cells before x keys and values")
        layers, heads, both = past
        self.past = (layers, heads, both // 2)
        self.width = heads * both // 2
        inputs: dict[str, Sequence[int | None]] = {
            "which": (),
            "numbers": (None, None),
            "values": (None, None),
            "past": (None, layers, heads, None, both),
        }
        require_shapes(session, inputs, {})
        if missing := {"chosen", "found", "present"} - {item.name for item in session.get_outputs()}:
            raise UnavailableError(f"it has no output {', '.join(sorted(missing))}")  # branches hide their shapes
        self._no_past = np.zeros((0, layers, heads, 0, both), dtype=np.float32)

    def whole(self, style: Array, has_bass: Array, energy: Array, told: Array) -> Array:
        """See ``Net``."""
        numbers, values = np.stack((style, has_bass), axis=1), np.concatenate((energy[:, None], told), axis=1)
        (bases,) = self._run(_WHOLE, ("found",), numbers, values, self._no_past)
        return np.asarray(bases.reshape(-1, CELLS, self.width))

    def read(self, given: Array, kept: Array) -> tuple[Array, Array]:
        """See ``Net``."""
        (found,) = self._run(_READ, ("found",), kept.reshape(len(kept), -1), given, self._no_past)
        both = found.reshape(-1, 2, CELLS, self.width)
        return both[:, 0], both[:, 1]

    def step(self, told: StepInputs) -> tuple[Array, Array, Array]:
        """See ``Net``."""
        values = np.concatenate((told.base, told.before_it, told.pace), axis=1)
        found, present = self._run(_STEP, ("found", "present"), told.held, values, told.past)
        return found[:, :CHORDS], found[:, CHORDS:], present

    def hit(self, told: HitInputs) -> tuple[Array, Array]:
        """See ``Net``."""
        numbers = np.concatenate((told.known, told.facts, told.old), axis=1)
        values = np.concatenate((told.state_of, told.before, told.noise), axis=1)
        chosen, vectors = self._run(_HIT, ("chosen", "found"), numbers, values, self._no_past)
        return chosen, vectors

    def _run(self, which: Array, outputs: Sequence[str], numbers: Array, values: Array, past: Array) -> list[Any]:
        return self._session.run(outputs, {"which": which, "numbers": numbers, "values": values, "past": past})


_WHOLE, _READ, _STEP, _HIT = (np.array(turn, dtype=np.int64) for turn in range(4))
