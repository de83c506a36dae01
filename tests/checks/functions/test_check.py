"""check and assert_gradients: what people hand over, in every form that is promised."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.nn import functional as F

import xcheck
from tests.checks.functions.layer import (
    B,
    W,
    X,
    codes,
    jax_loss,
    numpy_gradient,
    numpy_loss,
    off_by,
    torch_loss,
    torch_params,
)
from tests.fakes import Fake
from xcheck import Verdict
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.checks.functions.implementations import arguments_for
from xcheck.dtypes import DtypeName
from xcheck.errors import BackendError, DefinitionError
from xcheck.networks.problem import Problem

# --- frameworks -----------------------------------------------------------------------------------------------------


def test_three_frameworks_side_by_side() -> None:
    """One θ, three versions, each in its own arrays; the oracle is JAX's."""
    objectives = {
        "mine": xcheck.objective(numpy_loss, "numpy", gradient=numpy_gradient),
        "torch": xcheck.objective(torch_loss, "torch"),
        "jax": xcheck.objective(jax_loss, "jax"),
    }
    report = xcheck.check(objectives, {"W": W, "b": B}, (X,))
    assert report.ok, report
    assert list(report.losses) == ["mine", "torch", "jax"]
    assert report.oracle.engine == "jax: jax.vmap"
    assert len(report.pairs) == 6
    assert report.headline == "mine, torch, jax agree with the oracle on all 15 parameters"


def test_the_framework_is_read_off_the_parameters() -> None:
    """A bare function and arrays of one framework need nothing else."""
    with jax.enable_x64(True):
        params = {"W": jnp.asarray(W), "b": jnp.asarray(B)}
    for loss, given, name in ((torch_loss, torch_params(), "torch"), (jax_loss, params, "jax")):
        report = xcheck.check(loss, given, (X,))
        assert report.ok, report
        assert list(report.losses) == [name]


def test_the_odd_one_out_is_named() -> None:
    """The hand-written gradient forgets a factor; the first sentence says who and where."""
    wrong = xcheck.objective(numpy_loss, "numpy", gradient=lambda p, x: {**numpy_gradient(p, x), "b": np.zeros(3)})
    report = xcheck.check({"mine": wrong, "torch": xcheck.objective(torch_loss, "torch")}, {"W": W, "b": B}, (X,))
    assert report.verdict is Verdict.DISAGREE
    assert report.odd_one_out == ("mine",)
    assert report.headline.startswith("mine disagrees: b[")
    assert report.pairs[0].wrong == 3


def test_value_and_gradient_in_one() -> None:
    """As many NumPy programs have it."""
    both = xcheck.objective(
        numpy_loss, "numpy", value_and_gradient=lambda p, x: (numpy_loss(p, x), numpy_gradient(p, x))
    )
    assert xcheck.check(both, {"W": W, "b": B}, (X,)).ok


def test_a_hand_written_gradient_beside_its_own_framework() -> None:
    """gradient= takes the place of autograd."""
    right = xcheck.check(lambda p: (p**3).sum(), torch.tensor(B), gradient=lambda p: 3 * p**2)
    wrong = xcheck.check(lambda p: (p**3).sum(), torch.tensor(B), gradient=lambda p: 3 * p)
    assert right.ok
    assert wrong.verdict is Verdict.DISAGREE


# --- trees ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Layer:
    """A person's own container."""

    W: Any
    units: int


def test_any_tree() -> None:
    """Lists of dataclasses in dicts; components are named as a person would."""
    params = {"enc": [Layer(np.array([1.0, 2.0]), 3), Layer(np.array([0.5]), 1)], "k": np.array([2])}

    def loss(p: Any) -> float:
        return float((p["enc"][0].W ** 2).sum() * p["enc"][1].W[0] * p["k"][0] + p["enc"][0].units)

    def gradient(p: Any) -> Any:
        first, second = p["enc"]
        return {"enc.0.W": 3 * first.W * second.W[0] * p["k"][0], "enc.1.W": (first.W**2).sum() * p["k"]}

    report = xcheck.check(loss, params, gradient=gradient)
    assert report.headline == "numpy disagrees: enc.0.W[1] is 1.5 x the oracle (2 of 3 wrong)"


@pytest.mark.parametrize(
    ("params", "loss"),
    [
        (torch.tensor(2.0, dtype=torch.float64), lambda p: p**3),
        ({"a": torch.ones(2).double(), "none": torch.zeros(0, 3).double()}, lambda p: p["a"].prod() + p["none"].sum()),
        ({"a": torch.tensor(B), "i": torch.tensor([0, 2])}, lambda p: p["a"][p["i"]].sin().sum() + p["a"].cos().sum()),
        ({"a": torch.tensor(W).T}, lambda p: (p["a"] @ p["a"].T).sin().sum()),
        ({"a": torch.tensor(W)[:, ::2]}, lambda p: p["a"].sin().sum()),
        ({"a": torch.tensor(B), "f": 2.0}, lambda p: (p["a"] * p["f"] ** 2).sum()),
    ],
    ids=["scalar", "zero size", "integers", "transposed", "slice", "Python number"],
)
def test_leaves_of_every_kind(params: Any, loss: Callable[..., Any]) -> None:
    """Scalars, empty arrays, integers that are carried along, arrays with other strides, Python numbers."""
    assert xcheck.check(loss, params).ok


def test_strides_are_those_of_the_original() -> None:
    """A backward that is wrong on a transposed input only is found with a transposed input."""

    class Scaled(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.good = x.is_contiguous()
            return 3 * x

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
            return 3 * grads[0] if ctx.good else grads[0]

    def loss(p: Any) -> Any:
        return Scaled.apply(p).sin().sum()

    assert xcheck.check(loss, torch.tensor(W)).ok
    assert not xcheck.check(loss, torch.tensor(W).T)


def test_one_array_under_two_names() -> None:
    """Each name is varied alone, and that is said."""
    shared = torch.tensor(B)
    report = xcheck.check(lambda p: (p["a"] * p["b"] ** 2).sum(), {"a": shared, "b": shared})
    assert report.ok
    assert "XC423" in codes(report)


def test_a_gradient_of_none_is_zero_and_said() -> None:
    """A parameter that is not used, and one that is detached though it is."""
    params = {"a": torch.tensor(B), "b": torch.tensor(B)}
    unused = xcheck.check(lambda p: p["a"].square().sum(), params)
    assert unused.ok
    assert "does not depend on b" in next(warning.text for warning in unused.warnings if warning.code == "XC421")
    detached = xcheck.check(lambda p: p["a"].square().sum() + p["b"].detach().square().sum(), params)
    assert detached.verdict is Verdict.DISAGREE
    assert detached.pairs[0].worst[0].location.name == "b"


# --- modules --------------------------------------------------------------------------------------------------------


def module() -> torch.nn.Sequential:
    """A small module in float64."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Tanh(), torch.nn.Linear(3, 1)
    ).double()


def test_a_module_is_checked_and_not_touched() -> None:
    """Its parameters are the params, its buffers are frozen, and nothing of it changes."""
    net = module()
    before = copy.deepcopy(net.state_dict())
    mode, flags = net.training, [p.requires_grad for p in net.parameters()]
    x, y = torch.tensor(X), torch.tensor(X[:, :1])
    report = xcheck.check(xcheck.objective(net, "torch", loss=F.mse_loss), data=(x, y))
    assert report.ok, report
    assert report.parameters == sum(p.numel() for p in net.parameters())
    assert "XC422" in codes(report)  # batch norm in training mode
    after = net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (net.training, [p.requires_grad for p in net.parameters()]) == (mode, flags)
    assert all(p.grad is None for p in net.parameters())


def test_active_dropout_is_undecided_and_named() -> None:
    """Two calls differ: not a mismatch, and the part that draws is named."""
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)).double()
    loss = xcheck.objective(net, "torch", loss=lambda out: out.square().mean())
    report = xcheck.check(loss, data=(torch.tensor(X),))
    assert report.verdict is Verdict.UNDECIDED
    assert {"XC416", "XC422"} <= codes(report)
    assert "1 (Dropout, p = 0.5)" in str([warning.text for warning in report.warnings])
    net.eval()
    assert xcheck.check(loss, data=(torch.tensor(X),)).ok


def test_a_module_beside_its_port() -> None:
    """Other names, other axes, other framework."""
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)).double()

    def port(p: Any, x: Any) -> Any:
        hidden = jnp.tanh(x @ p["fc1"]["kernel"] + p["fc1"]["bias"])
        return jnp.mean((hidden @ p["fc2"]["kernel"] + p["fc2"]["bias"]) ** 2)

    rename = {"fc1.kernel": "0.weight", "fc1.bias": "0.bias", "fc2.kernel": "2.weight", "fc2.bias": "2.bias"}
    original = xcheck.objective(net, "torch", loss=lambda out: out.square().mean())
    report = xcheck.check(
        {"torch": original, "jax": xcheck.objective(port, "jax", rename=rename, layout={"*.kernel": "transpose"})},
        data=(torch.tensor(X),),
    )
    assert report.ok, report
    assert {tensor.name for tensor in report.tensors} == {"0.weight", "0.bias", "2.weight", "2.bias"}


# --- numbers --------------------------------------------------------------------------------------------------------


def test_complex_parameters_in_two_conventions() -> None:
    """∂L/∂Re + i ∂L/∂Im; JAX's conjugate is converted and said."""
    weight = np.array([1 + 2j, 0.5 - 1j])

    def in_torch(p: Any) -> Any:
        return (p**2).abs().sum() + (p.conj() * torch.tensor([1 + 1j, 2 - 1j])).sum().real

    def in_jax(p: Any) -> Any:
        return jnp.sum(jnp.abs(p**2)) + jnp.real(jnp.sum(jnp.conj(p) * jnp.array([1 + 1j, 2 - 1j])))

    objectives = {"torch": xcheck.objective(in_torch, "torch"), "jax": xcheck.objective(in_jax, "jax")}
    report = xcheck.check(objectives, weight, order=2)
    assert report.ok, report
    assert "XC424" in codes(report)
    assert [tensor.name for tensor in report.tensors] == ["p.real", "p.imag"]
    conjugated = xcheck.check(lambda p: float((np.abs(p) ** 2).sum()), weight, gradient=lambda p: 2 * np.conj(p))
    assert conjugated.verdict is Verdict.DISAGREE
    assert {component.location.name for component in conjugated.pairs[0].worst} == {"p.imag"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_narrow_parameters(dtype: torch.dtype) -> None:
    """A right gradient is within rounding, and its 64-bit twin is held to the full precision."""
    params = {name: part.to(dtype) for name, part in torch_params().items()}
    report = xcheck.check(torch_loss, params, (torch.tensor(X).to(dtype),))
    assert report.ok, report
    assert [pair.a for pair in report.pairs if pair.b == "oracle"] == ["torch", "torch in float64"]
    assert report.verified == 15
    wrong = xcheck.check(lambda p, x: off_by(torch_loss(p, x), 1e-5), params, (torch.tensor(X).to(dtype),))
    assert wrong.verdict is Verdict.DISAGREE


def test_a_module_stands_for_its_parameters() -> None:
    """A function of its framework, which it tells, is called with the module itself, others with its parameters."""
    module = torch.nn.Linear(4, 2).double()
    report = xcheck.check(lambda model, x: model(x).square().sum(), module, (torch.tensor(X),))
    assert report.ok, report
    assert report.parameters == 10
    port = xcheck.objective(lambda p, x: jnp.sum((x @ p["weight"].T + p["bias"]) ** 2), "jax")
    original = xcheck.objective(lambda model, x: model(x).square().sum(), "torch")
    both = xcheck.check({"torch": original, "jax": port}, module, (torch.tensor(X),))
    assert both.ok, both
    assert {tensor.name for tensor in both.tensors} == {"weight", "bias"}


def test_a_function_that_knows_float32_only() -> None:
    """Captured data forbid float64: the oracle takes the function as it is, measures its noise, and says so."""
    x = torch.tensor(X).float()
    params = {name: part.float() for name, part in torch_params().items()}
    report = xcheck.check(lambda p: torch_loss(p, x), params)
    assert report.verdict is Verdict.AGREE, report
    assert "XC425" in codes(report)
    wrong = xcheck.check(lambda p: off_by(torch_loss(p, x), 0.05), params)
    assert wrong.verdict is Verdict.DISAGREE


def test_float32_inside_a_float64_loss() -> None:
    """Half of the computation loses its digits: told by the steps of the staircase, and the tolerance is float32's."""
    report = xcheck.check(
        lambda p, x: torch_loss({name: part.float() for name, part in p.items()}, x.float()).double(),
        torch_params(),
        (torch.tensor(X),),
    )
    assert report.verdict in (Verdict.AGREE, Verdict.UNDECIDED), report
    assert "XC417" in codes(report)


# --- arrays ---------------------------------------------------------------------------------------------------------


# --- order 2 --------------------------------------------------------------------------------------------------------


# --- the oracle -----------------------------------------------------------------------------------------------------


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: xcheck.check(lambda p: p, B), "numpy has no autodiff: give the backward pass as gradient="),
        (lambda: xcheck.check({}, B), "objectives is empty"),
        (lambda: xcheck.check(3, B), "expected a function or an xcheck.objective, int came"),  # type: ignore[arg-type]
        (lambda: xcheck.check(lambda p: p, {"a": "x"}), "params holds no array of an installed framework"),
        (lambda: xcheck.check(lambda p: p, np.array([1, 2]), gradient=lambda p: p), "no floating-point array"),
        (lambda: xcheck.check(lambda p: p, np.array([np.nan]), gradient=lambda p: p), "1 of 1 numbers are not finite"),
        (lambda: xcheck.check(lambda p: p, [B, torch.tensor(B), jnp.ones(2)]), "arrays of several frameworks"),
        (lambda: xcheck.check(torch_loss, backend="torch"), "params is missing"),
        (
            lambda: xcheck.check(torch.nn.Linear(3, 2), torch.ones(5, 3)),
            "params: one array came, and Linear has parameters of its own: hand over what it takes as data=(x,)",
        ),
        (
            lambda: xcheck.check(torch_loss, torch.nn.Linear(3, 2).parameters()),
            "(found generator): hand over an array, a tree of arrays, or a module",
        ),
        (lambda: xcheck.check(torch_loss, torch_params(), gradient=B), "gradient: expected a function, ndarray came"),  # type: ignore[arg-type]
        (lambda: xcheck.objective(torch_loss, "torch", gradient=3), "gradient: expected a function, int came"),  # type: ignore[arg-type]
        (lambda: xcheck.check(torch_loss, torch_params(), scope="most"), "'most' is none of auto, all, sample, jac"),  # type: ignore[arg-type]
        (lambda: xcheck.check(torch_loss, torch_params(), tolerance=-1), "-1 is not a positive number"),
        (lambda: xcheck.check(torch_loss, torch_params(), order=3), "3 is neither 1 nor 2"),  # type: ignore[arg-type]
        (lambda: xcheck.check(torch_loss, torch_params(), epsilon=0), "0 is neither 'auto' nor a positive number"),
        (lambda: xcheck.check(torch_loss, torch_params(), (X,), oracle="mine"), "no function called 'mine'"),
        (lambda: xcheck.check(torch_loss, torch_params(), (X,), backend="tch"), "there is no backend 'tch'"),
        (
            lambda: xcheck.objective(numpy_loss, "numpy", gradient=numpy_gradient, value_and_gradient=numpy_gradient),
            "give one of gradient, value_and_gradient",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_said(call: Callable[[], Any], said: str) -> None:
    """What was expected, what came, what to type."""
    with pytest.raises(DefinitionError) as caught:
        call()
    assert said in str(caught.value)


def test_a_function_that_raises_is_an_error_and_no_mismatch() -> None:
    """With its own words."""
    report = xcheck.check(lambda p: 1 / 0, B, gradient=lambda p: p)
    assert report.verdict is Verdict.ERROR
    assert report.headline == "numpy: ZeroDivisionError: division by zero"


def test_a_gradient_of_another_shape_is_an_error() -> None:
    """With both shapes."""
    report = xcheck.check(lambda p: (p**2).sum(), B, gradient=lambda p: p[:2])
    assert report.verdict is Verdict.ERROR
    assert "the gradient of p has shape (2,), p itself (3,)" in report.headline


def test_a_loss_that_is_not_finite_is_undecided() -> None:
    """There is no gradient to check."""
    report = xcheck.check(lambda p: float("nan"), B, gradient=lambda p: p)
    assert report.verdict is Verdict.UNDECIDED
    assert "XC105" in codes(report)


def test_nothing_that_is_handed_over_is_written_to() -> None:
    """Not even by a function that tries."""
    params, data = {"a": B.copy(), "i": np.array([1])}, (X.copy(),)

    def loss(p: Any, x: Any) -> float:
        x[:] = 0
        p["a"] += 1
        p["i"] += 1
        return float(p["a"].sum())

    xcheck.check(loss, params, data, gradient=lambda p, x: np.ones(3))
    assert np.array_equal(params["a"], B)
    assert params["i"][0] == 1
    assert np.array_equal(data[0], X)


def test_global_state_is_left_alone() -> None:
    """Random generators, default dtypes, flags."""
    torch.manual_seed(3)

    def state() -> tuple[Any, ...]:
        drawn = (torch.get_rng_state().tolist(), repr(np.random.get_state()))  # noqa: NPY002 - the global state itself
        return (*drawn, torch.get_default_dtype(), torch.is_grad_enabled(), jax.config.jax_enable_x64)

    before = state()
    objectives = {"t": xcheck.objective(torch_loss, "torch"), "j": xcheck.objective(jax_loss, "jax")}
    assert xcheck.check(objectives, {"W": W, "b": B}, (X,)).ok
    assert state() == before


def test_a_backend_of_networks_only_says_so() -> None:
    """Third parties need not support functions."""

    class Networks(Fake):
        def network_objective(
            self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64"
        ) -> Objective:
            raise NotImplementedError

    with pytest.raises(BackendError, match="declared networks only"):
        Networks().function_objective(xcheck.objective(numpy_loss, "numpy"), arguments_for(B, ()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn])
def test_a_cast_to_float32_of_coarser_parameters_is_no_loss(dtype: torch.dtype) -> None:
    """It has more digits than they have: once it was told as less precise than float64, and not asked again."""
    x = torch.tensor([1.5, 1.75, 2.0]).to(dtype)
    report = xcheck.check(lambda x: (x.float() ** 2).sum(), x)
    assert not {"XC417", "XC428"} & set(codes(report))
    again = next(pair for pair in report.pairs if pair.a == "torch in float64")
    assert (again.wrong, again.undecided) == (0, 0)
    wrong = xcheck.check(lambda x: off_by((x.float() ** 2).sum(), 1e-3), x)
    assert wrong.verdict is Verdict.DISAGREE


def test_what_its_own_rounding_leaves_open_is_not_off_by_more_than_rounding() -> None:
    """XC428 is about what is; of float8 the rounding may be larger than a component."""
    x = torch.tensor([0.5, 1.0, 1.5, 2.0]).to(torch.float8_e4m3fn)
    report = xcheck.check(lambda x: (x.double() ** 2).sum(), x)
    assert "XC428" not in codes(report)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_device_that_is_not_there(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the argument; a definition would have it in `[check]`."""
    monkeypatch.setattr(type(registry.get(framework)), "devices", lambda _: ("cpu",))
    with pytest.raises(DefinitionError, match=rf"^{framework}\.device: \w+ has no device 'gpu' here"):
        xcheck.check(lambda p: (p**2).sum(), B, backend=framework, device="gpu")
