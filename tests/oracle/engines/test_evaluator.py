"""How many losses are evaluated at a time."""

from xcheck.oracle.engines.evaluator import chunk_for


def test_batches_fit_into_memory() -> None:
    """Large θ or much data: one at a time; small ones: a thousand at most."""
    assert chunk_for(10**9) == chunk_for(1, data=10**9) == 1
    assert chunk_for(1) == 1024
    assert 1 < chunk_for(10_000) < 1024
