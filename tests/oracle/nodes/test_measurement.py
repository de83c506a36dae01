"""Measurements by nodes: where they serve, and the audit that closes them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.oracle.nodes.product import THETA, Product, X, components
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.function_measurement import measure_lines
from xcheck.oracle.nodes import measurement
from xcheck.oracle.nodes.measurement import NodeMeasurement, choose_nodes, measure_by_nodes
from xcheck.oracle.options import FunctionOptions
from xcheck.trace import Nodes, UntraceableError


def measured(nodes: Product, outer: "object" = np.sin) -> tuple[NodeMeasurement, FunctionEngine]:
    """What nodes say of a loss."""
    engine = components(outer)  # type: ignore[arg-type]  # a function, as of the nodes

    def measure(sample: FunctionEngine) -> tuple[OneSidedGradient, Vector]:
        found = measure_lines(sample, FunctionOptions(), few=1)
        return found.gradient, found.noise

    return measure_by_nodes(engine, nodes, measure, FunctionOptions()), engine


def test_a_sample_of_components_confirms_nodes() -> None:
    """All components have values, those of the sample their own; losses of both are counted."""
    found, engine = measured(Product(np.sin))
    assert found.gradient is not None
    right, of = np.cos(X @ THETA) @ X, found.gradient.measured
    assert (np.abs(of.value - right) <= of.bar).all()
    (audit,) = found.audits
    assert audit.passed
    assert audit.components == audit.decided == 16
    assert np.count_nonzero(~found.gradient.two_step) == 16
    assert found.text == "3 values at 1 operations"
    assert 16 * 6 < engine.evaluations < 400
    assert (of.indices == np.arange(200)).all()


@pytest.mark.parametrize("factor", [1.0 + 1e-6, 2.0, -1.0])
def test_a_wrong_map_is_noticed(factor: float) -> None:
    """No value of it is used."""
    found, _ = measured(Product(np.sin, factor))
    assert found.gradient is None
    assert found.text.startswith("a sample of components differs by ")
    assert not found.audits[0].passed


def test_what_nodes_leave_open_is_moved_itself() -> None:
    """Components that they do not cover, and those behind a kink."""
    found, _ = measured(Product(np.sin, covered=150))
    assert found.gradient is not None
    assert np.isfinite(found.gradient.measured.bar).all()
    assert found.text.startswith("3 values at 1 operations, and ")


def test_nodes_that_cannot_be_moved_close_them() -> None:
    """What the framework says is passed on, and components are moved instead."""

    class Fails(Product):
        """No losses."""

        def losses(self, nodes: NDArray[np.intp], moves: Vector) -> Vector:
            """None."""
            raise BackendError("jax", "NotImplementedError: no batching rule\nfor it")

    found, _ = measured(Fails(np.sin))
    assert found.gradient is None
    assert found.text == "NotImplementedError: no batching rule"


def test_another_loss_closes_them() -> None:
    """The traced program is not what is called."""
    found, _ = measured(Product(np.sin), outer=np.cos)
    assert found.gradient is None
    assert found.text.startswith("the traced program gives another loss")


def test_nodes_are_chosen_where_they_save_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of a small function, nor where moving them takes as long."""
    nodes = Product(np.sin)
    assert choose_nodes(components(np.sin, nodes)) == ""
    monkeypatch.setattr(measurement, "_FEWEST", 10)
    monkeypatch.setattr(measurement, "_WORTHWHILE", 0.0)
    assert choose_nodes(components(np.sin)) == ""
    assert choose_nodes(components(np.sin, nodes)) is nodes
    nodes.work = 150.0
    assert choose_nodes(components(np.sin, nodes)) == "they would take 75% of the losses of all components"

    def refuses() -> Nodes:
        raise UntraceableError("it cannot be traced")

    engine = components(np.sin, nodes)
    engine.evaluator = type(engine.evaluator)(engine.evaluator.losses, nodes=refuses)
    assert choose_nodes(engine) == "it cannot be traced"
