"""The backward pass of a person's loss in JAX: right operations hand down slopes of themselves, wrong ones do not."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from tests.backends.xcheck_jax.losses_to_follow import LOSSES, WEIGHTS
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.backend.cotangents import WEIGHT
from xcheck.functions.arguments import read_arguments
from xcheck.trace import BackwardPass, UntraceableError
from xcheck.trace.model import Array
from xcheck_jax.backward import JaxBackwardPass, backward_pass_of

# Of central differences of numbers of order 1 in float64.
STEP = 2.0**-12


def shifted_sine(x: Any) -> Any:
    """A function that is given a wrong derivative."""
    return jnp.sin(x) * x


shifted: Any = jax.custom_vjp(shifted_sine)
shifted.defvjp(lambda x: (shifted(x), x), lambda x, g: (g * (jnp.sin(x) + jnp.cos(x)),))


def objective(loss: Any, w: Any = WEIGHTS) -> Objective:
    """A person's loss."""
    arguments = read_arguments(w, (), registry.read)
    return registry.get("jax").function_objective(xcheck.objective(loss, "jax"), arguments, wide=True)


def moves_of(run: BackwardPass) -> list[list[Array]]:
    """For each read a move that is small beside it."""
    random = np.random.default_rng(1)
    return [
        [random.normal(size=x.shape) * np.where(np.isfinite(x), np.abs(x), 0.0) for x in [r.array for r in call.reads]]
        for call in run.calls
    ]


def claimed_and_slopes(run: BackwardPass) -> tuple[Array, Array]:
    """x̄·u of every call, and the central difference of ⟨ȳ, f(x + t u)⟩."""
    moves = moves_of(run)
    claimed = [
        sum(float(np.sum(read.cotangent * u)) for read, u in zip(call.reads, move, strict=True))
        for call, move in zip(run.calls, moves, strict=True)
    ]
    right, left = run.responses(moves, np.array([STEP, -STEP]))
    return np.array(claimed), (right - left) / (2 * STEP)


# `narrow` computes in float32, where such a difference is rounding.
@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"narrow"}))
def test_right_operations_hand_down_their_slopes(name: str) -> None:
    """Each alone, whatever stands around it."""
    run = objective(LOSSES[name]).backward_pass()
    assert run.calls
    claimed, slopes = claimed_and_slopes(run)
    assert claimed == pytest.approx(slopes, rel=1e-4, abs=1e-6)


def test_a_wrong_rule_is_the_only_call_that_differs() -> None:
    """With the function's name, its rule, and the line that calls it."""

    def loss(w: Any) -> Any:
        return jnp.sum(jnp.tanh(w @ shifted(w)) ** 2)

    run = objective(loss).backward_pass()
    claimed, slopes = claimed_and_slopes(run)
    (number,) = np.flatnonzero(np.abs(claimed - slopes) > 1e-4)
    call = run.calls[int(number)]
    assert (call.name, call.rule) == ("shifted_sine", "custom_vjp")
    assert call.place is not None
    assert call.place.line == inspect.getsourcelines(loss)[1] + 1


def test_all_at_once_is_one_by_one() -> None:
    """One program for all calls, or each by JAX's own operation."""
    run = objective(LOSSES["mlp"]).backward_pass()
    moves, steps = moves_of(run), np.array([1e-2, -1e-3])
    one_by_one = [run.response(number, move, steps) for number, move in enumerate(moves)]
    assert run.responses(moves, steps) == pytest.approx(np.array(one_by_one).T, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("count", [0, 1, 2, 70])
@pytest.mark.parametrize("name", ["tanh", "integer_pow"])
def test_many_points_are_one_by_one(name: str, count: int) -> None:
    """One program, or JAX's own operation at each."""
    run = objective(LOSSES["mlp"]).backward_pass()
    assert isinstance(run, JaxBackwardPass)
    number, call = next((number, call) for number, call in enumerate(run.calls) if call.name == name)
    points = call.reads[0].array + np.random.default_rng(2).normal(size=(count, *call.reads[0].array.shape))
    (written,) = call.writes
    outputs = [run.run(number, [point])[0] for point in points]
    expected = [float(np.sum(written.cotangent * (output - written.array))) for output in outputs]
    assert run.responses_at(number, [points]) == pytest.approx(np.array(expected), rel=1e-9, abs=1e-15)


def test_a_rule_that_does_not_look_at_what_arrives_is_seen() -> None:
    """Also where that is 1: at the end of the loss."""
    total: Any = jax.custom_vjp(lambda x: jnp.sum(x, axis=None))
    total.defvjp(lambda x: (jnp.sum(x), x), lambda x, _: (jnp.ones_like(x),))
    run = objective(lambda w: total(w**2)).backward_pass()
    claimed, slopes = claimed_and_slopes(run)
    number = next(number for number, call in enumerate(run.calls) if call.rule == "custom_vjp")
    assert claimed[number] == pytest.approx(slopes[number] / WEIGHT, rel=1e-6)


def test_a_rule_may_compute_another_value() -> None:
    """What is written is given as the loss computes it, and as its rule does."""
    twice: Any = jax.custom_vjp(lambda x: 2 * x)
    twice.defvjp(lambda x: (5 * x, None), lambda _, g: (2 * g,))
    run = objective(lambda w: jnp.sum(twice(w) ** 2)).backward_pass()
    (written,) = run.calls[0].writes
    assert written.array == pytest.approx(2 * WEIGHTS)
    assert written.differentiated == pytest.approx(5 * WEIGHTS)
    assert run.calls[1].reads[0].array == pytest.approx(5 * WEIGHTS)
    claimed, slopes = claimed_and_slopes(run)
    assert claimed == pytest.approx(slopes, rel=1e-6)


def test_flags_of_jax_stay_as_they_are() -> None:
    """It computes in 64 bits, and leaves 32 behind."""
    before = jax.config.values["jax_enable_x64"]
    run = objective(LOSSES["mlp"]).backward_pass()
    run.responses(moves_of(run), np.array([STEP]))
    run.run(0, [read.array for read in run.calls[0].reads])
    assert jax.config.values["jax_enable_x64"] == before


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda w: jnp.sum(w) if w[0, 0] > 100 else jnp.sum(w**2), "traced"),
        (lambda w: jax.lax.while_loop(lambda c: c < 9.0, lambda c: 2 * c, jnp.sum(w**2)), "followed"),
    ],
    ids=["values", "while"],
)
def test_what_cannot_be_followed_says_why(loss: Any, words: str) -> None:
    """Never an error of another kind."""
    with pytest.raises(UntraceableError, match=words):
        objective(loss).backward_pass()


def test_narrow_operations_say_how_they_round() -> None:
    """Differences of what is computed in 32 bits are no better than that."""
    found = {call.name: call.roundoff for call in objective(LOSSES["narrow"]).backward_pass().calls}
    assert (found["sin"], found["reduce_sum"]) == (2.0**-24, 0.0)


def test_complex_parameters_are_pairs() -> None:
    """Real and imaginary parts, whose cotangents are the derivatives with respect to both."""
    run = objective(lambda w: jnp.sum(jnp.real(w) ** 2 + 3 * jnp.imag(w)), WEIGHTS + 1j).backward_pass()
    assert isinstance(run, JaxBackwardPass)
    gradient = run.gradients[0]
    assert gradient is not None
    assert gradient[..., 0] == pytest.approx(2 * WEIGHTS)
    assert gradient[..., 1] == pytest.approx(np.full((4, 4), 3.0))
    claimed, slopes = claimed_and_slopes(run)
    assert claimed == pytest.approx(slopes, rel=1e-6)


def test_a_loss_is_one_number() -> None:
    """Said with the shape."""
    with pytest.raises(UntraceableError, match=r"shape \(3,\)"):
        backward_pass_of(jax.make_jaxpr(jnp.sin)(jnp.ones(3)), [jnp.ones(3)], jax.devices("cpu")[0])


def test_what_arrives_at_the_parameters_is_the_gradient() -> None:
    """The same numbers as those that are checked."""
    checked = objective(LOSSES["transformer"])
    run = checked.backward_pass()
    assert isinstance(run, JaxBackwardPass)
    assert run.gradients[0] is not None
    assert run.gradients[0].ravel() == pytest.approx(checked.loss_and_gradient(WEIGHTS.ravel())[1], rel=1e-9)
