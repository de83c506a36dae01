"""Which value the numbers of a tensor are, however many tensors share its memory."""

from typing import Any

import numpy as np
import pytest
import torch

from xcheck.trace import Constant, Trace, UntraceableError, Value, replay
from xcheck.trace.model import Source
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.storages import Storages

X = torch.arange(6.0, dtype=torch.float64).reshape(2, 3)


class Recorded:
    """Storages that hold one tensor, and what is read from them."""

    def __init__(self) -> None:
        self.builder, self.x = Builder(), X.clone()
        self.storages = Storages(self.builder)
        self.input = Value((2, 3), "float64")
        self.storages.put(self.x, self.input)

    def numbers(self, source: Source) -> Any:
        """The numbers of a source where the input is 0, ..., 5."""
        trace = Trace(inputs=(self.input,), outputs=(source,), operations=tuple(self.builder.operations))
        return replay(trace, [X.numpy()])[0].tolist()


def test_views_read_the_memory_of_another_tensor() -> None:
    """Transposed, in part, or as one row."""
    recorded = Recorded()
    assert recorded.storages.read(recorded.x) is recorded.input
    for view in (recorded.x.T, recorded.x[:, 1::2], recorded.x.view(-1), recorded.x[1].expand(2, 3)):
        assert recorded.numbers(recorded.storages.read(view)) == view.tolist()


def test_a_view_that_was_read_once_is_known() -> None:
    """It is not moved again."""
    recorded = Recorded()
    assert recorded.storages.read(recorded.x.T) is recorded.storages.read(recorded.x.T)


def test_what_lies_otherwise_in_memory_is_laid_out_first() -> None:
    """A tensor whose columns come one after the other."""
    recorded, turned = Recorded(), X.T.contiguous().T
    recorded.storages.put(turned, recorded.input)
    assert recorded.numbers(recorded.storages.read(turned.T)) == X.T.tolist()


def test_writing_changes_all_views() -> None:
    """A row of the tensor, then all of it."""
    recorded = Recorded()
    recorded.storages.write(recorded.x[0], Constant(np.array([7.0, 8.0, 9.0])))
    assert recorded.numbers(recorded.storages.read(recorded.x.T)) == [[7, 3], [8, 4], [9, 5]]
    recorded.storages.write(recorded.x, Constant(np.zeros((2, 3))))
    assert isinstance(recorded.storages.read(recorded.x), Constant)
    assert not recorded.storages.depends(recorded.x)
    assert recorded.storages.holds(recorded.x)


def test_what_is_written_into_a_constant_makes_it_depend() -> None:
    """The rest of it stays."""
    recorded, zeros = Recorded(), torch.ones(2, 3, dtype=torch.float64)
    assert not recorded.storages.depends(zeros)
    recorded.storages.write(zeros[:, 1], recorded.storages.read(recorded.x[:, 0]))
    assert recorded.storages.depends(zeros)
    assert recorded.numbers(recorded.storages.read(zeros)) == [[1, 0, 1], [1, 3, 1]]


def test_complex_numbers_and_their_parts_are_one_memory() -> None:
    """Read as pairs, conjugate or negative; written into as any of them."""
    recorded = Recorded()
    storages, z = recorded.storages, torch.view_as_complex(recorded.x.reshape(3, 2))
    assert storages.holds(z)
    assert recorded.numbers(storages.read(z)) == [0 + 1j, 2 + 3j, 4 + 5j]
    assert recorded.numbers(storages.read(z.conj())) == [0 - 1j, 2 - 3j, 4 - 5j]
    assert recorded.numbers(storages.read(z.conj().imag)) == [-1, -3, -5]
    storages.write(z.conj()[1:2], Constant(np.array([7 + 8j])))
    assert recorded.numbers(storages.read(recorded.x)) == [[0, 1, 7], [-8, 4, 5]]
    storages.write(z.conj().imag[2:], Constant(np.array([9.0])))
    assert recorded.numbers(storages.read(z)) == [0 + 1j, 7 - 8j, 4 - 9j]


def test_a_conjugate_view_of_constants_is_written_into() -> None:
    """What lies beside it in memory stays as it is."""
    recorded = Recorded()
    z = torch.tensor([1 + 2j, 3 + 4j], dtype=torch.complex128)
    recorded.storages.write(z.conj()[:1], Constant(np.array([5 + 6j])))
    assert recorded.numbers(recorded.storages.read(z)) == [5 - 6j, 3 + 4j]


def test_constants_are_read_once_until_they_are_others() -> None:
    """By the version that torch counts, or because it is said so."""
    storages, ones = Storages(Builder()), torch.ones(2)
    first = storages.read(ones)
    assert storages.read(ones) is first
    ones.add_(1)
    second = storages.read(ones)
    assert isinstance(first, Constant)
    assert isinstance(second, Constant)
    assert (first.array.tolist(), second.array.tolist()) == ([1, 1], [2, 2])
    storages.forget(ones)
    assert storages.read(ones) is not second


def test_a_sparse_array_has_no_place() -> None:
    """It has no strides."""
    with pytest.raises(UntraceableError, match="sparse"):
        Storages(Builder()).read(torch.ones(2).to_sparse())
