"""Values: what a key takes, and the words for what it does not take."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from xcheck.networks.definition import values


def taken(kind: Any, value: object) -> Any:
    """What a key of this type makes of a value of TOML."""
    return TypeAdapter(kind).validate_python(value, strict=True)


@pytest.mark.parametrize(("value", "expected"), [("y", ["y"]), (["y", "z"], ["y", "z"])])
def test_one_column_may_be_named_without_brackets(value: object, expected: list[str]) -> None:
    """It becomes a list of one."""
    assert taken(values.Names, value) == expected


@pytest.mark.parametrize(("value", "expected"), [("auto", "auto"), (1, 1.0), (1e-7, 1e-7)])
def test_a_step(value: object, expected: object) -> None:
    """Chosen per component, or a number."""
    assert taken(values.Epsilon, value) == expected


@pytest.mark.parametrize("value", [True, 0, -1e-7, float("inf"), float("nan"), 10**400, "small", [1e-7]])
def test_no_step(value: object) -> None:
    """One sentence names both alternatives; true is no number, and an integer may be too large for a float."""
    with pytest.raises(ValidationError, match='expected "auto" or a positive number') as caught:
        taken(values.Epsilon, value)
    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (values.Names, 3),
        (values.Names, []),
        (values.FileName, ""),
        (values.FileName, "data\0.csv"),
        (values.Natural, -1),
        (values.Count, 0),
        (values.Count, 2**63),
        (values.Positive, 0.0),
        (values.NonNegative, float("inf")),
        (values.NonNegative, float("nan")),
        (values.Fraction, 1.0),
        (values.Probability, 0.0),
    ],
)
def test_what_is_not_taken(kind: Any, value: object) -> None:
    """Just outside each range, and numbers that are not finite."""
    with pytest.raises(ValidationError):
        taken(kind, value)
