"""What every result has in common: a verdict, and forms that live elsewhere."""

from typing import Any

import pytest

import xcheck
from tests.checks.functions.layer import B
from xcheck.checks.accuracy.accuracy import Accuracy
from xcheck.checks.result import RENDERERS, Result, renderer


def checked(factor: float) -> Any:
    """A report on p³ whose gradient is too large by a factor."""
    return xcheck.check(lambda p: (p**3).sum(), B, gradient=lambda p: factor * 3 * p**2)


def test_a_result_is_true_if_all_agree() -> None:
    """So that `assert xcheck.check(...)` means what it says."""
    assert checked(1.0)
    assert not checked(2.0)


def test_every_result_is_a_result() -> None:
    """The verbs return the same kind of value."""
    assert issubclass(Accuracy, Result)  # declared where it is imported
    assert {kind.kind for kind in Result.__subclasses__()} == set(RENDERERS["text"])


@pytest.mark.parametrize("form", RENDERERS)
def test_every_form_knows_every_kind(form: Any) -> None:
    """A kind without a renderer would fail only when somebody wants to see it."""
    kinds = {kind.kind for kind in Result.__subclasses__()}
    assert set(RENDERERS[form]) == kinds
    assert all(callable(renderer(kind, form)) for kind in kinds)


def test_a_form_that_nobody_renders() -> None:
    """Is a mistake of ours, and no silent nothing."""
    with pytest.raises(KeyError):
        renderer("check", "papyrus")  # type: ignore[arg-type]  # that is what is tested
