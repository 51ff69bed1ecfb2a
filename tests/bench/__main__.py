"""``python -m tests.bench [names…] [--quick] [--rounds N] [--json FILE]``: a table, and all behind it as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.bench import c_reference, peers
from tests.bench.context import Context
from tests.bench.facts import facts
from tests.bench.rows import Row, table

# In this order: what is quick first, the ten minutes last.
BENCHMARKS = (
    "c_reference",
    "clock_lateness",
    "rules_bar",
    "tempo_sweep",
    "osc_latency",
    "startup",
    "memory",
    "cpu",
    "audio_callback",
    "kit_loading",
    "jack_exact",
    "peers",
    "unit_tests",
    "soak",
    "soak_jack",
)


def main() -> int:
    args = _arguments()
    unknown = [name for name in args.names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    before = facts()
    rows: list[tuple[str, Row]] = []
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    prefix = "hitloop-bench-"
    with (
        tempfile.TemporaryDirectory(prefix=prefix) as work,
        tempfile.TemporaryDirectory(prefix=prefix, dir=memory) as fast,
    ):
        ctx = Context(Path(work), Path(fast), _cache_dir(), quick=args.quick, rounds=args.rounds)
        try:
            if args.prepare:
                return _prepare(ctx)
            for name in args.names or BENCHMARKS:
                rows += [(name, row) for row in _run(ctx, name)]
                _write(args.json, before, rows)
        finally:
            ctx.close()
    print(table([row for _, row in rows]))
    return 1 if any(row.ok is False for _, row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(BENCHMARKS)}; none: all")
    parser.add_argument("--quick", action="store_true", help="shorter runs, rougher figures, the same bars")
    parser.add_argument("--rounds", type=int, default=1, help="how often to measure the peers (the median is shown)")
    parser.add_argument(
        "--prepare", action="store_true", help="only make what is kept: the C loop, the peers' environment"
    )
    parser.add_argument("--json", type=Path, help="write everything here")
    return parser.parse_args()


def _prepare(ctx: Context) -> int:
    """Compile and install what a run would otherwise begin with; say what there is."""
    ctx.say(f"C loop: {c_reference.program(ctx)}")
    python, versions = peers.environment(ctx)
    ctx.say(f"peers: {python}; {', '.join(f'{name} {versions.get(name)}' for name in peers.NAMES)}")
    return 0


def _run(ctx: Context, name: str) -> list[Row]:
    ctx.say(f"{name} …")
    started = time.monotonic()
    found: list[Row] = []
    try:
        for row in importlib.import_module(f"tests.bench.{name}").run(ctx):
            ctx.say(f"{row.figure}: {row.measured} ({row.verdict})")
            found.append(row)
    except Exception:  # noqa: BLE001 - one broken benchmark must not take the others' figures along
        text = traceback.format_exc()
        ctx.say(f"{name} broke:\n{text}")
        found.append(Row(name, "measurable at all", text.strip().splitlines()[-1], ok=False, data={"traceback": text}))
    finally:
        ctx.close()
    ctx.say(f"{name}: {time.monotonic() - started:.0f} s")
    return found


def _write(path: Path | None, before: dict[str, object], rows: list[tuple[str, Row]]) -> None:
    if path is None:
        return
    whole = {"machine": before, "rows": [{"benchmark": name, **row.as_json()} for name, row in rows]}
    path.write_text(json.dumps(whole, indent=1, default=str) + "\n")


def _cache_dir() -> Path:
    base = os.environ.get("HITLOOP_BENCH_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    path = Path(base) / "hitloop-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
