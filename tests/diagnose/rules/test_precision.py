"""Gradients that are right but for how their numbers are stored."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.diagnose.faults import network
from tests.diagnose.rules.conftest import W, causes, evidence_of, explaining, spoiled, texts
from xcheck import check, verify
from xcheck.backend import registry
from xcheck.diagnose.probes import Probes
from xcheck.diagnose.rules.precision import clipping, conjugation, rounding, underflow
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.testing import Fault, Planted

MANY = np.random.default_rng(2).standard_normal(400)


@pytest.mark.parametrize(
    ("gradient", "text"),
    [
        (W.astype(np.float16).astype(np.float64), "rounded to float16 (11 bits)"),
        (np.round(W, 3), "rounded to 3 decimals"),
    ],
)
def test_what_is_stored_in_few_digits_is_rounded(gradient: Vector, text: str) -> None:
    """With the format, or the number of decimals."""
    evidence = evidence_of({"W": gradient}, {"W": W})
    assert texts(evidence, rounding(evidence)) == [text]


def test_rounding_on_the_way_has_the_size_of_a_format_and_no_structure() -> None:
    """Random residuals of 2⁻⁸ of the terms are those of bfloat16; the same with one sign only are none."""
    scale = np.abs(MANY).max() * 2.0**-8 / np.sqrt(3)
    noise = scale * np.random.default_rng(3).uniform(-1, 1, 400)
    evidence = evidence_of({"w": MANY + noise}, {"w": MANY}, {"w": MANY[::-1].copy()})
    (said,) = texts(evidence, rounding(evidence))
    assert said.startswith("the numbers are rounded to bfloat16 on the way")
    smooth = replace(evidence, probes=Probes(shift=lambda step: 3 * step))
    assert texts(smooth, rounding(smooth)) == []
    jumping = replace(evidence, probes=Probes(shift=lambda step: 1.4))
    assert texts(jumping, rounding(jumping)) == [said]
    biased = evidence_of({"w": MANY + np.abs(noise)}, {"w": MANY})
    assert texts(biased, rounding(biased)) == []


def test_a_formula_with_narrow_features_is_not_called_rounding() -> None:
    """Where it moves wholly within 1e-4 of θ, and smoothly within some roundings of float32."""
    scale = np.abs(MANY).max() * 2.0**-24 / np.sqrt(3)
    noise = scale * np.random.default_rng(3).uniform(-1, 1, 400)
    evidence = evidence_of(
        {"w": MANY + noise}, {"w": MANY}, {"w": MANY[::-1].copy()}, probes=Probes(shift=lambda step: 1.4)
    )
    evidence = replace(evidence, tolerance=1e-9, wrong=np.ones(400, dtype=bool))
    (said,) = texts(evidence, rounding(evidence))
    assert said.startswith("the numbers are rounded to float32 on the way")
    narrow = replace(evidence, probes=Probes(shift=lambda step: min(1.4, 5e4 * step)))
    assert texts(narrow, rounding(narrow)) == []


def test_a_limit_is_clipped() -> None:
    """Several components at one limit."""
    evidence = evidence_of({"W": np.clip(W, -0.5, 0.5)}, {"W": W})
    assert "clipped at ±0.5" in texts(evidence, clipping(evidence))


def test_small_numbers_are_flushed_to_zero() -> None:
    """And all others right."""
    evidence = evidence_of({"W": np.where(np.abs(W) < 0.3, 0.0, W)}, {"W": W})
    (found,) = explaining(evidence, underflow(evidence))
    assert (found.code, found.text.partition(" (")[0]) == ("XC253", "what is small is flushed to zero")


@pytest.mark.parametrize(("factor", "value"), [(1.0, -1.0), (0.5, -0.5)])
def test_a_conjugated_gradient_has_the_opposite_imaginary_part(factor: float, value: float) -> None:
    """And ∂L/∂z is half of it."""
    trusted = {"z.real": MANY[:5], "z.imag": MANY[5:10]}
    gradient = {"z.real": factor * MANY[:5], "z.imag": -factor * MANY[5:10]}
    evidence = evidence_of(gradient, trusted)
    assert [found.value for found in explaining(evidence, conjugation(evidence))] == [value]


SEEDS = range(3)
NOISES: dict[str, Callable[[Vector, np.random.Generator], Vector]] = {
    "in proportion": lambda g, rng: g * (1 + 1e-3 * rng.standard_normal(g.shape)),
    "a little in proportion": lambda g, rng: g * (1 + 1e-6 * rng.uniform(-1.5, 1.5, g.shape)),
    "to one side": lambda g, rng: g * (1 + 1e-3 * rng.uniform(0.5, 1.5, g.shape)),
    "a constant": lambda g, rng: g + 1e-3,
}


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("seed", SEEDS)
def test_noise_is_no_format(seed: int, name: str) -> None:
    """Whatever was done to the result was not rounded on the way; a constant is told where a tensor is large enough."""
    told = {"XC200", "XC236"} if name == "a constant" else {"XC200"}
    assert causes(spoiled(network(seed), NOISES[name])) == told


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_in_float32_is_no_factor(seed: int) -> None:
    """Where rounding is wide, what leaves the residual as it is explains nothing."""
    assert causes(spoiled(network(seed), NOISES["to one side"], dtype="float32")) == {"XC200"}


def test_decimals_are_told() -> None:
    """A gradient that went through a print."""
    report = spoiled(network(1), lambda g, rng: np.round(g, 3))
    assert causes(report) == {"XC251"}
    assert "rounded to 3 decimals" in report.findings[0].text


def test_a_mean_of_nothing_is_not_clipped() -> None:
    """With softmax the bias gradients of the last layer sum to zero but for rounding."""
    problem = network(3, loss="softmax_cross_entropy")

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        name = f"b{len(problem.network.layers)}"
        gradient[name][...] = gradient[name].mean()

    report = verify(problem, backends=[Planted(registry.get("numpy"), Fault("mean", "", spoil)), "torch"])
    assert "XC252" not in causes(report)


def test_half_the_conjugate_is_one_thing() -> None:
    """∂L/∂z of Wirtinger's calculus."""
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j, 0.2 - 1.0j])
    report = check(lambda z: float(np.sum(np.abs(z) ** 2)), z, gradient=lambda z: z.conj())
    assert [finding.code for finding in report.findings] == ["XC271"]
