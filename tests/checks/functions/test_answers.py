"""What all functions and the oracle say: whose loss the oracle differences."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.compare.test_comparer import LAYOUT, estimate
from xcheck.checks.functions.answers import Answers
from xcheck.compare.evaluation import Evaluation


@pytest.mark.parametrize(("label", "expected"), [("jax", "jax"), ("oracle", ""), ("", "")])
def test_the_oracle_may_have_a_loss_of_its_own(label: str, expected: str) -> None:
    """Then it is nobody's, as where nothing could be measured."""
    run: Any = SimpleNamespace(label=label)
    evaluations = [Evaluation(name, 0.7, np.zeros(6)) for name in ("jax", "torch")]
    answers = Answers(
        answers=(), run=run, layout=LAYOUT, estimate=estimate(), evaluations=evaluations, reruns=(), roundoff=2.0**-53
    )
    assert answers.differenced == expected
