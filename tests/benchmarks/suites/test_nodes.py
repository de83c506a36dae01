"""The table of nodes: a small network is checked, and a line is shown for it; those of all kinds have losses."""

import io

from rich.console import Console

from benchmarks.suites.node_models import Model, convolutional, lstm, transformer
from benchmarks.suites.nodes import measure_nodes, node_table, vmap_seconds

SMALL = {
    "lstm": Model(lstm, (2, 3, 3, 2)),
}


def test_every_network_is_checked() -> None:
    """A small one by its components, for which no nodes are needed."""
    outcomes = list(measure_nodes(SMALL))
    assert [one.verdict for one in outcomes] == ["AGREE"]
    assert all(one.losses > 0 and one.vmap_seconds > 0 and one.verified > 0 for one in outcomes)
    console = Console(width=200, file=io.StringIO())
    console.print(node_table(outcomes))
    assert isinstance(console.file, io.StringIO)
    assert all(name in console.file.getvalue() for name in SMALL)


def test_every_kind_has_a_loss() -> None:
    """Near the logarithm of the number of classes where weights are small; all components take some time."""
    loss, params = Model(transformer, (8, 8, 1, 1, 2)).draw()
    assert 3 < float(loss(params)) < 5
    assert vmap_seconds(loss, params) > 0
    loss, params = Model(convolutional, (4, 2, 3, 2)).draw()
    assert 2 < float(loss(params)) < 3
