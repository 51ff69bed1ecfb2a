"""Python runs this at start where the folder is on the path: puts a slow handler on every event loop, if asked to.

HITLOOP_BENCH_STALL=control makes each asyncio loop of the program run a handler that computes for 20 ms in every bar:
what a careless control surface would do. Of hitloopd's processes only control runs a loop.
"""

import os

if os.environ.get("HITLOOP_BENCH_STALL") == "control":
    import asyncio.base_events

    from hitloop_bench_stalls import bar_s, stall

    _run_forever = asyncio.base_events.BaseEventLoop.run_forever

    def _with_a_slow_handler(loop):
        def handler():
            stall("control")
            loop.call_later(bar_s(), handler)

        loop.call_later(bar_s(), handler)
        _run_forever(loop)

    asyncio.base_events.BaseEventLoop.run_forever = _with_a_slow_handler
