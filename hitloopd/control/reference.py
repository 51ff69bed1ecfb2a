"""The OSC reference as Markdown, made from the table. README carries it between two marks, and a test compares them."""

from __future__ import annotations

from typing import Final

from hitloopd.control.addresses import ALIASES, ROOT, ROWS
from hitloopd.control.spec import Access, Arg, Kind, Row

BEGIN: Final = "<!-- osc reference: made by hitloopd.control.reference, do not edit -->"
END: Final = "<!-- end of osc reference -->"
_USES: Final = {Access.NONE: "told", Access.READ: "ask", Access.WRITE: "do", Access.BOTH: "ask, set"}


def markdown() -> str:
    """The table between its marks; ends with a newline."""
    head = ("| address | arguments | use | answer | what it does |", "|---|---|---|---|---|")
    rows = [_line(row) for row in ROWS]
    aliases = ", ".join(f"`{alias}` = `{full}`" for alias, full in ALIASES.items())
    return "\n".join((BEGIN, *head, *rows, "", f"Short names: {aliases}.", END, ""))


def _line(row: Row) -> str:
    arguments = ", ".join(_argument(arg) for arg in row.args)
    return f"| `{ROOT}{row.template}` | {arguments} | {_USES[row.access]} | {_answer(row)} | {row.doc} |"


def _answer(row: Row) -> str:
    """What comes back; a set's answer has the bar of effect after it."""
    settable = bool(row.access & Access.WRITE) and row.build is not None
    return f"{row.answer} bar".strip() if settable else row.answer


def _argument(arg: Arg) -> str:
    if arg.kind is Kind.PRESS:
        return "[press]"
    text = f"{arg.name}: {arg.describe()}"
    return f"[{text}]" if arg.optional else text
