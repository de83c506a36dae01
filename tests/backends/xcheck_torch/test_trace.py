"""Traces of losses in torch: modules, own functions, places; what cannot be traced; nothing is left behind."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.backends.xcheck_torch.traced import assert_traced, made, prove, randn
from xcheck import objective
from xcheck.certificates.decisions import NotProvedError
from xcheck.trace import UntraceableError, replay

X = randn(4, 3)


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """A module in float64, the same in every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build().double()


class Attending(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Attention and a recurrence, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.recurrence = nn.GRU(4, 3, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes (batch, steps, 4) -> (batch, 3)."""
        attended, _ = self.attention(x, x, x, need_weights=False)
        return self.recurrence(attended)[1][0]


MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "perceptron": (lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.LayerNorm(5), nn.Linear(5, 2)), (4, 3)),
    "convolutional": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        (2, 1, 6, 6),
    ),
    "encoder": (lambda: nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True), (1, 3, 4)),
    "encoder in evaluation": (lambda: nn.TransformerEncoderLayer(4, 2, 6, batch_first=True).eval(), (1, 3, 4)),
    "attention and recurrence": (Attending, (1, 3, 4)),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)), (4, 3)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    """Parameters are the inputs of the trace; the module stays as it is."""
    build, shape = MODULES[name]
    module = seeded(build)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    function = objective(module, "torch", loss=lambda outputs: (outputs.sin() ** 2).sum())
    assert_traced(function, dict(module.named_parameters()), randn(*shape, seed=3))
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_a_recurrence_by_hand() -> None:
    """Steps of a loop stand one after the other."""

    def loss(p: Any, x: Tensor) -> Tensor:
        h = torch.zeros(2, dtype=torch.float64)
        for row in x:
            h = torch.tanh(p["w"] @ torch.cat([h, row]))
        return h.square().sum()

    assert_traced(loss, {"w": randn(2, 5)}, X)


def test_operations_in_place() -> None:
    """Views share memory; what is written into one is read through the other."""

    def loss(x: Tensor) -> Tensor:
        y = torch.zeros(4, 3, dtype=torch.float64)
        for i in range(3):
            y[:, i] = x[:, i] * x[:, (i + 1) % 3]
        y[1:].mul_(2.0).add_(x[1:], alpha=0.5)
        y[0, 0] = 3.0
        flat = y.view(-1)
        flat[::2] += 1
        flat.clamp_(min=-1)
        y[y > 1] = 0.5
        y[3].clamp_(min=0.1)
        y.T[0].zero_()
        y[2].copy_(x[0])
        y[1].neg_()
        y.index_add_(0, torch.tensor([0, 0]), x[:2])
        return y.sin().sum()

    assert_traced(loss, X)


class Cube(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """x³, with a gradient that is wrong by a factor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """x³."""
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> Tensor:
        """2 x² in place of 3 x²."""
        (x,) = ctx.saved_tensors
        return 2 * x**2 * cotangents[0]


def test_own_functions_are_entered_by_their_forward() -> None:
    """The proof is about the function; the trace of the gradient is what autograd makes of it."""
    traced = made(lambda x: Cube.apply(x).sum(), torch.tensor([2.0], dtype=torch.float64))
    found = prove(traced, traced.trace(), np.ones((1, 1)))
    assert float(found.slopes[0]) == 12
    assert replay(traced.gradient_trace(), [np.array([2.0])])[0].tolist() == [8]


TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "a gradient": lambda x: torch.func.grad(lambda y: (y**3).sum())(x).sin().sum(),
    "a gradient penalty": lambda x: (torch.autograd.grad((x**3).sum(), x, create_graph=True)[0] ** 2).sum(),
    "vmap": lambda x: torch.func.vmap(lambda row: row.sin().dot(row))(x).sum(),
    "a checkpoint": lambda x: torch.utils.checkpoint.checkpoint(lambda y: y.sin().exp(), x, use_reentrant=False).sum(),
    "the shape of a mask": lambda x: x[X > 0].sin().sum() * int((X > 0).sum()) / max(X.tolist()[0]),
    "complex numbers in between": lambda x: torch.view_as_real(torch.complex(X, X)).sum() * x.sum(),
    "a distribution": lambda x: -torch.distributions.Normal(x, x.exp()).log_prob(X).sum(),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_what_torch_does_with_functions(name: str) -> None:
    """Whatever arrives below autograd is seen; what depends on no parameter may be looked at."""
    assert_traced(TRANSFORMS[name], X.T.contiguous().T if "penalty" in name else X)


def test_losses_that_are_arrays() -> None:
    """By their cotangent, which is a constant."""
    weights = np.arange(4.0)
    definition = objective(lambda x: x.sin().sum(1), "torch")
    traced = made(definition, X)
    traced.cotangent = weights
    found = prove(traced, traced.trace(), np.ones((1, 12)))
    assert float(found.slopes[0]) == pytest.approx(float((weights @ X.cos().numpy()).sum()), rel=1e-14)


def test_a_loss_that_depends_on_nothing() -> None:
    """Its trace has no operations, its gradient is 0."""
    traced = made(lambda x: torch.ones((), dtype=x.dtype), X)
    assert traced.trace().operations == ()
    assert replay(traced.gradient_trace(), [X.numpy()])[0].tolist() == np.zeros((4, 3)).tolist()


def test_what_nothing_depends_on_is_left_out() -> None:
    """Running statistics of a batch, results that nobody reads."""
    traced = made(lambda x: (x.exp(), x.sum())[1], X)
    assert [operation.name for operation in traced.trace().operations] == ["sum"]


def test_places_are_lines_of_the_person() -> None:
    """Also of what torch takes apart, and of its backward."""

    def inner(x: Tensor) -> Tensor:
        return F.layer_norm(x, (3,))

    def loss(x: Tensor) -> Tensor:
        return inner(x).sum()

    first = inspect.getsourcelines(inner)[1] + 1
    last = inspect.getsourcelines(loss)[1] + 1
    traced = made(loss, X)
    for trace in (traced.trace(), traced.gradient_trace()):
        places = {(operation.place.file, operation.place.line) for operation in trace.operations if operation.place}
        assert places <= {(__file__, first), (__file__, last)}
        assert (__file__, first) in places
        assert all(operation.place is not None for operation in trace.operations)
    assert "native_layer_norm" in str(traced.trace().operations[0])


DECIDED: dict[str, Callable[[Tensor], Any]] = {
    "a branch": lambda x: x.exp().sum() if x.sum() > -9 else x.sum(),
    "an index": lambda x: x.reshape(-1)[x.argmax()] ** 2,
    "a whole number": lambda x: sum((x[i].sin().sum() for i in range(int((x > 0).sum(1).max()))), x.sum()),
    "equal arrays": lambda x: x.sum() if torch.equal(x, x + 1) else x.cos().sum(),
    "a check of torch": lambda x: F.gaussian_nll_loss(x, X.roll(1, 0), x.exp()),
}


@pytest.mark.parametrize("name", DECIDED)
def test_a_program_goes_on_by_truth_values_and_whole_numbers(name: str) -> None:
    """They are guarded: nearby they are the same."""
    assert_traced(DECIDED[name], X)
    operations = made(DECIDED[name], X).trace().operations
    assert "guard" in [operation.name for operation in operations]


def test_a_branch_at_its_edge_is_not_proved() -> None:
    """On one side of it the program would go on otherwise."""
    traced = made(lambda x: x.sum() if x[0] >= 0 else 2 * x.sum(), torch.zeros(1, dtype=torch.float64))
    with pytest.raises(NotProvedError, match="at its edge"):
        prove(traced, traced.trace(), np.ones((1, 1)))


UNTRACEABLE: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "a branch by a number": (lambda x: x.sum() if float(x.sum()) > 0 else -x.sum(), "goes on by a number that"),
    "a number": (lambda x: x.sum() * x[0, 0].item(), "goes on by a number that it computes"),
    "NumPy": (lambda x: x.sum() * float(np.sin(x.detach().numpy()).sum()), "leave torch by `numpy`"),
    "a list": (lambda x: x.sum() * max(x.detach().tolist()[0]), "leave torch by `tolist`"),
}


@pytest.mark.parametrize("name", UNTRACEABLE)
def test_what_cannot_be_traced_is_said_with_its_line(name: str) -> None:
    """In one sentence."""
    function, words = UNTRACEABLE[name]
    traced = made(function, X)
    with pytest.raises(UntraceableError, match=words) as error:
        traced.trace()
    assert f"{Path(__file__).name}:" in str(error.value)


def test_a_decomposition_that_computes_something_else_is_none() -> None:
    """As torch's own of this loss, where targets follow an end mark."""
    targets = torch.tensor([[1, 0, -1]]).repeat(4, 1)
    traced = made(lambda x: F.multilabel_margin_loss(x, targets[:, [0, 2, 1]]), X)
    (found,) = replay(traced.trace(), [X.numpy()])
    assert float(found) == pytest.approx(traced.evaluate(traced.arguments.theta), rel=1e-14)


def test_a_gradient_that_is_written_by_hand_has_no_trace() -> None:
    """It is no program of torch."""
    traced = made(objective(lambda x: x.sum(), "torch", gradient=torch.ones_like), X)
    with pytest.raises(UntraceableError, match="by hand"):
        traced.gradient_trace()


def test_a_loss_that_fails_says_why() -> None:
    """As one that counts its calls."""
    calls: list[int] = []

    def loss(x: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError("once only")
        return x.sum()

    traced = made(loss, X)
    traced.evaluate(traced.arguments.theta)
    with pytest.raises(UntraceableError, match="once only"):
        traced.trace()


def test_the_state_of_torch_is_as_it_was() -> None:
    """Random numbers, settings, and a module's hooks are called once."""
    calls: list[int] = []
    module = seeded(lambda: nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)))
    module[0].register_forward_hook(lambda *_: calls.append(1))
    traced = made(objective(module, "torch", loss=torch.sum), dict(module.named_parameters()), (X,))
    state, fast = torch.random.get_rng_state(), torch.backends.mha.get_fastpath_enabled()
    kernels = torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.mem_efficient_sdp_enabled()
    with torch.no_grad():
        traced.trace()
        assert not torch.is_grad_enabled()
    assert calls == [1]
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert (torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.mem_efficient_sdp_enabled()) == kernels
    assert module[0].weight.grad is None
