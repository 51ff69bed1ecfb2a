from __future__ import annotations

from pathlib import Path

import pytest

from hitloopd.app.names import check_model
from hitloopd.core.errors import UnknownNameError
from hitloopd.generate.places import Places

MODELS = Path(__file__).resolve().parents[2] / "models"


def test_a_style_that_nobody_knows_is_told_beside_those_that_have_a_name():
    """What a model learned from untagged songs is a style without one."""
    with pytest.raises(UnknownNameError, match=r"'polka'; there are afro, afrobeat, .*, house"):
        check_model("weave", "polka", Places((MODELS,)))
