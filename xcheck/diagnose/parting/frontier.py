"""Frontier: the first operations of a forward pass that are given what the other one has, and give what it has not.

A value that the other side has not may be a step on another way to the same end: the parts of a softmax that the other
side calls in one. So only what reaches the loss without passing a value that both have is at fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xcheck.diagnose.parting.matching import Matched


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """What of a forward pass has parted from the other one.

    Attributes:
        matched: the forward pass beside the other one.
        nodes: the numbers of the nodes that the loss differs by, in order.
        frontier: the first of them: all that they read is known to both sides, in order.
    """

    matched: Matched
    nodes: Sequence[int]
    frontier: Sequence[int]

    def begins(self, number: int) -> list[int]:
        """Return those of the frontier that a node depends on."""
        above = self.matched.flow.above(number)
        return [each for each in self.frontier if each in above]


def part_of(matched: Matched) -> Parted:
    """Return what has parted; nothing where the losses are the same."""
    flow, readers = matched.flow, matched.flow.readers()
    parted: set[int] = set()
    for node in reversed(flow.nodes):
        reaches = node.number == flow.loss or any(reader in parted for reader in readers[node.number])
        if reaches and node.depends and not matched.is_known(node.number):
            parted.add(node.number)
    # What differs already in what it reads: it passes that on.
    passes_on: set[int] = set()
    frontier = []
    for number in sorted(parted):
        node = matched.node(number)
        if any(read in passes_on for read in node.reads):
            passes_on.add(number)
        # Zeros and ones, integers, and what only moves numbers are no first step by themselves.
        elif not (node.is_move or matched.says_nothing(number) or node.parameter):
            frontier.append(number)
            passes_on.add(number)
    return Parted(matched, sorted(parted), frontier)
