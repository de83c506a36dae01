"""Proofs in a check: what differences cannot see is seen, what is right stays right, and what is missing is said."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck import Verdict
from xcheck.certificates.claims import Proof, WitnessProof
from xcheck.checks import proof as proving
from xcheck.checks.proof import proof_findings, proof_warnings
from xcheck.layout import Layout, Tensor
from xcheck.report.text import render
from xcheck_jax.function import JaxFunction

EXAMPLES = Path(xcheck.__file__).parent / "examples"
LAYOUT = Layout((Tensor("x", (3,), 0),))
RANDOM = np.random.default_rng(0)
PARAMS = {"W": RANDOM.normal(size=(7, 5)) / 3, "b": 0.1 * RANDOM.normal(size=5), "v": RANDOM.normal(size=5)}
DATA = (RANDOM.normal(size=(9, 7)), RANDOM.normal(size=9))


def loss(p: Any, x: Any, y: Any) -> Any:
    """A small network."""
    return jnp.mean((jnp.tanh(x @ p["W"] + p["b"]) @ p["v"] - y) ** 2)


def test_a_narrow_dtype_and_float64_are_told_apart() -> None:
    """What was asked again in float64 is proved more sharply, which the report says."""
    report = xcheck.check(lambda x: jnp.sin(x).sum(), jnp.array([0.5, 1.5], jnp.float32), proof=True)
    text = " ".join(render(report).split())
    assert "proved: jax, jax in float64: slopes along 6 random directions" in text
    coarse, fine = (
        float(one) for one in re.findall(r"of ([0-9.e-]+) of its norm .* float64 one of ([0-9.e-]+)", text)[0]
    )
    assert (coarse > 1e-8, fine < 1e-12) == (True, True)


def test_why_nothing_is_proved_is_one_line() -> None:
    """What a framework advises beside its exception is not repeated."""
    report = xcheck.check(lambda x: x.sum() * float(x[0]), jnp.array([0.5, 1.5]), proof=True)
    assert report.proof is not None
    [why] = report.proof.why_not
    assert why.startswith("jax: it cannot be traced: ConcretizationTypeError: ")
    assert "\n" not in why


def changed(change: Any) -> Any:
    """JAX's gradient, changed: `change` is given the dict."""

    def gradient(p: Any, x: Any, y: Any) -> Any:
        found = {name: np.array(part) for name, part in jax.grad(loss)(p, x, y).items()}
        change(found)
        return found

    return gradient


def scale_one(size: float) -> Any:
    """One component is off by a share of itself."""

    def change(found: dict[str, Any]) -> None:
        found["W"][3, 2] *= 1 + size

    return change


def scale_all(size: float) -> Any:
    """All components are."""

    def change(found: dict[str, Any]) -> None:
        for name in found:
            found[name] *= 1 + size

    return change


def checked(change: Any = None, dtype: str = "float64", **settings: Any) -> xcheck.Report:
    """The report of a check with a proof."""
    with jax.enable_x64(True):
        params = {name: jnp.asarray(part, dtype) for name, part in PARAMS.items()}
        data = tuple(jnp.asarray(part, dtype) for part in DATA)
        gradient = None if change is None else changed(change)
        return xcheck.check(loss, params, data, gradient=gradient, proof=True, **settings)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_what_is_right_is_proved(dtype: str) -> None:
    """In its own dtype and, where that is narrow, in float64."""
    report = checked(dtype=dtype)
    assert report.ok
    assert report.proof is not None
    assert {one.claim for one in report.proof.witnesses} == {"right"}
    assert len(report.proof.witnesses) == 1 + (dtype != "float64")
    assert "proved: jax" in render(report)


@pytest.mark.parametrize("change", [scale_one(1e-9), scale_all(1e-12)], ids=["one", "all"])
def test_errors_far_below_the_noise_of_differences_are_seen(change: Any) -> None:
    """Differences agree; the proof does not, and its sentence is the headline."""
    report = checked(change)
    assert report.verdict is Verdict.DISAGREE
    assert report.findings[0].code == "XC117"
    assert "proved to be wrong" in report.headline
    assert all(pair.verdict is Verdict.AGREE for pair in report.pairs)


@pytest.mark.parametrize(("places", "size"), [([(3, 2)], 1e-9), ([(0, 0), (3, 2), (6, 4)], 1e-7)])
def test_components_are_named(places: list[tuple[int, int]], size: float) -> None:
    """By two to a few directions each, without a difference."""

    def change(found: dict[str, Any]) -> None:
        for place in places:
            found["W"][place] += size

    report = checked(change, scope="directions")
    assert report.proof is not None
    [witness] = report.proof.witnesses
    assert [one.flat for one in witness.named] == [5 * row + column for row, column in places]
    assert witness.all_named
    for one in witness.named:
        assert one.claimed - one.slope == pytest.approx(size, rel=1e-5)
    assert "W[3, 2] is" in report.findings[0].text


def test_errors_of_one_size_do_not_cancel() -> None:
    """Along signs alone these two did in all six directions of this seed."""

    def change(found: dict[str, Any]) -> None:
        found["W"][2, 0] += 1e-9
        found["W"][5, 4] -= 1e-9

    report = checked(change, scope="directions", seed=89)
    assert report.verdict is Verdict.DISAGREE
    assert report.proof is not None
    assert [one.flat for one in report.proof.witnesses[0].named] == [10, 29]


def test_a_component_that_differences_find_is_named_first() -> None:
    """A proof knows no component."""
    report = checked(scale_one(0.5))
    assert "W[3, 2]" in report.headline
    assert "XC117" in {finding.code for finding in report.findings}


def test_a_proof_takes_as_many_directions_as_fit_its_budget() -> None:
    """The report says how many were left out, and where not one fits, what it would take."""
    some = checked(scope="directions", budget=4e-4)
    assert some.proof is not None
    assert 0 < some.proof.directions < 6 == some.proof.directions + some.proof.left_out
    assert f"({some.proof.left_out} more do not fit the budget)" in render(some)
    none = checked(scope="directions", budget=1e-6)
    assert none.proof is not None
    assert none.ok
    assert none.proof.directions == 0
    assert "predicted to take" in none.proof.why_not[0]
    assert "more than the budget allows" in none.proof.why_not[0]


def test_the_progress_of_a_proof_is_told() -> None:
    """After the differences, by operations."""
    seen: list[tuple[int, int]] = []
    checked(scope="directions", progress=lambda done, planned: seen.append((done, planned)))
    assert seen[-1][1] != seen[0][1]


def test_directions_alone_are_proved_too() -> None:
    """No component needs to be differenced."""
    report = checked(scale_one(1e-9), scope="directions")
    assert report.verdict is Verdict.DISAGREE


def test_without_being_asked_nothing_is_proved() -> None:
    """It takes time, and an extra."""
    report = xcheck.check(lambda x: (x**2).sum(), np.ones(2), gradient=lambda x: 2 * x)
    assert report.proof is None


def test_without_flint_the_check_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is a check all the same."""
    monkeypatch.setattr(proving, "has_flint", lambda: False)
    report = checked()
    assert report.ok
    [warning] = [one for one in report.warnings if one.code == "XC439"]
    assert "pip install 'xcheck-grad[proof]'" in warning.text


def test_a_trace_that_breaks_does_not_break_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises is quoted, and the differences decide."""

    def broken(_: Any) -> Any:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(JaxFunction, "gradient_trace", broken)
    report = checked()
    assert report.ok
    assert report.proof is not None
    assert report.proof.function == "jax"
    monkeypatch.setattr(JaxFunction, "trace", broken)
    report = checked()
    assert report.ok
    [warning] = [one for one in report.warnings if one.code == "XC439"]
    assert "ZeroDivisionError: inside" in warning.text


def test_what_has_no_rule_is_named_with_its_line() -> None:
    """The check goes on without."""
    with jax.enable_x64(True):
        report = xcheck.check(lambda x: jnp.fmod(x, 0.7).sum(), jnp.asarray(DATA[1]), proof=True)
    assert report.ok
    [warning] = [one for one in report.warnings if one.code == "XC439"]
    assert "test_proof.py" in warning.text


def test_a_formula_that_loses_digits_is_said() -> None:
    """JAX's sinc near 0 subtracts nearly equal numbers: neither wrong nor right without a word."""
    with jax.enable_x64(True):
        report = xcheck.check(lambda x: jnp.sinc(x).sum(), jnp.full(1, 1e-5), proof=True)
    assert report.verdict is not Verdict.DISAGREE
    assert report.proof is not None
    assert [one.claim for one in report.proof.witnesses] == ["unstable"]
    assert "XC438" in {warning.code for warning in report.warnings}


def test_the_callers_flag_for_64_bits_does_not_matter() -> None:
    """The gradient of a gather adds up in float64, also where JAX computes in float32 unless told otherwise."""
    places = np.array([0, 2, 2, 1])

    def gathered(x: Any) -> Any:
        return jnp.sum(jnp.sin(x[places]) * jnp.arange(4.0))

    report = xcheck.check(gathered, np.array([0.3, 0.5, 0.7, 0.2]), backend="jax", proof=True)
    assert report.proof is not None
    assert [one.claim for one in report.proof.witnesses] == ["right"], report


def test_a_part_in_float32_is_no_mistake() -> None:
    """What rounding may do is that of float32 where the program computes in it, and a larger error is still wrong."""

    def narrow_inside(p: Any, x: Any, y: Any) -> Any:
        W = p["W"].astype(jnp.float32)
        return loss(p, x, y) + 1e-4 * jnp.sum(jnp.sin(W @ W.T)).astype(jnp.float64)

    def spoiled(p: Any, x: Any, y: Any) -> Any:
        return jax.tree.map(lambda part: 1.01 * part, jax.grad(narrow_inside)(p, x, y))

    for gradient, claim in ((None, "right"), (spoiled, "wrong")):
        with jax.enable_x64(True):
            report = xcheck.check(narrow_inside, PARAMS, DATA, backend="jax", gradient=gradient, proof=True)
        assert report.proof is not None
        assert [one.claim for one in report.proof.witnesses] == [claim], report
        assert "rounds" in report.proof.remarks[0]


def test_two_sided_slopes_at_kinks_refute() -> None:
    """relu(x) - relu(-x) is x, and JAX's gradient of it at 0 is 0."""
    with jax.enable_x64(True):
        report = xcheck.check(lambda x: (jax.nn.relu(x) - jax.nn.relu(-x)).sum(), jnp.zeros(1), proof=True)
        assert "XC117" in {finding.code for finding in report.findings}
        # A convention at one kink is none.
        report = xcheck.check(lambda x: jnp.abs(x).sum(), jnp.array([0.0, 1.0]), proof=True)
        assert report.ok
        assert report.proof is not None
        assert report.proof.kinks


def test_a_random_function_has_no_slope() -> None:
    """Two calls differ."""
    report = xcheck.check(
        lambda x: jnp.sum(x) * np.random.default_rng().random(),
        jnp.ones(2),
        proof=True,  # a trace freezes the draw
    )
    assert report.proof is not None
    assert "differs from call to call" in report.proof.why_not[0]


def rounding_in_turn(size: float) -> Any:
    """JAX's gradient, whose every second call is off by a share of itself."""
    calls = iter(range(1000))
    return lambda p, x, y: jax.tree.map(lambda part: part * (1 + size * (next(calls) % 2)), jax.grad(loss)(p, x, y))


def test_calls_that_differ_by_rounding_are_proved() -> None:
    """As where threads take sums in another order; the call that is further off counts."""
    same = xcheck.check(loss, PARAMS, DATA, backend="jax", gradient=rounding_in_turn(2.0**-52), proof=True)
    assert same.proof is not None
    assert [one.claim for one in same.proof.witnesses] == ["right"]
    off = xcheck.check(loss, PARAMS, DATA, backend="jax", gradient=rounding_in_turn(1e-11), proof=True)
    assert off.proof is not None
    assert [one.claim for one in off.proof.witnesses] == ["wrong"]


def test_a_gradient_that_draws_does_not_stop_the_proof_of_another() -> None:
    """It is named, and the others are proved."""
    random = np.random.default_rng(0)
    functions = {
        "right": xcheck.objective(loss, "jax"),
        "draws": xcheck.objective(loss, "jax", gradient=changed(lambda found: found.update(b=random.normal(size=5)))),
    }
    report = xcheck.check(functions, PARAMS, DATA, proof=True)
    assert report.proof is not None
    assert [(one.name, one.claim) for one in report.proof.witnesses] == [("right", "right")]
    assert report.proof.why_not == ("draws: its gradient differs from call to call: no slope has it",)


def test_declared_networks() -> None:
    """All witnesses are held against the same slopes."""
    report = xcheck.verify(EXAMPLES / "logistic_regression.toml", proof=True)
    assert report.ok
    assert report.proof is not None
    assert {one.name: one.claim for one in report.proof.witnesses} == dict.fromkeys(("numpy", "torch", "jax"), "right")


def test_at_a_minimum_no_formula_is_blamed() -> None:
    """Residuals that are rounding alone leave no digit of a gradient."""
    truth = np.random.default_rng(0).normal(size=4)
    x = np.random.default_rng(50).normal(size=(9, 4))
    report = xcheck.check(
        lambda w, x, y: ((x @ w - y) ** 2).mean(),
        truth,
        (x, x @ truth + np.spacing(x @ truth) * (np.arange(9) % 2)),
        gradient=lambda w, x, y: x.T @ (2 * (x @ w - y) / len(y)),
        proof=True,
    )
    assert report.ok
    assert report.proof is not None
    assert [one.claim for one in report.proof.witnesses] == ["unstable"]
    assert not any("its formula loses digits" in warning.text for warning in report.warnings)


def test_sentences() -> None:
    """Every claim has one, or none where nothing is to be said."""

    def one(claim: Any, other: float | None = None) -> WitnessProof:
        return WitnessProof(name="torch", claim=claim, error=1e-9, allowed=1e-15, claimed=2.0, slope=1.0, other=other)

    [wrong] = proof_findings(Proof(witnesses=(one("wrong"),)), LAYOUT)
    assert "has the slope 1, and the gradient claims 2" in wrong.text
    [outside] = proof_findings(Proof(witnesses=(one("wrong", other=-1.0),)), LAYOUT)
    assert "has the slopes -1 and 1" in outside.text
    texts = [
        finding.text
        for claim in ("right", "unstable", "inaccurate", "at a kink", "not known")
        for finding in proof_warnings(Proof(witnesses=(one(claim),), kinks=("`max` at model.py:3",)))
    ]
    [nothing] = proof_warnings(Proof(witnesses=(replace(one("unstable"), error=0.5, allowed=2.0),)))
    assert "its terms cancel, as at a minimum" in nothing.text
    assert len(texts) == 4
    assert "its formula loses digits" in texts[0]
    assert "less accurate than its dtype" in texts[1]
    assert "`max` at model.py:3" in texts[2]
    assert "cannot be looked into" in texts[3]
