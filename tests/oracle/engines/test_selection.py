"""Selection: the most direct engine that fits the budget, and the next more direct one."""

import numpy as np
import pytest

from tests.oracle.conftest import exact, wide
from xcheck import verify
from xcheck.oracle import OracleOptions, numerical_gradient
from xcheck.oracle.engines.base import EngineName
from xcheck.oracle.engines.batched import BatchedEngine
from xcheck.oracle.engines.node import NodeEngine
from xcheck.oracle.engines.selection import ENGINES, choose, more_direct, predict
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.testing import scenario


def test_every_engine_but_the_first_has_a_more_direct_one() -> None:
    """Whatever a subclass is called, its ladder is that of the engine it is made of."""
    ladder = list(ENGINES.values())
    assert [more_direct(engine) for engine in ladder[1:]] == ladder[:-1]
    assert more_direct(type("Named", (NodeEngine,), {})) is StructuredEngine
    assert more_direct(ladder[0]) is None


@pytest.mark.parametrize(
    ("batched", "structured", "nodes", "expected"),
    [
        (9.0, 1.0, True, BatchedEngine),
        (11.0, 9.0, True, StructuredEngine),
        (900.0, 11.0, True, NodeEngine),
        (900.0, 11.0, False, StructuredEngine),
    ],
)
def test_the_budget_decides(batched: float, structured: float, nodes: bool, expected: type) -> None:
    """The most direct engine that fits into 10 seconds; fixed steps are not for the node engine."""
    assert choose("auto", {"batched": batched, "structured": structured}, 10.0, nodes=nodes) is expected


@pytest.mark.parametrize(("name", "engine"), ENGINES.items())
def test_a_name_is_a_name(name: EngineName, engine: type) -> None:
    """Whatever it will take."""
    assert choose(name, {"batched": 1e9, "structured": 1e9}, 10.0, nodes=True) is engine


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("number", [7, 13, 20])
def test_all_engines_agree_with_the_exact_gradient(name: EngineName, number: int) -> None:
    """Each line of the table, over networks without ties: within its own bar, which is narrow, and under its name."""
    problem = scenario(number)
    estimate = numerical_gradient(problem, OracleOptions(engine=name))
    assert (estimate.engine, estimate.ties) == (name, 0)
    assert (np.abs(estimate.value - exact(problem)) <= estimate.error_bar).all()
    assert (estimate.error_bar <= 1e-7 * problem.layout.largest(estimate.magnitude)).all()


def test_predictions_grow_with_the_network() -> None:
    """Batched with the square of the parameters, structured with parameters times what is above them."""
    small, large = predict(wide(100), 1_000), predict(wide(1_000), 1_000)
    assert 8 < large["batched"] / small["batched"] < 12
    assert small["structured"] < small["batched"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_report_says_which_engine_it_was(engine: str) -> None:
    """In the text and in the summary."""
    report = verify(wide(8), backends=["numpy"], engine=engine)
    assert report.ok
    assert report.oracle.engine == engine
    assert f" s ({engine}), seed 0" in " ".join(str(report).split())


def test_a_small_budget_takes_the_fastest_engine() -> None:
    """`budget` reaches the choice."""
    assert verify(wide(8), backends=["numpy"], budget=1e-9).oracle.engine == "node"
    assert verify(wide(8), backends=["numpy"], budget=1e-9, epsilon=1e-4).oracle.engine == "structured"
