"""verify: the whole way from a definition to a report."""

import re
from typing import Any

import pytest

from xcheck import DefinitionError, Problem, verify

DEFINITION = {
    "data": {"synthetic": {"inputs": 3, "examples": 8}},
    "network": {"layers": [{"units": 4, "activation": "tanh"}, {"units": 2}], "loss": "mean_squared_error"},
    "check": {"backends": ["numpy", "jax"]},
}


def test_a_dict_of_the_shape_of_the_toml_is_checked() -> None:
    """The library takes the same definition without a file."""
    report = verify(DEFINITION)
    assert report.ok
    assert bool(report) is True
    assert list(report.losses) == ["numpy", "jax"]
    assert [(pair.a, pair.b) for pair in report.pairs] == [("numpy", "oracle"), ("jax", "oracle"), ("numpy", "jax")]


def test_keywords_override_the_definition() -> None:
    """backends, seed and the rest of [check] can be given to verify."""
    report = verify(DEFINITION, backends=["numpy"], seed=5)
    assert (list(report.losses), report.seed) == (["numpy"], 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tolerance": "small"}, "tolerance: expected a number, got the string 'small'"),
        ({"tolerence": 1e-6}, "tolerence: unknown key; did you mean 'tolerance'?"),
        ({"seed": 5}, "seed: has no effect on a Problem, which is drawn already: give it to Problem.create"),
        ({"examples": 5}, "examples: has no effect on a Problem"),
    ],
)
def test_settings_are_validated_for_a_problem_too(settings: dict[str, Any], message: str, problem: Problem) -> None:
    """The same clear errors, without a definition."""
    with pytest.raises(DefinitionError, match=re.escape(message)):
        verify(problem, **settings)


def test_the_seed_is_in_the_report() -> None:
    """What was drawn can be drawn again."""
    one, same, other = (verify(DEFINITION, backends=["numpy"], seed=seed) for seed in (1, 1, 2))
    assert one.losses == same.losses != other.losses
