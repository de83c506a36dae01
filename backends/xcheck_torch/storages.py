"""Storages: which value of a trace the numbers of a tensor are, however many tensors share its memory.

Views read the memory of another tensor, operations in place write into it. So it is the memory that values are kept
for: a tensor that is met for the first time reads from it by its strides, and what is written changes it for all.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor

from xcheck.trace import Constant, UntraceableError, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, name_of, shape_of, to_array, torch_dtype
from xcheck_torch.lowering.builder import Builder

# Where a tensor lies in its memory: offset, shape, strides, and what is done to each number on reading.
_Key: TypeAlias = tuple[Any, ...]


# Memory that is read in the other dtype holds the same numbers: complex ones are pairs of real ones.
_SAME_MEMORY = {torch.complex128: torch.float64, torch.complex64: torch.float32}
_SAME_MEMORY |= {real: numbers for numbers, real in _SAME_MEMORY.items()}


@dataclass(slots=True, eq=False)
class _Memory:
    """The values of one piece of memory.

    Attributes:
        storage: is kept, so that no other gets its address.
        whole: a value, and where it lies; what lies elsewhere is never read.
        sources: of each tensor that was read, by its place.
    """

    storage: Any
    whole: tuple[Source, _Key]
    sources: dict[_Key, Source] = field(default_factory=dict)


class Storages:
    """The values of all memory that holds what depends on parameters."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._memories: dict[tuple[int, Any], _Memory] = {}
        # Constants are read once, until something is written into them: by address, place and version.
        self._constants: dict[_Key, tuple[Any, Constant]] = {}

    def holds(self, tensor: Tensor) -> bool:
        """Return whether the numbers of a tensor are a value of the trace, or those that they are parts of."""
        if tensor.layout is not torch.strided:
            return False
        storage, dtype = _address(tensor)
        return (storage, dtype) in self._memories or (storage, _SAME_MEMORY.get(dtype)) in self._memories

    def depends(self, tensor: Tensor) -> bool:
        """Return whether the numbers of a tensor depend on a parameter."""
        return self.holds(tensor) and isinstance(self.read(tensor), Value)

    def read(self, tensor: Tensor) -> Source:
        """Return the value of a tensor; a constant where nothing is known of its memory."""
        if not self.holds(tensor):
            return self._constant(tensor)
        memory, key = self._memory(tensor), _key(tensor)
        if key not in memory.sources:
            memory.sources[key] = self._read_in(memory, key)
        return memory.sources[key]

    def _memory(self, tensor: Tensor) -> _Memory:
        """Return the memory of a tensor that is held, with its numbers in the tensor's dtype."""
        storage, dtype = _address(tensor)
        if (storage, dtype) not in self._memories:
            other = self._memories[storage, _SAME_MEMORY[dtype]]
            flat = self._in_parts(other) if not dtype.is_complex else self._of_parts(other)
            self._memories[storage, dtype] = _Memory(other.storage, (flat, _flat_key(shape_of(flat)[0])))
        return self._memories[storage, dtype]

    def _in_parts(self, memory: _Memory) -> Source:
        """Return complex numbers as the real ones that lie there: real and imaginary parts in turn."""
        flat, count, dtype = self._in_a_row(memory)
        functions = (("real", torch.real), ("imag", torch.imag))
        parts = [self._builder.one(name, function, [flat], Value((count,), dtype)) for name, function in functions]
        return self._builder.move(lambda re, im: torch.stack([re, im], 1).reshape(-1), parts, (2 * count,))

    def _in_a_row(self, memory: _Memory) -> tuple[Source, int, str]:
        """Return all numbers of a memory on one axis, how many they are, and the other dtype that reads them."""
        source = self._flat(memory)
        count = _size(shape_of(source))
        return self._builder.reshape(source, (count,)), count, name_of(_SAME_MEMORY[torch_dtype(dtype_of(source))])

    def _of_parts(self, memory: _Memory) -> Source:
        """Return real numbers as the complex ones whose parts they are."""
        flat, count, dtype = self._in_a_row(memory)
        parts = [self._builder.move(lambda a, n=n: a[n::2], [flat], (count // 2,)) for n in (0, 1)]
        return self._builder.one("complex", torch.complex, parts, Value((count // 2,), dtype))

    def _read_in(self, memory: _Memory, key: _Key) -> Source:
        """Return what a tensor at a place in memory reads: conjugate, or negative, where it is such a view."""
        offset, shape, strides, *bits = key
        if any(bits):
            plain = (*key[:3], False, False)
            if plain not in memory.sources:
                memory.sources[plain] = self._read_in(memory, plain)
            return self._turned(memory.sources[plain], *bits)
        flat = self._flat(memory)
        return self._builder.move(lambda a: a.reshape(-1).as_strided(shape, strides, offset), [flat], shape)

    def _turned(self, source: Source, conjugate: bool, negative: bool) -> Source:
        """Return what a conjugate or a negative view makes of the numbers in memory, or memory of those of the view."""
        names = (("conj", torch.conj_physical), ("neg", torch.neg))
        for is_so, (name, function) in zip((conjugate, negative), names, strict=True):
            if is_so:
                output = Value(shape_of(source), dtype_of(source))
                source = self._builder.one(name, function, [source], output)
        return source

    def put(self, tensor: Tensor, source: Source) -> None:
        """Note the value of a tensor that an operation has returned."""
        key, source = self._in_memory(tensor, source)
        address = _address(tensor)
        if address not in self._memories:
            self._memories[address] = _Memory(tensor.untyped_storage(), (source, key))
        self._memories[address].sources[key] = source

    def write(self, tensor: Tensor, source: Source) -> None:
        """Note what an operation has written into a tensor."""
        (key, source), address = self._in_memory(tensor, source), _address(tensor)
        memory = self._memory(tensor) if self.holds(tensor) else None
        if not _is_all(tensor):
            before = Constant(_contents(tensor)) if memory is None else self._flat(memory)
            offset, shape, strides, *_ = key

            def overwrite(a: Tensor, part: Tensor) -> Tensor:
                flat = a.reshape(-1).clone()
                flat.as_strided(shape, strides, offset).copy_(part)
                return flat

            flat_key = _flat_key(_count(tensor))
            whole = (self._builder.move(overwrite, [before, source], flat_key[1]), flat_key)
        else:
            whole = (source, key)
        self._memories[address] = _Memory(tensor.untyped_storage(), whole, {key: source})
        # Parts of complex numbers, or the numbers that parts belong to, are read anew.
        self._memories.pop((address[0], _SAME_MEMORY.get(address[1])), None)

    def _in_memory(self, tensor: Tensor, source: Source) -> tuple[_Key, Source]:
        """Return the place of a tensor, and of its value what lies there: of a conjugate view the conjugate."""
        key = _key(tensor)
        return (*key[:3], False, False), self._turned(source, *key[3:])

    def forget(self, tensor: Tensor) -> None:
        """Note that constants in the memory of a tensor are others now."""
        if tensor.layout is torch.strided:
            storage, _ = _address(tensor)
            self._constants = {key: kept for key, kept in self._constants.items() if key[0][0] != storage}

    def _flat(self, memory: _Memory) -> Source:
        """Return all numbers of a memory in their order there."""
        source, (offset, shape, strides, *_) = memory.whole
        count = memory.storage.nbytes() // _itemsize(source)
        if offset == 0 and _is_in_order(shape, strides) and _size(shape) == count:
            return source

        def lay_out(a: Tensor) -> Tensor:
            flat = a.new_zeros(count)
            flat.as_strided(shape, strides, offset).copy_(a)
            return flat

        memory.whole = (self._builder.move(lay_out, [source], (count,)), _flat_key(count))
        return memory.whole[0]

    def _constant(self, tensor: Tensor) -> Constant:
        if tensor.layout is not torch.strided:
            raise UntraceableError("a sparse array has no place in a trace")
        if tensor.is_inference():
            return Constant(to_array(tensor))
        key = (_address(tensor), *_key(tensor), tensor._version)  # noqa: SLF001 - torch has no other name for it
        if key not in self._constants:
            self._constants[key] = (tensor.untyped_storage(), Constant(to_array(tensor)))
        return self._constants[key][1]


def _address(tensor: Tensor) -> tuple[int, Any]:
    # Memory that is read in another dtype holds other numbers.
    return tensor.untyped_storage()._cdata, tensor.dtype  # noqa: SLF001 - an empty memory has no other address


def _flat_key(count: int) -> _Key:
    return (0, (count,), (1,), False, False)


def _key(tensor: Tensor) -> _Key:
    return (
        tensor.storage_offset(),
        tuple(tensor.shape),
        tuple(tensor.stride()),
        tensor.is_conj(),
        tensor.is_neg(),
    )


def _count(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().nbytes() // tensor.dtype.itemsize)


def _contents(tensor: Tensor) -> Any:
    """Return all numbers of the memory that a tensor lies in, also where it is a conjugate or negative view."""
    plain = tensor.detach()
    plain = plain.conj() if plain.is_conj() else plain
    plain = torch._neg_view(plain) if plain.is_neg() else plain  # noqa: SLF001 - torch has no other name for it
    return to_array(plain.as_strided((_count(tensor),), (1,), 0))


def _is_all(tensor: Tensor) -> bool:
    """Return whether a tensor is all of its memory, each element once."""
    in_order = sorted(zip(tensor.stride(), tensor.shape, strict=True))
    expected = 1
    for stride, length in in_order:
        if length != 1 and stride != expected:
            return False
        expected *= length
    return tensor.storage_offset() == 0 and expected == _count(tensor)


def _is_in_order(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = 1
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if length != 1 and stride != expected:
            return False
        expected *= length
    return True


def _size(shape: tuple[int, ...]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count


def _itemsize(source: Source) -> int:
    # A constant in bfloat16 stands in float32.
    return int(getattr(torch, dtype_of(source)).itemsize)
