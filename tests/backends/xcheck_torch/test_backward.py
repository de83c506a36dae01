"""The backward pass of losses in torch, call by call: right where autograd is, and which call is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tests.backends.xcheck_torch.shown import (
    LayerNorm,
    WrongLayerNorm,
    assert_shown,
    seeded,
    transformer,
    wrong_calls,
)
from tests.backends.xcheck_torch.traced import made, randn
from tests.breadth.catalogue import CATALOGUE
from tests.breadth.entry import Entry
from xcheck import objective
from xcheck.trace import UntraceableError
from xcheck_torch.noted import ON_SURFACES

X = randn(4, 3)
W = {"w": randn(3, 3, seed=1), "b": randn(3, seed=2)}

MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "perceptron": (lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.LayerNorm(5), nn.Linear(5, 2)), (4, 3)),
    "convolutional": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        (2, 1, 6, 6),
    ),
    "encoder": (lambda: nn.TransformerEncoderLayer(4, 2, 6, dropout=0.1, batch_first=True), (1, 3, 4)),
    "encoder in evaluation": (lambda: nn.TransformerEncoderLayer(4, 2, 6, batch_first=True).eval(), (1, 3, 4)),
    "long short-term memory": (lambda: nn.Sequential(nn.LSTM(3, 4, 2)), (5, 3)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    """Parameters are read by the calls of a module, which stays as it is, and so do random numbers."""
    build, shape = MODULES[name]
    module = seeded(build)

    def loss(outputs: Any) -> Tensor:
        return ((outputs[0] if isinstance(outputs, tuple) else outputs).sin() ** 2).sum()

    before, states = {key: value.clone() for key, value in module.state_dict().items()}, torch.get_rng_state()
    with torch.random.fork_rng(devices=[]):
        function = objective(module, "torch", loss=loss)
        with _Seeded():
            assert_shown(function, dict(module.named_parameters()), randn(*shape, seed=3))
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), states)


def in_lists(p: Any, x: Tensor) -> Tensor:
    """Lists of tensors are read and returned."""
    z = torch.cat([x @ p["w"], p["b"].expand(4, 3)], 1)
    a, b = z.chunk(2, 1)
    stacked = torch.stack([a, b, x @ p["w"] * 0.9])
    most, _ = torch.where(stacked > 0, stacked, stacked * 0.1).max(0)
    return (most * stacked.unbind()[0]).sum()


def in_place(p: Any, x: Tensor) -> Tensor:
    """Views share memory; what is written into one is read through the other."""
    y = x @ p["w"]
    y[0].mul_(y[1] + 0.5)
    y[1] *= 2.0
    y += p["b"]
    whole = torch.zeros(5, 3, dtype=torch.float64)
    whole[1:] = y
    flat = whole.view(-1)
    flat.sin_()
    whole.T.mul_(y.mean())
    F.relu(whole[2:], inplace=True)
    return whole.square().sum() + flat[3]


def recurrent(p: Any, x: Tensor) -> Tensor:
    """Steps of a loop stand one after the other."""
    h = torch.zeros(3, dtype=torch.float64)
    for row in x:
        h = torch.tanh(row @ p["w"] + h * p["b"])
    return h.square().sum()


def attending(p: Any, x: Tensor) -> Tensor:
    """One operation has several of the same parameters."""
    q = x @ p["w"]
    return F.scaled_dot_product_attention(q[None], q[None], (q + p["b"])[None]).square().sum()


def random(p: Any, x: Tensor) -> Tensor:
    """A call that draws random numbers draws the same when it is called once more."""
    torch.manual_seed(1)
    return (F.dropout(F.dropout(x @ p["w"]), inplace=True) * p["b"] * torch.rand(3, dtype=torch.float64)).sum()


LOSSES = [in_lists, in_place, recurrent, attending, random]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_functions(loss: Callable[..., Tensor]) -> None:
    """What a person writes with operators and functions of torch."""
    assert_shown(loss, W, X)


ENTRIES = [entry for entry in CATALOGUE if entry.framework == "torch" and not entry.array_valued]
# Complex numbers are not followed.
FOLLOWED = [entry for entry in ENTRIES if not entry.name.endswith("fft")]


@pytest.mark.parametrize("entry", FOLLOWED, ids=lambda entry: entry.name)
def test_ordinary_functions(entry: Entry) -> None:
    """No call of a function of the catalogue is wrong, and each has the value that it has without autograd."""
    params, data = entry.make(np.random.default_rng(0))
    shown = made(entry.loss, params, data).backward_pass()
    assert shown.calls
    assert {call.name for call in wrong_calls(shown)} <= ON_SURFACES
    for written in (one for call in shown.calls for one in call.writes):
        np.testing.assert_allclose(written.differentiated, written.array, rtol=1e-12, atol=1e-12)


def test_embeddings() -> None:
    """Options that change a gradient by design are undone; gradients may be sparse."""
    indices = torch.tensor([0, 1, 1, 4])

    def loss(p: Any) -> Tensor:
        some = F.embedding(indices, p["e"], padding_idx=1, sparse=True)
        return (some * F.embedding(indices, p["e"], scale_grad_by_freq=True)).sin().sum()

    assert_shown(loss, {"e": randn(5, 3)})


def test_a_backward_pass_by_hand() -> None:
    """A right one is right in each of its calls, and is called by its name, at its line.

    The first of four reads data alone.
    """
    shown = assert_shown(*transformer(LayerNorm.apply))
    own = [call for call in shown.calls if call.rule == "autograd.Function"]
    assert [call.name for call in own] == ["LayerNorm"] * 3
    assert {call.place.function for call in own if call.place} == {"transformer.<locals>.loss"}


def test_a_wrong_backward_pass_by_hand() -> None:
    """Exactly the calls of a wrong one are wrong."""
    loss, params, data = transformer(WrongLayerNorm.apply)
    wrong = wrong_calls(made(loss, params, (data,)).backward_pass())
    assert [call.name for call in wrong] == ["WrongLayerNorm"] * 3


def behind_a_cut(p: Any, x: Tensor) -> Tensor:
    """What goes on behind `detach` is right by itself."""
    z = (x @ p["w"]).detach().clone()
    z[0] = 0
    z = z * 3
    z += 1
    return (z * p["b"]).sum()


def cut_by_data(p: Any, x: Tensor) -> Tensor:
    """All of the loss is cut off."""
    return (x @ p["w"]).data.square().sum()


def begun_anew(p: Any, x: Tensor) -> Tensor:
    """Behind a cut a gradient is asked for once more."""
    return ((x @ p["w"]).detach().requires_grad_() * p["b"]).sum()


def without_gradients(p: Any, x: Tensor) -> Tensor:
    """The last call of a block without gradients is the one that hands nothing on."""
    y = x @ p["w"]
    with torch.no_grad():
        z = (y + 1).exp()
    return (z * y * p["b"]).sum()


def scaled_in_secret(p: Any, x: Tensor) -> Tensor:
    """Autograd takes a tensor for what it was before."""
    y = x @ p["w"]
    with torch.no_grad():
        y.mul_(2)
    return y.square().sum()


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (behind_a_cut, "detach"),
        (begun_anew, "detach"),
        (cut_by_data, "data"),
        (without_gradients, "exp"),
        (scaled_in_secret, "mul_"),
    ],
)
def test_what_autograd_does_not_see(loss: Callable[..., Tensor], name: str) -> None:
    """Values depend on parameters where autograd knows nothing of it: the call that cuts is wrong, no other."""
    wrong = wrong_calls(made(loss, W, (X,)).backward_pass())
    assert [call.name for call in wrong] == [name]


class Rounded(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """Returns something else where it is differentiated."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Round, but only if a gradient is asked for."""
        return x.round() if ctx.needs_input_grad[0] else x.clone()

    @staticmethod
    def backward(_: Any, *cotangents: Tensor) -> Tensor:
        """Hand on what arrives."""
        return cotangents[0]


def test_another_value_under_differentiation() -> None:
    """What a call computes plainly is told apart from what it computes where it is differentiated."""
    shown = made(lambda p, x: Rounded.apply(x @ p["w"]).sum(), W, (X,)).backward_pass()
    (written,) = next(call for call in shown.calls if call.name == "Rounded").writes
    np.testing.assert_array_equal(written.differentiated, np.round(written.array))
    assert (written.array != written.differentiated).any()


class ForTraining(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """Fails where no gradient is asked for, and has a wrong one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Double."""
        if not ctx.needs_input_grad[0]:
            raise ValueError
        return x * 2

    @staticmethod
    def backward(_: Any, *cotangents: Tensor) -> Tensor:
        """Triple."""
        return cotangents[0] * 3


def test_a_function_for_training_alone() -> None:
    """It is called with gradients asked for, also once more."""
    wrong = wrong_calls(made(lambda p, x: ForTraining.apply(x @ p["w"]).sum(), W, (X,)).backward_pass())
    assert [call.name for call in wrong] == ["ForTraining"]


def test_what_torch_computes_unseen() -> None:
    """It is not noted; what is computed from it is."""

    def loss(p: Any, _: Tensor) -> Tensor:
        with torch._C.DisableTorchFunction():  # noqa: SLF001 - as scripts do
            y = p["w"].sin()
        return (y * p["b"]).sum()

    shown = made(loss, W, (X,)).backward_pass()
    assert [(call.name, len(call.reads)) for call in shown.calls] == [("mul", 2), ("sum", 1)]
    assert wrong_calls(shown) == []


def test_derivatives_on_a_surface() -> None:
    """Torch's gradient of a function of symmetric matrices is no gradient off them: nothing is said of such a call."""
    shown = made(lambda p, x: torch.linalg.eigvalsh(x.T @ x + p["w"] @ p["w"].T).sin().sum(), W, (X,)).backward_pass()
    number = next(i for i, call in enumerate(shown.calls) if call.name == "linalg_eigvalsh")
    (read,) = shown.calls[number].reads
    assert np.isnan(shown.response(number, [np.ones_like(read.array)], np.array([1e-3]))).all()


def test_what_cannot_be_followed() -> None:
    """One sentence says what, and where; the patch of torch is undone all the same."""
    cases: dict[str, Callable[..., Tensor]] = {
        "the loss differentiates by itself": lambda p, x: torch.autograd.grad(
            (x @ p["w"]).sum(), p["w"], create_graph=True
        )[0].sum(),
        "`torch.func` transforms what is computed": lambda p, x: torch.func.vmap(lambda row: row @ p["w"])(x).sum(),
        "`fft_fft` computes with complex numbers": lambda p, x: torch.fft.fft(x @ p["w"]).real.sum(),
        "`to_sparse` makes a sparse array": lambda p, x: (x @ p["w"]).to_sparse().to_dense().sum(),
    }
    for text, loss in cases.items():
        with pytest.raises(UntraceableError, match=f"{text} at .*{Path(__file__).name}:"):
            made(loss, W, (X,)).backward_pass()
        assert "apply" not in torch.autograd.Function.__mro__[1].__dict__


def test_inside() -> None:
    """A function of torch that is written in Python is opened: its calls are right, and add up to the same."""
    module = seeded(MODULES["encoder"][0])
    function = objective(module, "torch", loss=lambda outputs: outputs.sin().sum())
    shown = made(function, dict(module.named_parameters()), (randn(1, 3, 4),)).backward_pass()
    number = next(i for i, call in enumerate(shown.calls) if call.name == "multi_head_attention_forward")
    opened, (weight, *_) = shown.inside(number), shown.calls[number].reads
    assert opened is not None
    assert "scaled_dot_product_attention" in [call.name for call in opened.calls]
    assert wrong_calls(opened) == []
    uses = [read for call in opened.calls for read in call.reads if np.array_equal(read.array, weight.array)]
    np.testing.assert_allclose(sum(read.cotangent for read in uses), weight.cotangent, rtol=1e-12)
    closed = [shown.inside(i) for i, call in enumerate(shown.calls) if call.name in ("linear", "sin", "layer_norm")]
    assert closed
    assert closed == [None] * len(closed)


def test_checkpoints() -> None:
    """What is computed once more in the backward pass is followed where it was computed first."""

    def loss(p: Any, x: Tensor) -> Tensor:
        found: Tensor = checkpoint(lambda y: ((y @ p["w"]).sin() * p["b"]).cos(), x @ p["w"], use_reentrant=False)
        return found.sum()

    shown = assert_shown(loss, W, X)
    assert [call.name for call in shown.calls] == ["matmul", "matmul", "sin", "mul", "cos", "sum"]


def test_gradients_by_hand_have_no_backward_pass() -> None:
    """There is nothing of torch's to look into."""
    function = objective(lambda p: p["w"].sum(), "torch", gradient=lambda p: {"w": torch.ones(3)})
    with pytest.raises(UntraceableError, match="written by hand"):
        made(function, {"w": randn(3)}).backward_pass()


def test_a_person_s_tensors_stay_as_they_are() -> None:
    """No gradient is accumulated anywhere, also not in what a loss reads beside its parameters."""
    beside = randn(3, seed=4).requires_grad_()
    shown = made(lambda p, x: (x @ p["w"] * beside).sum(), W, (X,)).backward_pass()
    assert wrong_calls(shown) == []
    assert beside.grad is None


class _Seeded:
    """Seeds each call of a module, so that dropout draws the same whenever the loss is computed."""

    def __enter__(self) -> None:
        self._handle = nn.modules.module.register_module_forward_pre_hook(self._seed)

    def __exit__(self, *_: object) -> None:
        self._handle.remove()

    def _seed(self, module: nn.Module, _: Any) -> None:
        if isinstance(module, nn.TransformerEncoderLayer):
            torch.manual_seed(7)
