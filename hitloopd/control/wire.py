"""Words that both ends of an OSC conversation share. Imports nothing, so that the command line starts at once."""

from __future__ import annotations

from typing import Final

Raw = str | int | float | bool | bytes | None
"""An argument as it came: ``None`` is OSC's nil, ``math.inf`` its impulse."""

ERROR: Final = "/hitloop/sys/error"
INT32_MAX: Final = 2**31 - 1
