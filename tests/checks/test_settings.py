"""Settings of a check of functions: validated in one place, and the same as what `check` takes by name."""

from dataclasses import fields
from inspect import Parameter, signature
from typing import Any

import numpy as np
import pytest

from xcheck.api import check
from xcheck.checks.settings import FunctionSettings, complaints_about
from xcheck.errors import DefinitionError


def test_check_takes_what_the_settings_have() -> None:
    """The same names with the same defaults: the signature is for people, the class for the code."""
    by_name = {
        name: parameter.default
        for name, parameter in signature(check).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY
    }
    assert by_name == {field.name: field.default for field in fields(FunctionSettings)}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("scope", "some", "'some' is none of auto, all, sample, jacobian, directions"),
        ("order", 3, "3 is neither 1 nor 2"),
        ("device", "tpu", "'tpu' is neither cpu nor gpu"),
        ("epsilon", -1.0, "-1.0 is neither 'auto' nor a positive number"),
        ("tolerance", 0, "0 is not a positive number"),
        ("budget", float("inf"), "inf is not a positive number"),
        ("inputs", 1, "1 is neither True nor False"),
        ("seed", -1, "-1 is not a whole number from 0"),
        ("gradient", 3, "expected a function, int came: it is called as gradient(params, *data)"),
        ("seed", True, "True is not a whole number from 0"),
        ("worst", 0, "0 is not a whole number from 1"),
        ("tolerence", 1e-6, "unknown setting; did you mean 'tolerance'?"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(name: str, value: Any, text: str) -> None:
    """With its key, the value, and what was expected."""
    (complaint,) = complaints_about({name: value})
    assert (complaint.text, complaint.key) == (text, (name,))


def test_a_value_of_many_lines_is_shown_on_one() -> None:
    """As an array would be."""
    (complaint,) = complaints_about({"scope": np.zeros((9, 9))})
    assert "\n" not in complaint.text
    assert complaint.text.endswith("... is none of auto, all, sample, jacobian, directions")
    assert len(complaint.text) < 120


def test_all_mistakes_are_said_at_once() -> None:
    """Nobody mends one to meet the next."""
    with pytest.raises(DefinitionError) as caught:
        FunctionSettings.read({"order": 3, "worst": 0, "colour": "red"})
    assert len(caught.value.complaints) == 3


def test_what_is_allowed_is_kept() -> None:
    """And the rest has its defaults."""
    settings = FunctionSettings.read({"order": 2, "epsilon": 1e-7})
    assert (settings.order, settings.epsilon, settings.tolerance) == (2, 1e-7, 1e-7)
