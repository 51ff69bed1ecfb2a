"""``hitloopd extract``: from what the input hears, or from recordings, to a kit in the library.

Recording and extraction each run beside the daemon and below it: the extraction is ``python -m offline extract``, a
process of its own at low priority, so its packages are never loaded here. With a daemon running, the new kit is played
from the next bar line on.
"""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast

from hitloopd.app.settings import Settings
from hitloopd.core.errors import ConfigError, DeviceError, HitloopError, RangeError, UnavailableError
from hitloopd.io.packs import PACK_FILE

NEEDED: Final = ("offline", "librosa", "scipy", "soundfile", "joblib")
MEND: Final = 'pip install "hitloopd[offline]" (in a checkout: pip install -e ".[offline]")'
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 _.\-]{0,79}")
MANIFEST: Final = "MANIFEST.csv"
COLUMNS: Final = ("path", "source", "author", "licence", "note")
NICER: Final = 15
BEAT_S: Final = 2.0
THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

Tell = Callable[[str, float, str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for.

    Args:
        seconds: to listen for; 0: take ``recordings``.
        recordings: sound files, or folders of them.
        source: what to listen to, see ``io.listen``.
        name: of the kit.
        references: folder of labelled one-shots; ``None``: the built-in kits' sounds.
        per_lane: samples of a lane at most.
        author: of what is recorded.
        licence: of what is recorded.
    """

    seconds: float
    recordings: tuple[Path, ...]
    source: str
    name: str
    references: Path | None
    per_lane: int
    author: str
    licence: str


def missing_packages() -> tuple[str, ...]:
    """What extraction needs and is not installed."""
    return tuple(name for name in NEEDED if importlib.util.find_spec(name) is None)


def require_packages() -> None:
    """Raises ``UnavailableError`` with the one command that mends it, where something is missing."""
    missing = missing_packages()
    if missing:
        raise UnavailableError(f"Extracting samples needs {', '.join(missing)}. To get it: {MEND}")


def require_name(name: str) -> str:
    """A kit's name, which becomes a folder's.

    Raises:
        RangeError: it is none.
    """
    if NAME.fullmatch(name) is None or name.endswith((".", ".yaml", ".yml")):
        raise RangeError(
            f"'{name[:80]}' is no name for a kit: letters, digits, space, _ . and -, at most 80 of them, no folder."
        )
    return name


def new_name(prefix: str = "heard") -> str:
    """A name that no kit had before: by the clock on the wall."""
    return f"{prefix}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"


def extract(args: Namespace, settings: Settings) -> int:
    """The command: 0 if there is a new kit."""
    tell = _told_as_lines if args.lines else _told_to_people(quiet=args.json)
    wish = _wish(args)
    _obey_signals()
    try:
        made = make_kit(wish, settings, tell)
        if args.use:
            played = _play(settings, str(made["kit"]))
            made |= {**played, "text": f"{made['text']} {played['text']}"}
    except HitloopError as error:
        if args.lines:
            _told_as_lines("failed", 1.0, str(error))
            return 1
        raise
    if args.lines:
        print(json.dumps({"stage": "ready", "share": 1.0, "text": made["text"], "kit": made["kit"]}), flush=True)
    elif args.json:
        print(json.dumps({"ok": True, **made}))
    else:
        print(made["text"])
    return 0


def make_kit(wish: Wish, settings: Settings, tell: Tell) -> dict[str, object]:
    """Record if that is asked for, extract, and check that the daemon can play what came out.

    Raises:
        UnavailableError: the extra is not installed, or there is no input.
        DeviceError: nothing came out of it, or a folder can't be written.
        RangeError: there is a kit of that name already.
    """
    require_packages()
    library = settings.paths.library
    pack = library / "kits" / wish.name
    if pack.exists() or pack.with_name(f"{wish.name}.yaml").exists():
        raise RangeError(f"There is a kit '{wish.name}' in {library / 'kits'} already; choose another --name.")
    heard = _recorded(wish, library, tell) if wish.seconds else {}
    recordings = (Path(str(heard["recording"])),) if heard else wish.recordings
    references = wish.references
    if references is None:
        from hitloopd.io.references import references as built_in  # noqa: PLC0415 - numpy

        references = built_in(settings.paths.cache)
    told = _extracted(recordings, references, pack, wish, tell)
    return {"kit": wish.name, "pack": str(pack), **heard, **told}


def _wish(args: Namespace) -> Wish:
    if bool(args.listen) == bool(args.recordings):
        raise ConfigError(["Name recordings, or say --listen SECONDS: one of the two."])
    if args.listen and not 1.0 <= args.listen <= 7200.0:
        raise ConfigError([f"--listen: is {args.listen:g}; expected 1 to 7200 seconds."])
    if not 1 <= args.per_lane <= 64:
        raise ConfigError([f"--per-lane: is {args.per_lane}; expected 1 to 64."])
    missing = [str(path) for path in args.recordings if not path.exists()]
    if missing:
        raise DeviceError(f"There is no {', '.join(missing)}.")
    prefix = "heard" if args.listen else _plain(args.recordings[0].stem)
    name = args.name or (new_name() if args.listen else prefix)
    return Wish(
        args.listen or 0.0,
        tuple(args.recordings),
        args.source,
        require_name(name),
        args.references,
        args.per_lane,
        args.author,
        args.licence,
    )


def _plain(stem: str) -> str:
    """A file's name as a kit's."""
    return re.sub(r"[^A-Za-z0-9 _\-]+", "-", stem).strip("-_ ")[:80] or new_name("kit")


# ── recording ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _recorded(wish: Wish, library: Path, tell: Tell) -> dict[str, object]:
    from hitloopd.io.listen import QUIET_DB, record  # noqa: PLC0415 - numpy and soundfile

    path = library / "recordings" / f"{wish.name}.wav"
    tell("records", 0.0, f"Records for {wish.seconds:g} s.")
    try:
        heard = record(path, wish.seconds, wish.source, lambda share: tell("records", min(share, 0.99), "Records."))
        if heard.silent:
            raise DeviceError(
                f"The input {heard.source} was silent (never above {QUIET_DB:.0f} dB): nothing to make a kit of. "
                "Is it the right one? --source, or audio.input, names another."
            )
        _write_down(path, heard.source, wish)
    except OSError as error:
        raise DeviceError(f"{path} can't be written: {error}") from error
    tell("records", 1.0, f"Recorded {wish.seconds:g} s from {heard.source}.")
    return {"recording": str(path), "source": heard.source, "seconds": wish.seconds, "peak_db": round(heard.peak_db, 1)}


def _write_down(path: Path, source: str, wish: Wish) -> None:
    """Who recorded it, and under which licence it may go on: the extraction reads it into every sample."""
    manifest = path.parent / MANIFEST
    new = not manifest.exists()
    with manifest.open("a", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        if new:
            rows.writerow(COLUMNS)
        when = datetime.now().astimezone().isoformat(timespec="seconds")
        rows.writerow((path.name, f"recorded by hitloopd from {source}, {when}", wish.author, wish.licence, ""))


# ── extraction ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _extracted(
    recordings: Sequence[Path], references: Path, pack: Path, wish: Wish, tell: Tell
) -> Mapping[str, object]:
    tell("extracts", 0.0, f"Looks for sounds in {', '.join(path.name for path in recordings)}.")
    command = [sys.executable, "-m", "offline", "extract", *map(str, recordings)]
    command += ["--references", str(references), "--out", str(pack), "--name", wish.name]
    command += ["--per-lane", str(wish.per_lane), "--json"]
    began = time.monotonic()
    process = _low_priority(command)
    try:
        while True:
            try:
                out, complaints = process.communicate(timeout=BEAT_S)
                break
            except subprocess.TimeoutExpired:
                tell("extracts", 0.5, f"Extracts, {time.monotonic() - began:.0f} s so far.")
    finally:
        if process.poll() is None:  # we are to end, and so is it
            process.kill()
            process.communicate()
    if not (pack / PACK_FILE).is_file():
        raise DeviceError(f"Nothing came out of the extraction: {_last_line(complaints) or 'it does not say why'}")
    return _checked(pack, out, time.monotonic() - began)


def _checked(pack: Path, out: str, took_s: float) -> Mapping[str, object]:
    """What came out, once the daemon's own reader has taken it."""
    from hitloopd.io.kits import read_kit  # noqa: PLC0415 - YAML

    with contextlib.suppress(ValueError, IndexError):  # an older one that prints more: the pack is what counts
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        coverage = str(told.get("coverage", ""))
        try:
            kit = read_kit(pack / PACK_FILE).kit
        except ConfigError as error:
            shutil.rmtree(pack, ignore_errors=True)  # made just now, and no kit
            raise DeviceError(f"Nothing in it can be played. {coverage or error}") from error
        counts = {lane.value: len(kit.samples_of(lane)) for lane in kit.slots}
        samples = sum(counts.values())
        text = f"Kit {pack.name}: {samples} samples ({', '.join(f'{lane} {n}' for lane, n in counts.items())})."
        return {"samples": samples, "lanes": counts, "coverage": coverage, "took_s": round(took_s, 1), "text": text}
    raise DeviceError(f"The extraction said nothing that can be read; look into {pack}.")


def _low_priority(command: Sequence[str]) -> subprocess.Popen[str]:
    """Below everything that plays: nice, in the background class where there is one, and one thread."""
    flags = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
    if hasattr(os, "nice"):
        os.nice(NICER)  # ours goes down with it: all that is left to do here is wait
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # then nice alone has to do
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    return subprocess.Popen(  # noqa: S603 - our own code, our own interpreter
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **dict.fromkeys(THREADS, "1")},
        creationflags=flags,
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


# ── around it ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _play(settings: Settings, kit: str) -> dict[str, object]:
    """Have the daemon that runs, if one does, play the kit from the next bar line on."""
    from hitloopd.control.osc_client import ask  # noqa: PLC0415

    host = "127.0.0.1" if settings.osc.host in ("0.0.0.0", "::") else settings.osc.host  # noqa: S104 - compared, not bound
    try:
        replies = ask(host, settings.osc.port, "/hitloop/kit/load", (kit,), timeout_s=15.0)
    except OSError:
        replies = []
    if not replies:
        return {"text": f"Kit {kit} is in the library. No daemon runs here; play it: hitloopd --set kit={kit}"}
    values = replies[0].args
    if replies[0].path.endswith("/sys/error"):
        return {"text": f"Kit {kit} is in the library, but the daemon refuses it: {values[-1]}"}
    bar = int(cast("int", values[-1]))
    return {"bar": bar, "text": f"Kit {kit} plays from bar {bar + 1}; /hitloop/pattern/undo takes it back."}


def _told_to_people(*, quiet: bool) -> Tell:
    def tell(stage: str, share: float, text: str) -> None:
        if not quiet and (share in (0.0, 1.0) or stage == "extracts"):
            print(text, file=sys.stderr, flush=True)

    return tell


def _told_as_lines(stage: str, share: float, text: str) -> None:
    print(json.dumps({"stage": stage, "share": round(share, 3), "text": text}), flush=True)


def _obey_signals() -> None:
    """A daemon's child inherits deaf ears; and what we started must not outlive us."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.default_int_handler)
