"""The control process: session, surfaces and journal on one asyncio loop. Its death is never heard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from hitloopd import __version__
from hitloopd.app import adopt
from hitloopd.app.beginning import Beginning, Given
from hitloopd.app.desk import ControlDesk, Doors
from hitloopd.app.export import export
from hitloopd.app.facts import Facts
from hitloopd.app.kit_offer import KitOffer
from hitloopd.app.last_bar import LastBar
from hitloopd.app.listening import Listening
from hitloopd.app.logs import logging_to, set_level
from hitloopd.app.messages import (
    Answer,
    BarsDone,
    Checked,
    Do,
    Failed,
    Finished,
    Note,
    Pooled,
    Processes,
    Quit,
    Ready,
    Reload,
    Restart,
)
from hitloopd.app.midi_control import MidiSurface
from hitloopd.app.names import check_model
from hitloopd.app.options import RunOptions
from hitloopd.app.outputs import AUDIO, output_specs
from hitloopd.app.processes import GENERATOR
from hitloopd.app.reload import Reloader
from hitloopd.app.resources import places
from hitloopd.app.settings import Settings
from hitloopd.app.summary import shown, summary
from hitloopd.app.wardrobe import Wardrobe
from hitloopd.control.osc_server import OscSettings, OscSurface
from hitloopd.control.perform import perform
from hitloopd.core.commands import AskHealth, SetSource, StopAt, TellNotes
from hitloopd.core.errors import HitloopError
from hitloopd.core.notices import (
    BarStarted,
    Beat,
    ClockChanged,
    Done,
    KitProgress,
    Late,
    MidiReceived,
    NotePlayed,
    Notice,
    PlayerHealth,
    PlayerNotice,
    PlayerStarted,
    PortBack,
    PortLost,
    Refused,
    TransportChanged,
    Warned,
)
from hitloopd.core.pattern import Lane
from hitloopd.core.transport import Source
from hitloopd.generate.places import Places
from hitloopd.generate.registry import models
from hitloopd.io.audio_messages import AskAudioHealth, AudioHealth, AudioReady, SoundReady, SoundRefused
from hitloopd.io.link import Link
from hitloopd.ports.surface import ControlSurface, Outcome, Rejected
from hitloopd.session.journal import Journal

log = logging.getLogger(__name__)

TICK_S = 0.25
SYNC_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class ControlLinks:
    """The control process's ends."""

    supervisor: Link
    player: Link
    generator: Link
    audio: Link | None


def run(  # noqa: PLR0917 - the plan of processes hands them over in this order
    supervisor: Link, settings: Settings, options: RunOptions, player: Link, generator: Link, audio: Link | None
) -> None:
    """Obey until told to quit or the supervisor is gone. The process's entry point."""
    links = ControlLinks(supervisor, player, generator, audio)
    with logging_to(settings.log_level, lambda line: _say(links.supervisor, "log", line)):
        try:
            asyncio.run(_run(settings, options, links))
        except HitloopError as error:
            links.supervisor.send(Failed("control", str(error)))


def _say(supervisor: Link, level: str, text: str) -> None:
    supervisor.send(Note(level, text))


async def _run(settings: Settings, options: RunOptions, links: ControlLinks) -> None:
    control = Control(settings, options, links)
    try:
        await control.start()
        await control.ended.wait()
    finally:
        await control.close()


class Control:
    """Wires the desk to the links and the surfaces."""

    def __init__(self, settings: Settings, options: RunOptions, links: ControlLinks) -> None:
        self.ended = asyncio.Event()
        self._settings = settings
        self._options = options
        self._links = links
        self._facts = Facts()
        self._journal = Journal(settings.paths.state, adopt.first_state(settings))
        self._surfaces: list[ControlSurface] = []
        self._listening = Listening(settings, options.config, options.overrides, self._kit_progress)
        wardrobe = Wardrobe(settings.paths.library)
        self._desk = ControlDesk(self._facts, self._journal, output_specs(settings), self._doors(), wardrobe)
        self._kit_offer = KitOffer(self._desk, self._facts, self._publish, self._note)
        self._last_bar = LastBar(
            options.bars,
            self._facts,
            stop_at=lambda bar: self._desk.to_player(StopAt(bar), "", _nobody),
            ask_sound=None if links.audio is None else lambda: self._to_audio(AskAudioHealth()),
            over=lambda: links.supervisor.send(BarsDone()),
        )
        self._osc = OscSurface(self._desk, _osc_settings(settings), version=__version__)
        self._midi = MidiSurface(settings, self._desk, lambda text: self._note("warning", text))
        self._reloader = Reloader(options, settings)
        self._beginning = Beginning(
            Given(settings, options, self._journal.memo, links.audio is not None),
            self._desk,
            self._facts,
            complain=self._complain,
            started=self._on_started,
        )
        self._notes_at_once = True
        self._problems: list[str] = []
        self._noted: set[Lane] = set()
        self._seeds: list[int] = []
        self._script = list(options.script)
        self._tasks: list[asyncio.Task[None]] = []

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Open the doors and say so."""
        await self._osc.start()
        self._facts.osc_port = self._osc.port
        self._surfaces = [self._osc, self._midi]
        loop = asyncio.get_running_loop()
        for link, take in self._readers():
            loop.add_reader(link.fileno(), take)
        self._tasks = [asyncio.create_task(self._look_after()), asyncio.create_task(self._sync())]
        lines = [f"OSC on {self._settings.osc.host}:{self._osc.port}", f"session in {self._settings.paths.state}"]
        if self._journal.report:
            lines.append(self._journal.report)
        self._links.supervisor.send(Ready("control", (*lines, *self._midi.lines)))
        self._desk.to_player(AskHealth(), "", _nobody)  # one that plays already tells it and nothing else
        if self._beginning.started:
            self._desk.on_player_started()
            self._osc.core.recall(self._journal.memo.get("subscribers", ()))

    def _readers(self) -> list[tuple[Link, Callable[[], None]]]:
        links = self._links
        readers = [
            (links.supervisor, self._from_supervisor),
            (links.player, self._from_player),
            (links.generator, self._from_generator),
        ]
        return [*readers, (links.audio, self._from_audio)] if links.audio is not None else readers

    async def close(self) -> None:
        """Close the doors, tell the summary, let the journal go."""
        for task in self._tasks:
            task.cancel()
        loop = asyncio.get_running_loop()
        for link, take in self._readers():
            with contextlib.suppress(ValueError, OSError):  # it never was added, or its end is gone
                loop.remove_reader(link.fileno())
            if link is not self._links.supervisor:
                take()  # the last words of those that ended before us
        await self._osc.stop()
        await self._listening.close()
        self._remember()
        state, seed = self._desk.history.present, self._settings.gen.seed
        told = summary(self._facts, state, seed=seed, seeds=self._seeds, problems=self._problems)
        self._links.supervisor.send(Finished(told))
        self._journal.sync()
        self._journal.close()

    async def _look_after(self) -> None:
        seconds = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            self._desk.look_after()
            self._last_bar.look()
            if self._beginning.waits_for_sound:
                self._beginning.first_bar()
            seconds += TICK_S
            if seconds >= 1.0:
                seconds = 0.0
                if self._links.audio is not None:
                    self._links.audio.send(AskAudioHealth())
                self._remember()
            self._take_config()
            for link in (self._links.player, self._links.generator, self._links.audio):
                if link is not None:
                    link.flush()

    async def _sync(self) -> None:
        """A power cut is no kill: the disk itself gets the journal once a second, off the loop."""
        while True:
            await asyncio.sleep(SYNC_EVERY_S)
            await asyncio.to_thread(self._journal.sync)

    def _remember(self) -> None:
        transport = self._facts.transport
        memo: dict[str, object] = {"config": adopt.remembered(self._settings), "bpm": transport.bpm}
        memo["subscribers"] = self._osc.core.kept()
        if self._beginning.started:
            memo["run"] = self._options.run
        if transport.source is Source.MIDI:
            memo["bpm"] = self._journal.memo.get("bpm", self._settings.transport.bpm)
        self._journal.remember(memo)

    # ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _from_supervisor(self) -> None:
        for message in self._links.supervisor.receive():
            match message:
                case Quit():
                    self.ended.set()
                case Processes(rows):
                    self._on_processes(rows)
                case Do(address, arguments):
                    self._do(address, arguments)
                case Reload():
                    self._reloader.again()
                case _:
                    self._note("warning", f"unknown message {message!r}")
        if self._links.supervisor.closed:
            self.ended.set()

    def _on_processes(self, rows: Mapping[str, tuple[bool, int, int]]) -> None:
        before, self._facts.processes = self._facts.processes.get(GENERATOR), rows
        if before is not None and GENERATOR in rows and rows[GENERATOR][2] != before[2]:
            self._desk.on_generator_started()

    def _from_generator(self) -> None:
        for message in self._links.generator.receive():
            if isinstance(message, Pooled):
                self._facts.pool = message.bars
            if isinstance(message, Answer | Checked):
                self._desk.on_answer(message)
            if isinstance(message, Answer):
                if message.pattern is not None:
                    self._seeds.append(self._desk.history.present.seed)
                self._beginning.first_bar()

    def _from_audio(self) -> None:
        assert self._links.audio is not None
        for message in self._links.audio.receive():
            match message:
                case AudioHealth():
                    self._facts.audio = message
                    self._last_bar.sounding(message.voices)
                case AudioReady(device, rate, block, latency_ms, kit):
                    self._facts.audio_text = f"{device}, {rate} Hz, {block} frames, {latency_ms:.0f} ms, kit {kit}"
                    self._note("info", f"sound: {self._facts.audio_text}")
                    self._desk.on_audio(message)
                case SoundReady() | SoundRefused():
                    self._desk.on_audio(message)
                case Warned(code):
                    self._publish(message)
                    silent = code == "audio" and self._settings.paths.capture is None
                    if silent and not self._facts.audio_text:
                        self._without_sound(message.text)
                case _:
                    self._publish(message)  # type: ignore[arg-type] - PortLost and PortBack

    def _from_player(self) -> None:
        for batch in self._links.player.receive():
            for notice in cast("tuple[PlayerNotice, ...]", batch):
                self._on_player(notice)

    def _on_player(self, notice: Notice) -> None:
        facts = self._facts
        match notice:
            case Done():
                self._desk.on_done(notice)
                self._beginning.begin()  # where the player said that it runs to a control process that died of it
            case Refused():
                self._desk.on_refused(notice)
            case PlayerHealth():
                facts.player = notice
                return
            case PlayerStarted():
                self._last_bar.player_started()
                self._notes_at_once = True  # as a player begins
                self._desk.on_player_started()
                self._beginning.begin()
                return
            case TransportChanged(transport):
                facts.moved(transport)
                self._remember()
                self._last_bar.moved()
            case BarStarted():
                self._desk.on_bar(notice)
            case MidiReceived():
                self._midi.receive(notice)
                return
            case NotePlayed(_, lane):
                self._tell_silent(lane)
            case Beat():
                self._choose_notes(wanted=self._osc.wants_notes)
            case _:
                log.debug("player: %s", notice)
        self._publish(notice)
        self._show(notice)

    def _choose_notes(self, *, wanted: bool) -> None:
        """Each note as it sounds wakes two processes; that is for when somebody looks."""
        if wanted is not self._notes_at_once:
            self._notes_at_once = wanted
            self._desk.to_player(TellNotes(wanted), "", _nobody)

    def _tell_silent(self, lane: Lane) -> None:
        """A lane that goes nowhere says so at its first note."""
        if lane not in self._noted:
            self._noted.add(lane)
            if not any(spec.notes and lane in spec.routes for spec in self._facts.outputs):
                text = f"Lane {lane} goes to no output: its notes are not heard. See midi.outputs and audio.backend."
                self._publish(Warned("lane", text))

    def _on_started(self, lines: tuple[str, str]) -> None:
        self._remember()
        self._links.supervisor.send(Ready("session", lines))

    # ── carrying out ────────────────────────────────────────────────────────────────────────────────────────────────

    def _do(self, address: str, arguments: tuple[str | int | float | bool, ...]) -> None:
        """An address as if it came by OSC: keys, script, MIDI control."""
        perform(self._desk, address, arguments, time.monotonic_ns(), lambda _, outcome: self._complain(outcome))

    def _complain(self, outcome: Outcome) -> None:
        if isinstance(outcome, Rejected):
            self._note("warning", outcome.text)

    def _publish(self, notice: Notice) -> None:
        for surface in self._surfaces:
            surface.publish(notice)
        match notice:
            case Warned(code, text):
                self._note("warning", text)
                if code == "capture":
                    self._problems.append(text)
            case ClockChanged(_, text):
                self._note("info", text)
            case PortLost(port, text):
                self._note("warning", f"{port}: {text}")
            case PortBack(port):
                self._note("info", f"{port} is back")
            case Late(bar):
                self._note("warning", f"the generator was late; the new bar plays from bar {bar + 1}")
            case _:
                return

    def _note(self, level: str, text: str) -> None:
        self._links.supervisor.send(Note(level, text))

    def _places(self) -> Places:
        """Where models are looked for: a folder that was put there a moment ago counts."""
        return places(self._settings.paths.library, self._settings.gen.dataset)

    def _doors(self) -> Doors:
        links = self._links
        return Doors(
            player=links.player.send,
            generator=links.generator.send,
            audio=self._to_audio if links.audio is not None else None,
            publish=self._publish,
            restart_generator=lambda why: _nowhere(links.supervisor.send(Restart("generator", why))),
            export=lambda name, state, bpm: export(self._settings, name, state, bpm),
            listen=self._listening.begin,
            check_model=lambda model, style: check_model(model, style, self._places()),
            morphs=lambda model: model in models(self._places()),
            now_ns=time.monotonic_ns,
        )

    # ── sound, config ───────────────────────────────────────────────────────────────────────────────────────────────

    def _to_audio(self, message: object) -> None:
        assert self._links.audio is not None
        self._links.audio.send(message)

    def _kit_progress(self, notice: KitProgress) -> None:
        self._kit_offer.progress(notice, use=self._listening.use)

    def _without_sound(self, why: str) -> None:
        """No device and no capture: the player stops preparing sound that nobody hears."""
        self._facts.audio_text = f"no sound: {why}"
        quiet = tuple(replace(spec, notes=False) if spec.name == AUDIO else spec for spec in self._desk.outputs)
        self._desk.use_outputs(quiet)

    def _take_config(self) -> None:
        taken = self._reloader.look()
        for problem in taken.problems:
            self._publish(Warned("config", problem))
        if taken.kit is not None:
            self._desk.reread_kit(self._complain)
        if taken.settings is not None:
            self._use(taken.settings, taken.changed)

    def _use(self, settings: Settings, changed: tuple[str, ...]) -> None:
        before, self._settings = self._settings, settings
        if output_specs(before) != output_specs(settings):
            self._desk.use_outputs(output_specs(settings))
        if "log.level" in changed:
            set_level(settings.log_level)
        if "osc.allow" in changed:
            self._osc.allow(settings.osc.allow)
        if "control.midi" in changed:
            self._midi.use(settings)
        history = self._desk.history
        history.present = adopt.with_key(history.present, settings)
        for address, command in adopt.commands_for(changed, settings):
            self._desk.submit(address, command, self._complain)
        if "sync.source" in changed:
            self._desk.to_player(SetSource(Source(settings.sync.source)), "", _nobody)
        self._note("info", f"config taken over: {', '.join(changed)}")

    # ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _show(self, notice: Notice) -> None:
        """What the terminal shows; and the demo's script, in the middle of its bars."""
        if isinstance(notice, Beat) and notice.beat == 2:
            due = [address for bar, address in self._script if bar == notice.bar]
            self._script = [item for item in self._script if item[0] != notice.bar]
            for address in due:
                self._do(address, ())
        if not self._options.show:
            return
        self._links.supervisor.send(shown(self._facts, self._desk.history.present, notice))


def _osc_settings(settings: Settings) -> OscSettings:
    osc = settings.osc
    return OscSettings(
        host=osc.host,
        port=osc.port,
        tcp_port=osc.tcp_port or None,
        slip_port=osc.slip_port or None,
        allow=osc.allow,
        max_ahead_s=osc.max_ahead_s,
    )


def _nobody(_: Outcome) -> None:
    """Nobody waits for this answer."""


def _nowhere(_: object) -> None:
    """There is no audio process."""
