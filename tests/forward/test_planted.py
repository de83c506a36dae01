"""Differences that were planted in one of two programs are located in both."""

import pytest

from tests.forward.planted import Trial, equal_pairs, trials

# All of them take a minute and a half: `python -m benchmarks forward`. So many are left out between two; the number has
# no divisor in common with the six pairs of frameworks.
_EVERY = 5


@pytest.mark.parametrize("trial", list(trials())[::_EVERY], ids=str)
def test_differences_are_located(trial: Trial) -> None:
    """On both sides, at the line where they are."""
    assert trial.score() == "right", trial.run()[0]


@pytest.mark.parametrize("trial", list(equal_pairs()), ids=str)
def test_nothing_is_named_where_nothing_differs(trial: Trial) -> None:
    """Though what one calls in one the other computes in steps."""
    assert trial.run()[0] == []
