"""How long one bar of ``rules`` takes to make, every style in turn."""

from __future__ import annotations

import time

from hitloopd.core.request import Request
from hitloopd.generate.rules import Rules
from tests.bench.context import Context
from tests.bench.rows import Row
from tests.bench.stats import number, spread

BAR_MS = 2.0


def run(ctx: Context) -> list[Row]:
    rules = Rules()
    by_style: dict[str, list[float]] = {}
    for seed in range(int(ctx.seconds(200, 50))):
        for style in rules.styles:
            request = Request("rules", seed, style)
            started = time.perf_counter()
            rules.generate(request)
            by_style.setdefault(style, []).append((time.perf_counter() - started) * 1000)
    whole = spread([took for group in by_style.values() for took in group])
    slowest = max(by_style, key=lambda style: spread(by_style[style]).p50)
    return [
        Row(
            "one bar of rules (ms, p50 / p99 / p99.9 / max)",
            f"p99 <= {BAR_MS:g} ms",
            f"{whole.short()}; {whole.n} bars, slowest style {slowest} p50 {number(spread(by_style[slowest]).p50)}",
            "",
            whole.p99 <= BAR_MS,
            {"all": whole.as_json(), "styles": {style: spread(group).as_json() for style, group in by_style.items()}},
        )
    ]
