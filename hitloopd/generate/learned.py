"""Learned generators: a model folder becomes a generator. Checked before it is run, run by one quiet thread.

A *drawer* makes patterns with one kind of model; ``kinds.KINDS`` says which class does it.

Conventions: numpy and onnxruntime are loaded when a model is (some 200 ms, generator process only), never by importing
this module.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hitloopd.core.errors import HitloopError, UnavailableError
from hitloopd.core.pattern import LANES, Near, Note, Pattern, Provenance
from hitloopd.core.request import Request
from hitloopd.generate.card import Card, check_files, checked_bytes, read_card
from hitloopd.generate.credits import INDEX
from hitloopd.generate.kinds import KINDS

if TYPE_CHECKING:
    from hitloopd.generate.novelty import Index


class Session(Protocol):
    """What a drawer uses of ``onnxruntime.InferenceSession``."""

    def run(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any], /) -> list[Any]:
        """The named outputs (``None``: all) for these inputs."""
        ...

    def get_inputs(self) -> Sequence[Any]:
        """Name, shape and type of each input."""
        ...

    def get_outputs(self) -> Sequence[Any]:
        """Name, shape and type of each output."""
        ...


class Drawer(Protocol):
    """Draws patterns with one model: a class called with ``(session, card fields)``.

    The constructor raises ``UnavailableError`` where the model has other inputs or outputs than the kind needs (see
    ``require_shapes``). Beside ``draw`` a drawer may have ``draw_many(requests) -> list[Pattern]``, which makes the
    same bars in batches.

    The pattern that ``draw`` returns is the whole bar or at least ``request.lanes``, candidates and priorities
    included (``core.energy.prioritise``). Its provenance is filled in later; of what the drawer put there itself
    ``parameters`` are kept (say ``{"latent": …}``), and ``parent`` (the id of the condition or the first point, where
    the drawer listened to it). What it can't do it refuses with a ``HitloopError``: without ``points`` support,
    ``UnavailableError`` for a request with points, and the session then morphs note by note.
    """

    def draw(self, request: Request) -> Pattern:
        """The bar. Same request, same bytes. Thread: generator process. Real-time: no."""
        ...


def open_session(data: bytes) -> Session:
    """An onnxruntime session of a model's bytes with one thread that never spins.

    Raises:
        UnavailableError: onnxruntime is not there, or it is no model that it can run.
    """
    try:
        ort: Any = importlib.import_module("onnxruntime")  # some 150 ms that only a learned generator pays
    except ImportError as error:
        raise UnavailableError(f"Learned generators need onnxruntime: {error}. Try: pip install onnxruntime") from error
    options: Any = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # what is wrong comes as an exception
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        session: Session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise UnavailableError(f"onnxruntime can't run it: {str(error).partition(chr(10))[0][:200]}") from error
    return session


def require_shapes(
    session: Session,
    inputs: Mapping[str, Sequence[int | None]],
    outputs: Mapping[str, Sequence[int | None]],
) -> None:
    """Check names and shapes; ``None`` stands for any length (a batch).

    Raises:
        UnavailableError: one is missing or has another shape; the message says which.
    """
    for what, expected, found in (
        ("input", inputs, session.get_inputs()),
        ("output", outputs, session.get_outputs()),
    ):
        shapes: dict[str, list[Any]] = {item.name: list(item.shape) for item in found}
        for name, shape in expected.items():
            if name not in shapes:
                raise UnavailableError(f"it has no {what} '{name}', only {', '.join(shapes) or 'none'}")
            if not _fits(shapes[name], shape):
                raise UnavailableError(f"its {what} '{name}' is {_plain(shapes[name])}, expected {_plain(shape)}")
        if what == "input" and (more := shapes.keys() - expected.keys()):
            raise UnavailableError(f"it also wants {', '.join(sorted(more))}, which nobody gives")


class Learned:
    """Generator of one model folder: checks it, then draws.

    Args:
        folder: has model.onnx and card.yaml.

    Raises:
        UnavailableError: something is missing, corrupt or does not fit; the message names model and reason.

    Thread: generator process. Real-time: no.
    """

    def __init__(self, folder: Path) -> None:
        self.card: Card = read_card(folder)
        self.name = self.card.name
        self.styles: tuple[str, ...] = self.card.styles
        try:
            self._drawer = self._make(check_files(folder, self.card))
            self._index = self._read_index(folder)
        except UnavailableError as error:
            text = str(error)
            if text.startswith("The model"):
                raise
            raise UnavailableError(
                f"The model '{self.name}' is refused: {text.rstrip('.')}. "
                "Put the whole folder there again, or choose another generator."
            ) from error

    @property
    def model_hash(self) -> str:
        """Hash of the model file."""
        return self.card.model_hash

    def generate(self, request: Request) -> Pattern:
        """The bar: the lanes asked for, with who made it from what.

        Raises:
            HitloopError: the model can't do what is asked.
        """
        return self._told(request, self._drawer.draw(request))

    def generate_many(self, requests: Sequence[Request]) -> list[Pattern]:
        """The same bars as one by one, in batches where the model can.

        Where a drawer's arithmetic depends on the batch, once in some thousand bars a choice may tip the other way.
        """
        many: Callable[[Sequence[Request]], list[Pattern]] | None = getattr(self._drawer, "draw_many", None)
        drawn = many(requests) if many is not None else [self._drawer.draw(request) for request in requests]
        return [self._told(request, pattern) for request, pattern in zip(requests, drawn, strict=True)]

    def _make(self, data: bytes) -> Drawer:
        where = KINDS.get(self.card.kind)
        if where is None:
            raise UnavailableError(f"its kind '{self.card.kind}' is unknown here, known are {', '.join(KINDS)}")
        module, _, name = where.partition(":")
        make: Callable[[Session, Mapping[str, object]], Drawer] = getattr(importlib.import_module(module), name)
        try:
            return make(open_session(data), self.card.fields)
        except HitloopError:
            raise
        except Exception as error:  # a card field that the drawer trips over is a broken card, not a broken daemon
            raise UnavailableError(f"{self.card.kind} can't use it ({type(error).__name__}: {error})") from error

    def _read_index(self, folder: Path) -> Index | None:
        """The fingerprints of the training bars, where the card speaks of any."""
        digest = self.card.fields.get("index_sha256")
        if digest is None:
            return None
        novelty: Any = importlib.import_module("hitloopd.generate.novelty")
        index: Index = novelty.read_index(checked_bytes(folder, INDEX, str(digest)))
        return index

    def _nearest(self, request: Request, notes: tuple[Note, ...]) -> tuple[Near, ...]:
        """The training bars nearest to what will sound: the new lanes beside those that stay."""
        if self._index is None:
            return ()
        kept = () if request.condition is None else request.condition.notes
        rest = tuple(note for note in kept if note.lane not in request.lanes)
        return self._index.nearest(Pattern((*notes, *rest)).at(request.energy))

    def _told(self, request: Request, drawn: Pattern) -> Pattern:
        own = drawn.provenance
        notes = tuple(note for note in drawn.notes if note.lane in request.lanes)
        provenance = Provenance(
            generator=self.name,
            model=self.model_hash,
            seed=request.seed,
            parameters={
                "style": request.style,
                "energy": float(request.energy),
                "temperature": float(request.temperature),
                "lanes": ",".join(lane.value for lane in LANES if lane in request.lanes),
                **own.parameters,
            },
            parent=own.parent,
            sources=(f"model {self.name} {self.model_hash}",),
            nearest=self._nearest(request, notes),
        )
        return replace(drawn, notes=notes, provenance=provenance)


def _fits(found: Sequence[Any], expected: Sequence[int | None]) -> bool:
    """Same rank, and every fixed length the same; a free one must be free in the model too."""
    return len(found) == len(expected) and all(
        not isinstance(have, int) if want is None else have == want for have, want in zip(found, expected, strict=True)
    )


def _plain(shape: Sequence[Any]) -> str:
    return " x ".join("any" if not isinstance(size, int) else str(size) for size in shape)
