"""Modes of torch: those of the caller are back afterwards, whatever the body has done to them."""

from contextlib import suppress

import pytest
import torch

from xcheck_torch.modes import few_threads, own_modes, training_cautions

CPU = torch.device("cpu")


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("autocast", [True, False])
def test_the_modes_of_the_caller_are_back(grad: bool, autocast: bool) -> None:
    """Inside there are gradients and no autocast; a body that switches them leaves no trace."""
    with torch.set_grad_enabled(grad), torch.autocast("cpu", enabled=autocast, dtype=torch.bfloat16):
        with own_modes(CPU):
            assert (torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")) == (True, False)
            torch.set_grad_enabled(False)
            torch.set_autocast_enabled("cpu", True)
        assert (torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")) == (grad, autocast)


def test_inference_mode_is_left_for_a_while() -> None:
    """In it nothing can be differentiated."""
    with torch.inference_mode():
        with own_modes(CPU):
            assert torch.ones(1, requires_grad=True).exp().requires_grad
        assert torch.is_inference_mode_enabled()


@pytest.mark.parametrize(("numbers", "inside"), [(100, 1), (10**6, 2)])
def test_a_small_batch_has_one_thread(numbers: int, inside: int) -> None:
    """A large one has all of the caller's, who has them back afterwards, whatever happens."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with suppress(ArithmeticError), few_threads(numbers):
            assert torch.get_num_threads() == inside
            raise ArithmeticError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_what_depends_on_the_mode_of_a_module() -> None:
    """A dropout in training is named; one that drops nothing, or is asleep, is not."""
    module = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Dropout(0.0))
    assert [caution.partition(" ")[0] for caution in training_cautions(module)] == ["0"]
    assert training_cautions(module.eval()) == []
