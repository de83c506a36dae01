"""Consensus: no vote. Who agrees with whom, in units of the bars, and who is odd."""

from dataclasses import replace
from itertools import combinations
from typing import cast

import numpy as np
import pytest

from tests.compare.test_comparer import TRUE, judged
from tests.diagnose.test_forward_pass import Made
from tests.fakes import Answering, numpy_answer
from xcheck import Report, check, objective, verify
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.compare.pair import Pair
from xcheck.diagnose import consensus, consensus_findings, group_losses, odd_one_out
from xcheck.dtypes import DtypeName
from xcheck.layout import Vector
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate, numerical_gradient
from xcheck.testing import Fault, Planted
from xcheck.verdict import Verdict


def spoiled(name: str, factor: float, tensor: str = "W2") -> Planted:
    """A witness with one tensor scaled."""

    def scale(gradient: dict[str, Vector], problem: Problem) -> None:
        gradient[tensor] *= factor

    return Planted(registry.get(name), Fault("scaled", "", scale))


def codes(report: Report) -> list[str]:
    """Codes of the findings that are no causes."""
    return [finding.code for finding in report.findings if not finding.code.startswith("XC2")]


def test_one_is_odd(problem: Problem) -> None:
    """The others agree with the oracle, to a part of the bars."""
    report = verify(problem, backends=[spoiled("numpy", 2.0), "torch", "jax"])
    assert report.odd_one_out == ("numpy",)
    assert report.consensus.startswith("numpy, ")
    assert "error bars off; torch and jax agree with the oracle, within 0." in report.consensus
    assert codes(report) == []


def test_the_same_fault_in_two_of_three_is_shared(problem: Problem) -> None:
    """Two against one, and the one is right."""
    report = verify(problem, backends=[spoiled("numpy", 2.0), spoiled("torch", 2.0), "jax"])
    assert report.odd_one_out == ("numpy", "torch")
    assert codes(report) == ["XC111"]
    (shared,) = [finding.text for finding in report.findings if finding.code == "XC111"]
    assert shared.startswith(
        "numpy and torch make the same mistake: they agree with each other, and not with the oracle, with which jax "
    )


def test_two_faults_in_two_of_three_are_not_shared(problem: Problem) -> None:
    """Each has its own."""
    report = verify(problem, backends=[spoiled("numpy", 2.0), spoiled("torch", 3.0), "jax"])
    assert report.odd_one_out == ("numpy", "torch")
    assert codes(report) == []


def test_all_differ(problem: Problem) -> None:
    """Nobody agrees with anybody."""
    report = verify(problem, backends=[spoiled(name, 2.0 + i) for i, name in enumerate(("numpy", "torch", "jax"))])
    assert report.odd_one_out == ()
    assert codes(report) == ["XC112"]
    assert "nobody agrees: numpy, " in " ".join(str(report).split())


def test_the_same_fault_in_all_puts_the_oracle_on_trial(problem: Problem) -> None:
    """United against the oracle: a common mistake, or the oracle's."""
    report = verify(problem, backends=[spoiled(name, 2.0) for name in ("numpy", "torch")])
    assert report.odd_one_out == ("oracle",)
    (text,) = [finding.text for finding in report.findings if finding.code == "XC106"]
    assert text.endswith("all of them make the same mistake, or the oracle makes one")


def test_kinks_are_named_when_the_oracle_is_odd() -> None:
    """θ on kinks is the first place to look."""
    network = Network(inputs=3, layers=(Dense(units=4, activation="relu"), Dense(units=2)), loss="mean_squared_error")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((8, 3))
    X[:2] = 0.0
    problem = Problem.create(network, X, rng.standard_normal((8, 2)))
    report = verify(problem, backends=[spoiled(name, 2.0) for name in ("numpy", "torch")])
    (text,) = [finding.text for finding in report.findings if finding.code == "XC106"]
    assert "θ sits on" in text


def test_a_witness_that_is_wrong_in_float64_only_is_not_called_bars_off() -> None:
    """In its own dtype every component is within the bars: the distance says nothing, and is not given."""
    within = Pair(
        a="torch",
        b="oracle",
        verdict=Verdict.DISAGREE,
        losses=(0.7, 0.7),
        losses_agree=True,
        spread=0.0,
        difference=1e-8,
        wrong=0,
        undecided=0,
        of=6,
        tensors=(),
        apart=0.08,
        worst=(),
    )
    right = replace(within, a="jax", verdict=Verdict.AGREE)
    assert consensus([within, right]) == (
        "torch, which is wrong when asked again in float64; jax agrees with the oracle, within 0.08 error bars"
    )


def odd_oracle(report: Report) -> str:
    """What is said of an oracle that everybody is against."""
    (text,) = [finding.text for finding in report.findings if finding.code == "XC106"]
    return text


def test_another_function_is_told_by_its_loss(problem: Problem) -> None:
    """All witnesses compute the same loss, and it is not the oracle's."""

    def witness(name: str) -> Made:
        def make(problem: Problem, dtype: DtypeName) -> Objective:
            answer = numpy_answer(problem, dtype)
            return Answering(name, problem.layout.size, lambda theta: (answer(theta)[0] + 1.0, answer(theta)[1]))

        made = Made(make)
        made.name = name
        return made

    report = verify(problem, backends=[witness("one"), witness("other")])
    assert report.odd_one_out == ("oracle",)
    assert "not the same function" in odd_oracle(report)


def test_an_oracle_that_is_hardly_precise_says_so(problem: Problem) -> None:
    """Where most of its bars are wide, that is the first suspicion."""
    report = verify(problem, backends=[spoiled(name, 2.0) for name in ("numpy", "torch")])
    precise = numerical_gradient(problem)
    wide = replace(precise, error_bar=1e-3 * np.abs(precise.value))
    (finding,) = consensus_findings(report.pairs, wide)
    assert "the oracle is not precise enough to blame all of them" in finding.text


@pytest.mark.parametrize("factor", [1.0 + 1e-5, 2.0])
def test_distances_are_in_units_of_the_bars(factor: float, problem: Problem) -> None:
    """A right witness is a part of a bar off, a wrong one many."""
    report = verify(problem, backends=[spoiled("numpy", factor), "torch"])
    apart = {(pair.a, pair.b): pair.apart for pair in report.pairs}
    assert apart["torch", "oracle"] < 1
    assert apart["numpy", "oracle"] > 1e3
    assert report.pairs[0].worst[0].excess > report.pairs[0].worst[0].allowed
    assert report.pairs[1].worst[0].excess <= report.pairs[1].worst[0].allowed


def test_a_witness_asked_again_in_float64_is_no_other() -> None:
    """One function, whose own float32 answer is wrong as well: nobody is united with it."""
    wrong = check(lambda x: (x**3).sum(), np.array([1, 2, 3], "float32"), gradient=lambda x: 6 * x**2)
    assert wrong.odd_one_out == ()
    assert [finding.code for finding in wrong.findings] == ["XC201"]


@pytest.mark.parametrize("good", [1, 0])
def test_nan_is_no_agreement(good: int) -> None:
    """Two that are nan share nothing, and do not put the oracle on trial."""
    cube = lambda x: float((x**3).sum())  # noqa: E731 - one function for three witnesses
    nan = [objective(cube, "numpy", gradient=lambda x: np.nan * x) for _ in range(3 - good)]
    right = [objective(cube, "numpy", gradient=lambda x: 3 * x**2) for _ in range(good)]
    report = check({str(i): one for i, one in enumerate([*nan, *right])}, np.array([1.0, 2.0, 3.0]))
    codes = {finding.code for finding in report.findings}
    assert "XC103" in codes
    assert not codes & {"XC106", "XC111"}
    assert "oracle" not in report.odd_one_out


def pairs(**against: str) -> list[Pair]:
    """Pairs by name and verdict: `numpy_oracle="DISAGREE"`."""
    return [
        replace(judged(TRUE), a=names.split("_")[0], b=names.split("_")[1], verdict=Verdict(verdict))
        for names, verdict in against.items()
    ]


ONE_WRONG = {"numpy_oracle": "DISAGREE", "torch_oracle": "AGREE", "jax_oracle": "AGREE"}
TWO_WRONG = {"numpy_oracle": "DISAGREE", "torch_oracle": "DISAGREE", "jax_oracle": "AGREE", "numpy_torch": "AGREE"}
ALL_UNITED = {"numpy_oracle": "DISAGREE", "torch_oracle": "DISAGREE", "numpy_torch": "AGREE"}
ALL_DIFFERENT = {"numpy_oracle": "DISAGREE", "torch_oracle": "DISAGREE", "numpy_torch": "DISAGREE"}


@pytest.mark.parametrize(
    ("against", "odd"),
    [
        (ONE_WRONG, ("numpy",)),
        (TWO_WRONG, ("numpy", "torch")),
        (ALL_UNITED, ("oracle",)),
        (ALL_DIFFERENT, ()),
        ({"numpy_oracle": "DISAGREE"}, ()),
        ({"numpy_oracle": "AGREE", "torch_oracle": "UNDECIDED"}, ()),
    ],
)
def test_the_oracle_decides_who_is_odd_not_a_vote(against: dict[str, str], odd: tuple[str, ...]) -> None:
    """The same bug in two of three makes both odd; only a united front puts the oracle in doubt."""
    assert odd_one_out(pairs(**against)) == odd


def losses_of(**losses: float) -> list[Pair]:
    """Pairs of witnesses that have nothing but losses; the oracle differences that of jax."""
    names = list(losses)

    def pair(a: str, b: str, theirs: float) -> Pair:
        agree = losses[a] == theirs
        return Pair(
            a=a,
            b=b,
            verdict=Verdict.AGREE if agree else Verdict.DISAGREE,
            losses=(losses[a], theirs),
            losses_agree=agree,
            spread=0.0,
            difference=0.1,
            wrong=0,
            undecided=0,
            of=6,
            tensors=(),
            apart=0.1,
            worst=(),
        )

    against = [pair(name, "oracle", losses["jax"]) for name in names]
    return against + [pair(a, b, losses[b]) for a, b in combinations(names, 2)]


@pytest.mark.parametrize(
    ("losses", "groups", "said"),
    [
        ({"torch": 1.0, "jax": 2.0}, [("jax",), ("torch",)], "jax computes one loss, torch another"),
        (
            {"numpy": 1.0, "torch": 1.0, "jax": 2.0},
            [("numpy", "torch"), ("jax",)],
            "numpy and torch compute one loss, jax another",
        ),
        (
            {"numpy": 1.0, "torch": 3.0, "jax": 2.0},
            [("jax",), ("numpy",), ("torch",)],
            "jax computes one loss, numpy another, torch another",
        ),
    ],
)
def test_no_loss_is_blamed_for_not_being_the_oracles(
    losses: dict[str, float], groups: list[tuple[str, ...]], said: str
) -> None:
    """The oracle differences one of them, and its mistake would be everybody else's."""
    pairs = losses_of(**losses)
    assert group_losses(pairs, "jax") == groups
    assert consensus(pairs, differenced="jax") == said
    assert consensus_findings(pairs, cast("Estimate", None), differenced="jax") == []
