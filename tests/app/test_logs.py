from __future__ import annotations

import logging

from hitloopd.app.logs import logging_to, set_level

log = logging.getLogger("hitloopd.app.test")


def test_lines_come_in_order_and_by_level() -> None:
    lines: list[str] = []
    with logging_to("warning", lines.append):
        log.info("quiet")
        log.warning("port %s", "gone")
        set_level("debug")
        log.debug("detail")
    log.error("after the end")
    assert [line.split(" ", 1)[1] for line in lines] == [
        "WARNING hitloopd.app.test: port gone",
        "DEBUG   hitloopd.app.test: detail",
    ]
