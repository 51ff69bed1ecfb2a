"""A kit that was cut out of the input while we play: how far it is, and that it plays when it is ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hitloopd.app.desk import ControlDesk
from hitloopd.app.facts import Facts
from hitloopd.core.commands import LoadKit
from hitloopd.core.errors import HitloopError
from hitloopd.core.notices import KitProgress, Notice
from hitloopd.ports.surface import Accepted, Outcome, Rejected


@dataclass(frozen=True, slots=True)
class KitOffer:
    """Tells of live sampling and offers its kit to the desk.

    Args:
        desk: plays it.
        facts: remember how far it is.
        publish: tells subscribers.
        note: tells people: level and text.
    """

    desk: ControlDesk
    facts: Facts
    publish: Callable[[Notice], None]
    note: Callable[[str, str], None]

    def progress(self, notice: KitProgress, *, use: bool = False) -> None:
        """It went on. ``use``: a kit that is ready is played from the next bar line on."""
        self.facts.listening = (notice.stage, notice.share, notice.text)
        self.publish(notice)
        if notice.share in (0.0, 1.0):
            self.note("warning" if notice.stage == "failed" else "info", f"live sampling: {notice.text}")
        if notice.stage == "ready" and use:
            self._offer(notice)

    def _offer(self, notice: KitProgress) -> None:
        try:
            fill = self.desk.wardrobe.fill(self.desk.history.present, notice.kit)
        except HitloopError as error:
            self._offered(notice, Rejected(error.code, str(error)))
            return
        command = LoadKit(notice.kit, fill=fill)
        self.desk.submit("/hitloop/kit/load", command, lambda outcome: self._offered(notice, outcome))

    def _offered(self, notice: KitProgress, outcome: Outcome) -> None:
        match outcome:
            case Accepted(_, bar):
                text = f"Kit {notice.kit} plays from bar {bar + 1}; /hitloop/pattern/undo takes it back."
                self.progress(KitProgress("playing", 1.0, text, notice.kit))
            case Rejected(_, text):
                self.progress(KitProgress("failed", 1.0, text, notice.kit))
