"""The table of forward passes."""

from benchmarks.suites.forward import Outcome, forward_table
from tests.forward.planted import Trial
from tests.forward.plants import PLANTS


def test_a_network_has_a_line() -> None:
    """Equal programs and planted differences are counted by themselves."""
    plant = next(plant for plant in PLANTS if plant.network == "mlp")
    outcomes = [
        Outcome(Trial(None, "mlp", "numpy", "jax"), "right", 1.0),
        Outcome(Trial(plant, "mlp", "numpy", "jax"), "half", 1.0),
        Outcome(Trial(plant, "mlp", "torch", "jax"), "right", 1.0),
    ]
    rows = list(zip(*(list(column.cells) for column in forward_table(outcomes).columns), strict=True))
    assert rows[0] == ("mlp", "1", "0", "2", "1", "1", "0", "0", "3 s")
    assert rows[-1] == ("all", "1", "0", "2", "1", "1", "0", "0", "3 s")
