"""Noted: a call of torch while the program goes on, before cotangents are known."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from xcheck.trace import Place
from xcheck_torch.recorded import Recorded, Trial

# What torch differentiates on a surface only, such as that of symmetric matrices: off it, where one array alone is
# moved, its gradient is not that of the function.
ON_SURFACES = frozenset(
    {
        *("cholesky", "cholesky_inverse", "cholesky_solve", "linalg_cholesky", "linalg_cholesky_ex"),
        *("linalg_eigh", "linalg_eigvalsh", "ctc_loss"),
    }
)

# The leaves that an array stands at which a call reads, and the key of its cotangent.
Reading: TypeAlias = tuple[tuple[int, ...], int | None]
# What a call writes, and the key of its cotangent.
Writing: TypeAlias = tuple[Tensor, int]


@dataclass(frozen=True, slots=True, eq=False)
class Noted:
    """A call while the program goes on; keys are those of cotangents, which are not known yet.

    Attributes:
        name: what is called.
        rule: whose backward pass it has.
        place: the person's line.
        recorded: the call itself.
        reads: the leaves that each array stands at which depends on parameters, and its key; None where autograd gives
            it no cotangent.
        writes: what is computed without autograd, and with it, and a key.
        is_repeatable: whether it gives the same once more, and may be asked for its differences.
        note: what else is known of its backward pass.
    """

    name: str
    rule: str
    place: Place | None
    recorded: Recorded
    reads: tuple[Reading, ...]
    writes: tuple[tuple[Tensor, Tensor, int], ...]
    is_repeatable: bool
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A call that was carried out with taps.

    Attributes:
        returned: what it has returned.
        reads: see `Noted`.
        outputs: the floating tensors that it has written.
    """

    returned: Any
    reads: tuple[Reading, ...]
    outputs: tuple[Writing, ...]


def describe(name: str, rule: str, place: Place | None, trial: Trial, made: Made) -> Noted:
    """Return what is noted of a call that was tried out and then made."""
    outputs = [(tensor.detach().clone(), key) for tensor, key in made.outputs]
    plain = trial.outputs
    is_like = [one.shape for one in plain] == [one.shape for one, _ in outputs]
    # Only a rule of one's own may compute something else where it is differentiated.
    is_same = is_like and all(_is_close(one, now) for one, (now, _) in zip(plain, outputs, strict=True))
    is_repeatable = is_like if rule else is_same
    values = plain if is_repeatable else [one for one, _ in outputs]
    # Nothing is to be said of it; see above.
    is_repeatable = is_repeatable and name not in ON_SURFACES
    writes = tuple((one, now, key) for one, (now, key) in zip(values, outputs, strict=True))
    return Noted(name, rule, place, trial.recorded, made.reads, writes, is_repeatable)


def _is_close(one: Tensor, other: Tensor) -> bool:
    # Half of the digits: far above rounding, far below what is not the same.
    share = float(torch.finfo(one.dtype).eps ** 0.5)
    return torch.allclose(one, other, rtol=share, atol=share, equal_nan=True)
