"""What an operation of JAX becomes: one or more operations of `xcheck.trace`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from xcheck.trace.model import Array

Run: TypeAlias = Callable[..., Sequence[Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """One of the operations that an operation of JAX becomes.

    Attributes:
        name: in the words of `xcheck.trace`.
        run: arrays -> arrays.
        attributes: what belongs to the name.
        shapes: of its outputs, unless it is the last: then they are those of JAX's operation.
    """

    name: str
    run: Run
    attributes: Mapping[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ()
