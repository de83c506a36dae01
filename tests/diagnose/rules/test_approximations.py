"""Gradients that are right for what a loss approximates."""

from dataclasses import replace

import numpy as np

from tests.diagnose.rules.conftest import evidence_of, explaining, texts
from xcheck.diagnose.probes import Jumps, Probes, Tightened
from xcheck.diagnose.rules.approximations import implicit_sampling, relative_residual, solver_tolerance

R = np.random.default_rng(2).standard_normal(8)
G = R * 1.001 + 1e-3


def test_samples_explain_what_they_explain() -> None:
    """The gradient along the paths is the oracle's; with another mistake beside it, it is not."""
    evidence = evidence_of({"w": G}, {"w": R})
    sampled = replace(evidence, probes=Probes(along_paths=lambda: R))
    assert [each.code for each in explaining(sampled, implicit_sampling(sampled))] == ["XC281"]
    other = replace(evidence, probes=Probes(along_paths=lambda: R + 1e-5))
    assert explaining(other, implicit_sampling(other)) == []
    untouched = replace(evidence, probes=Probes(along_paths=lambda: G))
    assert explaining(untouched, implicit_sampling(untouched)) == []


def test_without_probes_nothing_is_proposed() -> None:
    """Of a declared network nothing else can be asked."""
    evidence = evidence_of({"w": G}, {"w": R})
    assert not [*implicit_sampling(evidence), *solver_tolerance(evidence)]


def test_a_keyword_is_asked_first() -> None:
    """It shows more than jumps do, which may have other reasons."""
    evidence = evidence_of({"w": G}, {"w": R})
    jumps = Probes(jumps=lambda: Jumps(size=1e-7, within=1e-5))
    evidence = replace(evidence, probes=jumps)
    (said,) = texts(evidence, solver_tolerance(evidence))
    assert said.startswith("the loss jumps by 1e-07 of itself")
    both = replace(jumps, tightened=lambda: Tightened("tol 100 times as small", 0.01))
    evidence = replace(evidence, probes=both)
    (said,) = texts(evidence, solver_tolerance(evidence))
    assert said.endswith("with tol 100 times as small 0.01 of the error is left")


def test_the_residual_is_relative_to_the_gradient() -> None:
    """As norms."""
    assert np.isclose(relative_residual(evidence_of({"w": 1.01 * R}, {"w": R})), 0.01)
