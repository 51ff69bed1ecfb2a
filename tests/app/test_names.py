from __future__ import annotations

from pathlib import Path

import pytest

from hitloopd.app.names import check_model
from hitloopd.core.errors import UnknownNameError
from hitloopd.generate.places import Places

MODELS = Path(__file__).resolve().parents[2] / "models"


def test_a_style_that_nobody_knows_is_told_beside_those_that_have_a_name():
    """What a model learned from untagged songs is a style without one."""
    with pytest.raises(UnknownNameError, match=r"'weave' has no style 'polka'; there are afro, afrobeat, .*, house"):
        check_model("weave", "polka", Places((MODELS,)))


def test_a_generator_that_heeds_no_style_takes_those_that_another_one_does():
    """So nobody is left with a style that keeps every other generator from being switched to."""
    places = Places((MODELS,))
    check_model("random", "jazz/swing", places)
    with pytest.raises(UnknownNameError, match=r"'random' has no style 'teckno'.*techno"):
        check_model("random", "teckno", places)
    with pytest.raises(UnknownNameError, match=r"The generator 'rules' has no style 'jazz/swing'"):
        check_model("rules", "jazz/swing", places)
