"""Blocks: how θ is halved, and what parts of it are called."""

from xcheck.layout import Layout
from xcheck.oracle.bisection.blocks import Block, halves, name_of

LAYOUT = Layout.of({"s": (), "none": (0, 3), "kernel": (4, 3, 2, 2), "t": (1,)})


def test_names_of_other_shapes() -> None:
    """Scalars, empty tensors, and arrays of four axes."""
    for flat, name in ((0, "s"), (1, "kernel[0, 0, 0, 0]"), (30, "kernel[2, 1, 0, 1]"), (49, "t")):
        assert name_of(LAYOUT, Block(flat, flat + 1)) == name


def test_halves_lie_between_tensors_rows_and_columns() -> None:
    """In this order; every component is in one of the two, until one is left."""
    assert halves(LAYOUT, Block(0, 50)) == (Block(0, 1), Block(1, 50))
    assert halves(LAYOUT, Block(1, 49)) == (Block(1, 25), Block(25, 49))
    assert halves(LAYOUT, Block(13, 25)) == (Block(13, 19), Block(19, 25))
    pending = [Block(0, LAYOUT.size)]
    single: list[Block] = []
    while pending:
        for half in halves(LAYOUT, pending.pop()):
            (single if half.size == 1 else pending).append(half)
    assert sorted(block.start for block in single) == list(range(LAYOUT.size))
