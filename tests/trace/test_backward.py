"""The backward pass of a loss: what a call's response to a move of its inputs is."""

from collections.abc import Sequence

import numpy as np

from tests.trace.chains import STEPS, Chain
from xcheck.trace import BackwardPass, Call, Read, Written
from xcheck.trace.model import Array


def test_a_response_is_what_the_operation_alone_does() -> None:
    """⟨ȳ, f(x + t u) − f(x)⟩, for every step and every call."""
    x = np.random.default_rng(0).normal(size=5)
    run, steps = Chain(STEPS, x), np.array([0.5, -0.25])
    moves = [[np.ones_like(call.reads[0].array)] for call in run.calls]
    responses = run.responses(moves, steps)
    assert responses.shape == (2, len(STEPS))
    exp = run.calls[0]
    expected = [float((exp.writes[0].cotangent * (np.exp(x + step) - np.exp(x))).sum()) for step in steps]
    assert np.allclose(responses[:, 0], expected, rtol=1e-12)


def test_a_move_out_of_the_domain_gives_nan() -> None:
    """A step on which the operation raises says nothing; the others do."""

    class Fragile(Chain):
        def run(self, number: int, inputs):  # type: ignore[no-untyped-def]
            if inputs[0][0] > 1:
                raise ValueError
            return super().run(number, inputs)

    run = Fragile(STEPS[:1], np.zeros(2))
    found = run.response(0, [np.ones(2)], np.array([0.5, 2.0]))
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_infinities_at_which_nothing_arrives_count_for_nothing() -> None:
    """A mask of −inf stays what it is."""

    class Masked(BackwardPass):
        calls = (
            Call(
                name="mask",
                reads=(Read("x", np.ones(2), np.array([1.0, 0.0])),),
                writes=(Written(np.array([1.0, -np.inf]), np.array([1.0, 0.0]), np.array([1.0, -np.inf])),),
            ),
        )

        def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
            return [np.array([inputs[0][0], -np.inf])]

    assert Masked().response(0, [np.ones(2)], np.array([0.5])) == [0.5]


def test_a_call_names_itself() -> None:
    """By its name, and the line where that is known."""
    call = Chain(STEPS, np.ones(3)).calls[1]
    assert str(call) == "`rms_norm` at chain.py:2"
    assert str(Call(name="exp", reads=(), writes=())) == "`exp`"
    assert Chain(STEPS, np.ones(3)).inside(1) is None
