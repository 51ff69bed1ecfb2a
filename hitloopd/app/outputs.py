"""The outputs a daemon has: MIDI ports, the sound and the capture file. One table for player and control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from hitloopd.app.settings import Settings
from hitloopd.core.pattern import LANES, Lane
from hitloopd.core.routes import PRESETS, OutputSpec, Route
from hitloopd.io.audio_messages import AudioSpec

AUDIO: Final = "audio"
CAPTURE: Final = "capture"
NOT_MIDI: Final = frozenset({AUDIO})
"""Outputs whose channel is the lane's number: MIDI notes and channels of lanes do not concern them."""

DEFAULT_BLOCK: Final = 256
DEVICE_LATENCY_MS: Final = {"low": 10.0, "high": 60.0}
MAX_OFFSET_MS: Final = 100.0


def audio_wanted(settings: Settings) -> bool:
    """Whether there is an audio process: for sound, or to write a capture."""
    return settings.audio.backend != "none" or settings.paths.capture is not None


def audio_spec(settings: Settings, kit_dirs: tuple[Path, ...], capture_name: str) -> AudioSpec:
    """What the audio process is started with."""
    capture = settings.paths.capture
    return AudioSpec(
        kit=settings.kit,
        kit_dirs=tuple(str(path) for path in kit_dirs),
        cache_dir=str(settings.paths.cache),
        backend=settings.audio.backend,
        device=settings.audio.device,
        rate=settings.audio.rate,
        block=settings.audio.block or DEFAULT_BLOCK,
        latency_ms=DEVICE_LATENCY_MS[settings.audio.latency],
        bass_root=settings.gen.root,
        wav_path=str(capture / f"{capture_name}.wav") if capture else "",
        midi_path=str(capture / f"{capture_name}.mid") if capture else "",
        midi_routes=None,
    )


def output_specs(settings: Settings) -> tuple[OutputSpec, ...]:
    """Every output, MIDI first."""
    shift = settings.sync.offset_ms if settings.sync.source == "midi" else 0.0
    specs = [output.spec for output in settings.midi.outputs] if settings.midi.backend != "none" else []
    if audio_wanted(settings):
        specs.append(OutputSpec(AUDIO, _by_lane(), offset_ms=settings.audio.offset_ms, sounds=True))
    if settings.paths.capture is not None:
        specs.append(OutputSpec(CAPTURE, PRESETS[settings.midi.map]))
    return tuple(_shifted(spec, shift) for spec in specs)


def _by_lane() -> Mapping[Lane, Route]:
    return {lane: Route(index + 1, 60) for index, lane in enumerate(LANES)}


def _shifted(spec: OutputSpec, by_ms: float) -> OutputSpec:
    return spec.with_offset(min(max(spec.offset_ms + by_ms, -MAX_OFFSET_MS), MAX_OFFSET_MS))


def with_lane_changes(
    spec: OutputSpec,
    *,
    notes: Mapping[Lane, int],
    channels: Mapping[Lane, int],
    offsets_ms: Mapping[Lane, float],
) -> OutputSpec:
    """An output as the user changed its lanes by OSC."""
    routes: dict[Lane, Route] = {}
    for lane, route in spec.routes.items():
        changed = replace(route, offset_ms=offsets_ms.get(lane, route.offset_ms))
        if spec.name not in NOT_MIDI:
            changed = replace(changed, note=notes.get(lane, route.note), channel=channels.get(lane, route.channel))
        routes[lane] = changed
    return replace(spec, routes=routes)
