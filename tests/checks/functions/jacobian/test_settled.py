"""Outputs of a Jacobian that are answered at once have the answers that they would have one by one."""

import json
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import torch

import xcheck
from xcheck import Verdict
from xcheck.checks.functions import run as module
from xcheck.checks.functions.jacobian.settled import answer_settled_outputs

P = torch.tensor([0.5, 1.5, 0.3, -0.2, 0.7], dtype=torch.float64)
X = torch.linspace(0.1, 1.0, 12, dtype=torch.float64)


def wave(p: Any, x: Any) -> Any:
    """Twelve smooth outputs."""
    return p[0] * torch.exp(-p[1] * x) + p[2] * torch.sin(p[3] * x + p[4])


def changed(number: int, change: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The function with one other output; `change` is given that output and the parameters."""

    def function(p: Any, x: Any) -> Any:
        y = wave(p, x)
        return torch.cat([y[:number], change(y[number], p).reshape(1), y[number + 1 :]])

    return function


FAULTS = {
    "none": wave,
    "a wrong output": changed(7, lambda y, p: y.detach() + 0 * p.sum()),
    "a wrong component": changed(7, lambda y, p: y + p[2].detach() * p[0] - p[2] * p[0].detach()),
    "a kink": changed(3, lambda y, p: y + (p[0] - 0.5).abs()),
    "a kink nearby": changed(3, lambda y, p: y + (p[0] - 0.5001).abs()),
    "a constant": changed(3, lambda y, p: 0 * p.sum() + 2.0),
    "nan": changed(3, lambda y, p: y.detach() * float("nan") + 0 * p.sum()),
    "a part in float32": changed(3, lambda y, p: y.float().double()),
    "a steep one": changed(3, lambda y, p: torch.sin(400 * p).sum()),
    "a jump": changed(3, lambda y, p: torch.where(p[0] >= 0.5, y + 1.0, y)),
    "a linear one": changed(3, lambda y, p: p.sum()),
    "cancellation": changed(3, lambda y, p: (y * 1e-9 + 1e4) - 1e4),
    "the first is wrong": changed(0, lambda y, p: y.detach() + 0 * p.sum()),
}


def without_times(report: Any) -> Any:
    """What a report says, but for how long it has taken."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: kept(part) for name, part in value.items() if "seconds" not in name}
        return [kept(part) for part in value] if isinstance(value, list) else value

    return kept(json.loads(report.to_json()))


def one_by_one(monkeypatch: pytest.MonkeyPatch, check: Callable[[], Any]) -> Any:
    """The same check with a question for every output."""
    with monkeypatch.context() as patched:
        patched.setattr(module, "answer_settled_outputs", lambda *_: {})
        return check()


def settled(monkeypatch: pytest.MonkeyPatch, check: Callable[[], Any]) -> tuple[Any, int]:
    """The check, and how many outputs it has not asked for by themselves."""
    counts = []

    def counted(*arguments: Any) -> Any:
        found = answer_settled_outputs(*arguments)
        counts.append(len(found))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(module, "answer_settled_outputs", counted)
        return check(), counts[0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_report_is_that_of_questions_one_by_one(
    fault: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, whatever is wrong in one output; only that one and the first are asked for by themselves."""

    def check() -> Any:
        return xcheck.check(FAULTS[fault], P.to(dtype), (X.to(dtype),), scope="jacobian")

    report, answered = settled(monkeypatch, check)
    assert without_times(report) == without_times(one_by_one(monkeypatch, check))
    assert answered >= 10


def test_two_functions_that_differ_in_one_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its gradient, or in its value: what is said of both is what is said one by one."""
    for other in (FAULTS["a wrong component"], changed(4, lambda y, p: 1.01 * y)):
        functions = {name: xcheck.objective(each, "torch") for name, each in (("a", wave), ("b", other))}

        def check(functions: Any = functions) -> Any:
            return xcheck.check(functions, P, (X,), scope="jacobian")

        report, answered = settled(monkeypatch, check)
        assert without_times(report) == without_times(one_by_one(monkeypatch, check))
        assert answered == 10


def linear(p: Any, x: Any) -> Any:
    """Twelve linear outputs, with the same gradient everywhere."""
    return torch.stack([x, x**2, x**3, 1 + x, x - 3], dim=1) @ p


@pytest.mark.parametrize(
    ("function", "verdict", "settled_outputs"),
    [
        (linear, Verdict.AGREE, 11),
        (lambda p, x: linear(p, x) + (p.detach() ** 2).sum() * (x > 0.5), Verdict.DISAGREE, 4),
    ],
    ids=["linear", "some kept from the first call"],
)
def test_a_gradient_that_is_the_same_elsewhere_is_looked_at(
    function: Any, verdict: Verdict, settled_outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all outputs at once: that of a linear one is right, and one that is kept is not."""

    def check() -> Any:
        return xcheck.check(function, P, (X,), scope="jacobian")

    report, answered = settled(monkeypatch, check)
    assert (report.verdict, answered) == (verdict, settled_outputs)
    assert without_times(report) == without_times(one_by_one(monkeypatch, check))


def test_a_wrong_rule_of_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one output of twelve."""

    @jax.custom_vjp  # type: ignore[untyped-decorator]  # JAX has no types here
    def odd(p: Any, x: Any) -> Any:
        return p[0] * jnp.exp(-p[1] * x) + p[2]

    def backward(kept: Any, v: Any) -> Any:
        p, x = kept
        v = v * jnp.where(jnp.arange(12) == 5, 1.001, 1.0)
        decay = jnp.exp(-p[1] * x)
        return jnp.stack([(v * decay).sum(), (-v * p[0] * x * decay).sum(), v.sum()]), None

    odd.defvjp(lambda p, x: (odd(p, x), (p, x)), backward)

    def check() -> Any:
        with jax.enable_x64(True):
            return xcheck.check(odd, jnp.array([0.5, 1.5, 0.3]), (jnp.linspace(0.1, 1.0, 12),), scope="jacobian")

    report, answered = settled(monkeypatch, check)
    assert answered == 10
    assert report.verdict is Verdict.DISAGREE
    assert {str(one.location).split()[0] for one in report.pairs[0].worst if abs(one.a - one.b) > 1e-6} == {"y[5]"}
    assert without_times(report) == without_times(one_by_one(monkeypatch, check))


@pytest.mark.parametrize(
    "given",
    [{"epsilon": 1e-5}, {"oracle": lambda p, x: wave(p, x) * 1.0}],
    ids=["a fixed step", "an oracle of its own"],
)
def test_what_is_asked_for_otherwise_is_answered_one_by_one(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fixed step says nothing of noise, and an oracle of its own has no table of outputs."""
    report, answered = settled(monkeypatch, lambda: xcheck.check(wave, P, (X,), scope="jacobian", **given))
    assert (report.verdict, answered) == (Verdict.AGREE, 0)


def test_a_function_that_writes_into_its_data_is_asked_for_every_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is computed next is another function."""

    def vandal(p: Any, x: Any) -> Any:
        y = wave(p, x)
        x[0] = 7.0
        return y

    def check() -> Any:
        return xcheck.check(vandal, P, (X,), scope="jacobian")

    report, answered = settled(monkeypatch, check)
    assert not report.ok
    assert answered == 0
