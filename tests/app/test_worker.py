"""The generator process's worker, with a list for a link."""

from __future__ import annotations

import pytest

from hitloopd.app.generator_process import Worker
from hitloopd.app.messages import Answer, Ask, Check, Checked, Think
from hitloopd.core.request import Request
from hitloopd.generate.places import Places
from tests.generate.tiny_model import write_model


class Wire:
    def __init__(self):
        self.sent = []

    def send(self, message):
        self.sent.append(message)

    def last(self, kind):
        return [message for message in self.sent if isinstance(message, kind)][-1]


@pytest.fixture
def rig(tmp_path):
    wire = Wire()
    return wire, Worker(wire, Places((tmp_path,))), tmp_path


def test_a_model_answers_by_its_name(rig):
    wire, worker, folder = rig
    write_model(folder / "tiny")
    worker.take(Ask(1, Request("tiny", 5)))
    answer = wire.last(Answer)
    assert answer.pattern.provenance.generator == "tiny"
    assert (answer.refused, answer.error, answer.token) == ("", None, 1)


def test_rules_stand_in_for_a_model_that_can_not_be_loaded_and_every_answer_says_why(rig):
    wire, worker, folder = rig
    (write_model(folder / "tiny") / "model.onnx").write_bytes(b"spoilt")
    for token, style in enumerate(("techno", "a style that only the model knows")):
        worker.take(Ask(token, Request("tiny", 5, style)))
        answer = wire.last(Answer)
        assert answer.pattern.provenance.generator == "rules"
        assert "The model 'tiny' is refused" in answer.refused
        assert "Meanwhile rules plays" in answer.refused


def test_rules_stand_in_for_a_name_that_is_gone(rig):
    wire, worker, _ = rig
    worker.take(Ask(1, Request("deleted", 5)))
    assert wire.last(Answer).pattern.notes
    assert "no generator 'deleted'" in wire.last(Answer).refused


def test_a_check_tells_why_not_and_after_mending_that_it_works(rig):
    wire, worker, folder = rig
    (write_model(folder / "tiny") / "model.onnx").write_bytes(b"spoilt")
    worker.take(Check(1, "tiny"))
    code, text = wire.last(Checked).error
    assert code == "unavailable"
    assert "'tiny' is refused" in text
    worker.take(Ask(2, Request("tiny", 5)))
    assert wire.last(Answer).refused
    write_model(folder / "tiny")
    worker.take(Check(3, "tiny"))
    assert wire.last(Checked) == Checked(3)
    worker.take(Ask(4, Request("tiny", 5)))
    assert wire.last(Answer).pattern.provenance.generator == "tiny", "what stood in is not kept under its name"
    assert wire.last(Answer).refused == ""


def test_a_check_takes_a_model_that_was_replaced(rig):
    wire, worker, folder = rig
    write_model(folder / "tiny")
    worker.take(Think((Request("tiny", 5),)))
    assert worker.work()
    from tests.generate.tiny_model import onnx_bytes

    write_model(folder / "tiny", onnx_bytes(seed=9))
    worker.take(Check(1, "tiny"))
    worker.take(Ask(2, Request("tiny", 5)))
    first = wire.last(Answer)
    assert not first.ready, "the bar that was made ahead was another model's"
    assert first.model == first.pattern.provenance.model


def test_a_request_that_a_model_can_not_meet_is_an_answer_with_the_reason(rig):
    wire, worker, folder = rig
    write_model(folder / "tiny")
    worker.take(Ask(1, Request("rules", 1)))
    bar = wire.last(Answer).pattern
    worker.take(Ask(2, Request("tiny", 1, points=(bar, bar), morph=0.5)))
    answer = wire.last(Answer)
    assert answer.pattern is None
    assert answer.error[0] == "unavailable"
