"""Audits: an engine that takes a short cut is caught when the short cut is wrong, and given up."""

from typing import Any

import numpy as np
import pytest
from jax import Array

from tests.oracle.conftest import exact
from xcheck.layout import Vector
from xcheck.oracle import OracleOptions, numerical_gradient
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Spans
from xcheck.oracle.engines.batched import BatchedEngine
from xcheck.oracle.engines.loop import NetworkLoopEngine
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.engines.node import NodeEngine
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.oracle.network_gradient import estimate_with
from xcheck.testing import scenario


class Transposing(NodeEngine):
    """Contracts with the examples in the wrong order."""

    def increments(self, number: int, variant: int, units: Indices, steps: Vector) -> Array:
        return super().increments(number, variant, units, steps)[..., ::-1]


class Forgetful(StructuredEngine):
    """Loses a thousandth of every difference."""

    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        spans = super().spans(indices, plus, minus)
        kept = 0.999
        return Spans(kept * spans.lower, kept * spans.upper, kept * spans.conventions, spans.magnitude, spans.level)


@pytest.mark.parametrize(
    ("broken", "instead", "caught_by"),
    [(Transposing, "structured", "structured"), (Forgetful, "batched", "loop")],
)
def test_a_broken_short_cut_is_given_up(broken: type[StructuredEngine], instead: str, caught_by: str) -> None:
    """The audit names who contradicted it, and the next more direct engine takes over; its gradient is right."""
    problem = scenario(20)
    estimate = estimate_with(broken, problem, OracleOptions())
    assert estimate.engine == instead
    assert next(audit.by for audit in estimate.audits if not audit.passed) == caught_by
    assert (np.abs(estimate.value - exact(problem)) <= estimate.error_bar).all()


def test_nothing_is_known_where_the_next_engine_would_take_hours() -> None:
    """Rather than to hang, everything is undecided."""
    estimate = estimate_with(Forgetful, scenario(20), OracleOptions(budget=1e-9))
    assert np.isinf(estimate.error_bar).all()
    assert not estimate.audits[-1].passed


@pytest.mark.parametrize("direct", [BatchedEngine, NetworkLoopEngine])
def test_nothing_is_known_where_no_engine_is_left(direct: type[NetworkEngine]) -> None:
    """Once the engine that came next had no prediction, or was the fastest one."""

    class Wrong(direct):  # type: ignore[misc, valid-type]  # a parameter of the test
        """Loses a thousandth, and says that it need not subtract."""

        subtracts = False

        def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
            spans, kept = super().spans(indices, plus, minus), 0.999
            return Spans(kept * spans.lower, kept * spans.upper, kept * spans.conventions, spans.magnitude, spans.level)

    estimate = estimate_with(Wrong, scenario(20), OracleOptions())
    assert not estimate.audits[0].passed
    if direct is BatchedEngine:
        assert estimate.engine == "loop"
        assert np.isfinite(estimate.error_bar).all()
    else:
        assert np.isinf(estimate.error_bar).all()


@pytest.mark.parametrize(("engine", "auditors"), [("node", ["structured", "loop"]), ("structured", ["loop"])])
def test_short_cuts_are_audited_in_every_run(engine: Any, auditors: list[str]) -> None:
    """The node engine by weight perturbation, and whatever does not subtract losses by the plain loop."""
    estimate = numerical_gradient(scenario(20), OracleOptions(engine=engine))
    assert [audit.by for audit in estimate.audits] == auditors
    assert all(audit.passed and audit.decided == audit.components for audit in estimate.audits)


def test_direct_engines_need_no_audit() -> None:
    """They run the whole network and subtract."""
    for engine in ("loop", "batched"):
        assert numerical_gradient(scenario(20), OracleOptions(engine=engine)).audits == ()
