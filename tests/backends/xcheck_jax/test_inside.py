"""Inside of loops and branches: iterations, what each of them does, and the branch that is taken."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.backends.xcheck_jax.losses_to_follow import LOSSES, WEIGHTS
from tests.backends.xcheck_jax.test_backward import claimed_and_slopes, objective, shifted
from xcheck.trace import BackwardPass
from xcheck_jax.differentiated import Start
from xcheck_jax.inside import start_inside
from xcheck_jax.settings import own_settings
from xcheck_jax.straight_line import straight_line


def inside(run: BackwardPass, name: str) -> BackwardPass:
    """What the first call of that name is made of."""
    found = run.inside(next(number for number, call in enumerate(run.calls) if call.name == name))
    assert found is not None
    return found


def wrong_calls(run: BackwardPass) -> list[int]:
    """The calls that do not hand down their slopes."""
    claimed, slopes = claimed_and_slopes(run)
    return [int(number) for number in np.flatnonzero(np.abs(claimed - slopes) > 1e-5 + 1e-3 * np.abs(slopes))]


@pytest.mark.parametrize("name", ["lstm", "loop", "noisy loop"])
def test_right_iterations_hand_down_their_slopes(name: str) -> None:
    """Each alone, and each of their operations."""
    run = inside(objective(LOSSES[name]).backward_pass(), "scan")
    assert [call.step for call in run.calls] == list(range(1, len(run.calls) + 1))
    assert not wrong_calls(run)
    for number, call in enumerate(run.calls):
        body = run.inside(number)
        assert body is not None
        assert {each.step for each in body.calls} == {call.step}
        assert not wrong_calls(body)


def test_cotangents_pass_from_iteration_to_iteration() -> None:
    """What the first hands down for what was carried in is what the whole loop hands down for it."""

    def loss(w: Any) -> Any:
        return jnp.sum(jax.lax.scan(lambda c, x: (jnp.sin(c * x), c), w[0], w)[0])

    whole = objective(loss).backward_pass()
    run = inside(whole, "scan")
    reads = {read.name: read.cotangent for read in next(call for call in whole.calls if call.name == "scan").reads}
    parts = [{read.name: read.cotangent for read in call.reads} for call in run.calls]
    assert parts[0]["carry 0"] == pytest.approx(reads["carry 0"])
    assert np.array([part["input 0"] for part in parts]) == pytest.approx(reads["input 0"])


def test_a_wrong_rule_inside_of_a_loop_is_found() -> None:
    """The iterations are wrong, and in each the call of the rule alone."""

    def loss(w: Any) -> Any:
        return jnp.sum(jax.lax.scan(lambda c, x: (shifted(c + x) @ w, x), jnp.zeros(4), w)[0])

    whole = objective(loss).backward_pass()
    assert [whole.calls[number].name for number in wrong_calls(whole)] == ["scan"]
    run = inside(whole, "scan")
    assert wrong_calls(run) == [0, 1, 2, 3]
    for number in range(4):
        body = run.inside(number)
        assert body is not None
        assert [body.calls[each].rule for each in wrong_calls(body)] == ["custom_vjp"]


def test_a_wrong_rule_in_the_branch_that_is_taken_is_found() -> None:
    """The other branch is not looked at."""

    def loss(w: Any) -> Any:
        return jnp.sum(jax.lax.cond(w[0, 0] < 100, shifted, jnp.cos, w) ** 2)

    run = inside(objective(loss).backward_pass(), "cond")
    assert [(call.name, call.rule) for call in run.calls] == [("shifted_sine", "custom_vjp")]
    assert wrong_calls(run) == [0]


@pytest.mark.parametrize(("index", "taken"), [(-3, "sin"), (0, "sin"), (1, "cos"), (7, "cos")])
def test_a_number_takes_the_branch_that_is_nearest(index: int, taken: str) -> None:
    """As `jax.lax.switch` does it."""
    with own_settings(jax.devices("cpu")[0]):
        traced = jax.make_jaxpr(lambda i, w: jax.lax.switch(i, [jnp.sin, jnp.cos], w))(index, 1.0)
        cond = next(each for each in straight_line(traced).instructions if each.name == "cond")
        start = start_inside(cond, [index, 1.0], [1], [1.0], 3)
    assert isinstance(start, Start)
    assert ([each.name for each in start.line.instructions], start.step) == ([taken], 3)


def test_other_operations_have_no_inside() -> None:
    """Nor has a rule of a person's own, or a loop of very many iterations."""
    run = objective(lambda w: jnp.sum(shifted(w))).backward_pass()
    assert [run.inside(number) for number in range(len(run.calls))] == [None] * len(run.calls)
    long = objective(lambda w: jnp.sum(jax.lax.fori_loop(0, 2000, lambda _, c: c * 1.0001, w))).backward_pass()
    assert [long.inside(number) for number, call in enumerate(long.calls) if call.name == "scan"] == [None]


def test_loops_in_loops_are_opened() -> None:
    """Down to the operation."""

    def loss(w: Any) -> Any:
        inner = lambda c, x: (jnp.sin(c * x), x)  # noqa: E731
        return jnp.sum(jax.lax.scan(lambda c, x: (jax.lax.scan(inner, c, x)[0], x), w[0, 0], w)[0])

    outer = inside(objective(loss, WEIGHTS).backward_pass(), "scan")
    body = outer.inside(1)
    assert body is not None
    steps = inside(body, "scan")
    last = steps.inside(2)
    assert last is not None
    assert [(call.name, call.step) for call in last.calls] == [("mul", 3), ("sin", 3)]
