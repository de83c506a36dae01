"""What is noted of a call: whether it can be made once more, and which values it has."""

import torch
from torch import Tensor

from tests.backends.xcheck_torch.traced import randn
from xcheck_torch.noted import Made, Noted, describe
from xcheck_torch.recorded import flatten, try_out


def noted(rule: str, found: Tensor) -> Noted:
    """What is noted of a sine whose value under differentiation is another."""
    leaves, layout = flatten([randn(3)], {})
    return describe("sin", rule, None, try_out(torch.sin, leaves, layout), Made(found, (((0,), 1),), ((found, 2),)))


def test_a_value_under_differentiation() -> None:
    """It may be another where the rule is a person's own; of torch's it is one that cannot be repeated."""
    sine, other = randn(3).sin(), randn(3)
    for rule, found, is_repeatable in (("", sine, True), ("", other, False), ("autograd.Function", other, True)):
        one = noted(rule, found)
        ((plain, differentiated, key),) = one.writes
        assert one.is_repeatable == is_repeatable
        assert torch.equal(plain, sine if is_repeatable else other)
        assert torch.equal(differentiated, found)
        assert key == 2


def test_another_shape() -> None:
    """What returns another shape cannot be made once more."""
    assert not noted("autograd.Function", randn(4)).is_repeatable
