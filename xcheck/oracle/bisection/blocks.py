"""Blocks: contiguous parts of θ, their halves, and their names.

Rows are contiguous, and so are parts of one row: halving between tensors, then rows, then columns leaves every block a
range of θ. An array of more axes has rows as long as all of them but the first.
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from xcheck.layout import Layout, Tensor


class Block(NamedTuple):
    """The components [start, stop) of θ."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of components."""
        return self.stop - self.start


def halves(layout: Layout, block: Block) -> tuple[Block, Block]:
    """Return the halves of a block: between tensors if there are several, else between rows, else between columns.

    >>> layout = Layout.of({"W": (4, 10), "b": (4,)})
    >>> halves(layout, Block(0, 44))
    (Block(start=0, stop=40), Block(start=40, stop=44))
    >>> halves(layout, Block(0, 40)), halves(layout, Block(20, 30))[0]
    ((Block(start=0, stop=20), Block(start=20, stop=40)), Block(start=20, stop=25))
    """
    # Of two tensors that begin at one place the first is empty, and no bound.
    bounds = [tensor.offset for tensor in layout if block.start < tensor.offset < block.stop and tensor.size]
    if not bounds:
        tensor = tensor_of(layout, block)
        row = tensor.size // tensor.shape[0] if tensor.shape else 1
        # The next row that begins after the block does.
        first = tensor.offset + (block.start - tensor.offset) // row * row + row
        # Between rows of one component every place is a bound.
        bounds = list(range(first, block.stop, row)) if row > 1 else []
    middle = (block.start + block.stop) // 2
    if bounds:
        place = bisect_left(bounds, middle)
        # The bound nearest to the middle: the two next to it are compared.
        middle = min(bounds[max(0, place - 1) : place + 1], key=lambda bound: abs(bound - middle))
    return Block(block.start, middle), Block(middle, block.stop)


def tensor_of(layout: Layout, block: Block) -> Tensor:
    """Return the tensor that a block begins in."""
    tensors = [tensor for tensor in layout if tensor.size]
    return tensors[bisect_right([tensor.offset for tensor in tensors], block.start) - 1]


def name_of(layout: Layout, block: Block) -> str:
    """Return what a block is called.

    >>> layout = Layout.of({"W": (4, 10), "b": (4,)})
    >>> [name_of(layout, Block(*ends)) for ends in ((0, 40), (10, 30), (13, 20), (13, 14), (41, 43), (0, 44))]
    ['W', 'W[1:3]', 'W[1, 3:10]', 'W[1, 3]', 'b[1:3]', 'W and b']
    """
    tensor = tensor_of(layout, block)
    if block.stop > tensor.span.stop:
        last = tensor_of(layout, Block(block.stop - 1, block.stop))
        between = " and " if layout.tensors.index(last) == layout.tensors.index(tensor) + 1 else " to "
        return f"{tensor.name}{between}{last.name}"
    if block.size == tensor.size:
        return tensor.name
    if block.size == 1:
        return str(layout.locate(block.start))
    # What is left is a part of one tensor: some of its rows, or a part of one row.
    row = tensor.size // tensor.shape[0]
    start, stop = block.start - tensor.offset, block.stop - tensor.offset
    if start % row == 0 and stop % row == 0:
        first, last_row = start // row, stop // row
        return f"{tensor.name}[{first}]" if last_row == first + 1 else f"{tensor.name}[{first}:{last_row}]"
    if len(tensor.shape) == 2:
        return f"{tensor.name}[{start // row}, {start % row}:{(stop - 1) % row + 1}]"
    return f"{tensor.name}[{start // row}], components {start % row} to {(stop - 1) % row}"
