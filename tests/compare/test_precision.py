"""Precision: whether rounding explains how far float32 is from the reference."""

import numpy as np
import pytest

from xcheck import Dense, Network, verify
from xcheck.backend import registry
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.report.text import render
from xcheck.testing import Fault, Planted


def test_float32_is_within_rounding(problem: Problem) -> None:
    """Every tensor of every witness, and the report says so."""
    report = verify(problem, dtype="float32")
    assert {(one.witness, one.tensor) for one in report.precision} == {
        (name, tensor.name) for name in registry.DEFAULTS for tensor in problem.layout
    }
    assert all(one.within_rounding for one in report.precision)
    assert "float32: off by at most" in render(report)
    assert report.to_dict()["precision"][0]["within_rounding"] is True


def test_bfloat16_is_within_rounding(problem: Problem) -> None:
    """In torch and JAX; what it can decide is little, and nothing is called wrong."""
    report = verify(problem, backends=["torch", "jax"], dtype="bfloat16")
    assert all(one.within_rounding for one in report.precision)
    assert all(not pair.wrong for pair in report.pairs if pair.b == "oracle")
    assert report.tolerance == 0.125


def test_numpy_has_no_bfloat16(problem: Problem) -> None:
    """An error that says whom to ask."""
    report = verify(problem, backends=["numpy", "torch"], dtype="bfloat16")
    assert report.verdict == "ERROR"
    assert "it computes in float64 and float32, not in bfloat16" in report.findings[0].text


def test_nobody_misses_a_numpy_that_was_not_asked_for(problem: Problem) -> None:
    """By default the others are asked, and a warning says who was left out."""
    report = verify(problem, dtype="bfloat16")
    assert list(report.losses) == ["torch", "jax"]
    assert [warning.text for warning in report.warnings if warning.code == "XC402"]
    assert "XC413" not in {warning.code for warning in report.warnings}


def test_float64_has_no_audit(problem: Problem) -> None:
    """There the error bars tell."""
    assert verify(problem, backends=["numpy"]).precision == ()


@pytest.mark.parametrize("bits", [11, 8])
def test_less_than_float32_is_more_than_rounding(bits: int, problem: Problem) -> None:
    """A tensor that was rounded to half precision on the way is named."""

    def narrow(gradient: dict[str, Vector], problem: Problem) -> None:
        _, exponent = np.frexp(gradient["W1"])
        unit = np.ldexp(1.0, exponent - bits)
        gradient["W1"][...] = np.round(gradient["W1"] / unit) * unit

    report = verify(problem, backends=[Planted(registry.get("numpy"), Fault("narrow", "", narrow))], dtype="float32")
    wrong = [one.tensor for one in report.precision if not one.within_rounding]
    assert wrong == ["W1"]
    assert "more than rounding" in " ".join(render(report).split())


def test_bfloat16_keeps_the_signs_of_a_first_layer() -> None:
    """Products are summed in float32: of exact inputs and without a bias, rounding does not change the sign of any z.

    So no unit is at a kink, and relu decides as in float64.
    """
    rng = np.random.default_rng(0)
    layers = (Dense(units=32, activation="relu"), Dense(units=1))
    network = Network(inputs=30, layers=layers, loss="mean_squared_error")
    inputs = rng.standard_normal((64, 30))
    report = verify(
        Problem.create(network, inputs, rng.standard_normal((64, 1))), backends=["torch", "jax"], dtype="bfloat16"
    )
    assert report.oracle.ties == 0
    assert max(pair.difference for pair in report.pairs if pair.b == "oracle") < 2e-2
    assert all(one.within_rounding for one in report.precision)
