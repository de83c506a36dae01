"""Calls of torch that are made once more: random numbers, what they write into, names of arguments."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.backends.xcheck_torch.traced import randn
from xcheck_torch.recorded import flatten, try_out


def test_random_numbers_are_drawn_again() -> None:
    """A call gives the same once more; what is drawn in between goes on as if it had not been made."""
    generator = torch.Generator().manual_seed(3)
    x = randn(20)
    with torch.random.fork_rng(devices=[]):
        for function, kwargs in ((F.dropout, {}), (torch.bernoulli, {"generator": generator})):
            leaves, layout = flatten([x.abs().clamp(max=1)], kwargs)
            trial = try_out(function, leaves, layout)
            now = function(*[x.abs().clamp(max=1)], **kwargs)
            state = torch.get_rng_state()
            (again,) = trial.recorded.run([], [])
            assert torch.equal(trial.outputs[0], now)
            assert torch.equal(again, now)
            assert torch.equal(torch.get_rng_state(), state)


def test_what_is_written_into_stays_as_it_was() -> None:
    """Neither the arguments nor the copies of them are changed."""
    x, y = randn(3), randn(3, seed=1)
    expected = x + y
    leaves, layout = flatten([x, y], {})
    recorded = try_out(Tensor.add_, leaves, layout).recorded
    assert recorded.written == (0,)
    for _ in range(2):
        assert torch.equal(recorded.run([], [])[0], expected)
    assert torch.equal(recorded.run([(0,)], [y])[0], 2 * y)
    assert torch.equal(x, randn(3))


def test_what_returns_no_tensor() -> None:
    """Numbers and sizes are no results of torch."""
    leaves, layout = flatten([randn(3)], {})
    assert not try_out(Tensor.numel, leaves, layout).returns_tensors
    assert try_out(Tensor.isnan, leaves, layout).returns_tensors


def test_names_of_leaves() -> None:
    """An array in a list has the name of the list, and its number."""
    leaves, layout = flatten([[randn(2), randn(2)]], {"out": randn(4)})
    recorded = try_out(torch.cat, leaves, layout).recorded
    assert [recorded.name_of(place) for place in range(3)] == ["tensors[0]", "tensors[1]", "out"]
