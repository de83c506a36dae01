"""Losses are compared before gradients: what is said where one of them is wrong, or no number."""

import numpy as np
import pytest

from tests.compare.test_comparer import TRUE, changed, estimate, judged
from xcheck.compare.pair import Pair
from xcheck.diagnose.losses import loss_findings


def said(pair: Pair) -> list[tuple[str, str]]:
    """Codes and first words."""
    return [(finding.code, finding.text) for finding in loss_findings([pair], estimate())]


def test_equal_losses_and_finite_gradients_need_no_word() -> None:
    """A wrong component is not a matter of losses."""
    assert said(judged(changed(0, lambda g: 2 * g))) == []


def test_another_loss_comes_with_both_numbers() -> None:
    """Before anything is said about gradients."""
    ((code, text),) = said(judged(TRUE, loss=0.75))
    assert code == "XC101"
    assert text.startswith("numpy: the loss is 0.75, the oracle's is 0.7: different functions have different gradients")


@pytest.mark.parametrize(("loss", "code"), [(np.nan, "XC102"), (np.inf, "XC102")])
def test_a_loss_that_is_no_number_is_not_called_different(loss: float, code: str) -> None:
    """It is said what it is."""
    assert [found for found, _ in said(judged(TRUE, loss=loss))] == [code]


def test_the_first_component_that_is_no_number_is_named() -> None:
    """And only the first."""
    ((code, text),) = said(judged(np.full(6, np.nan)))
    assert (code, text.partition(" at ")[0]) == ("XC103", "numpy: the gradient is nan")


def test_without_a_loss_of_the_oracle_nothing_else_is_said() -> None:
    """There is no gradient to check."""
    (finding,) = loss_findings([judged(TRUE, loss=0.75)], estimate(loss=np.inf))
    assert (finding.code, finding.text) == ("XC105", "the loss is inf at this θ: there is no gradient to check")


def test_a_loss_that_the_oracle_differences_is_called_by_its_name() -> None:
    """Which of two losses is meant nobody knows: neither is called the oracle's."""
    pair = judged(TRUE, loss=0.75)
    (other,) = loss_findings([pair], estimate(), differenced="jax")
    assert other.code == "XC101"
    assert other.text.startswith("numpy: the loss is 0.75, that of jax, which the oracle differences, is 0.7: ")


def test_a_function_may_compute_another_loss_where_it_is_differentiated() -> None:
    """As a derivative rule does whose forward pass is not the function."""
    (own,) = loss_findings([judged(TRUE, loss=0.75)], estimate(), differenced="numpy")
    assert own.code == "XC110"
    assert own.text.startswith("numpy: the loss is 0.75 where it is differentiated, and 0.7 where it is only called")
