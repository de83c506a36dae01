"""Rows of a Jacobian: the gradients of all outputs of one forward pass, by many backward passes at a time.

torch batches backward passes by vmap. A backward pass is linear in its cotangent: through random weights w it gives
Σ wᵢ gᵢ of the rows gᵢ. One plain backward pass through w is held against the batched rows; where it gives something
else, or vmap cannot batch, there is a plain backward pass for each row.
"""

import warnings
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from xcheck.backend.cotangents import WEIGHT
from xcheck.functions.arguments import Numbers
from xcheck.seeds import FIXED, Stream, generator
from xcheck_torch.tensors import fill_in, gradient_hooks, pull_back

# Numbers that a batch of rows has beside each other, one for each row and output: torch divides an operation on more of
# them among threads, which takes longer on a busy machine, and they leave the cache. A guess.
_NUMBERS = 2**15
# How many roundings two sums of the same rows may be apart, in units of the sum of their sizes: a guess, chosen so that
# thousands of terms pass. A row among 4,096 that differs by a ten-billionth of their size does not, in float64.
_ROUNDINGS = 2.0**6


def gradient_rows(outputs: Tensor, tensors: Mapping[str, Tensor]) -> dict[str, Numbers | None]:
    """Return by name the gradients of all outputs, shape (outputs, ...), None where none of them depends on a tensor.

    Args:
        outputs: shape (outputs,), with their graph, which is kept.
        tensors: with respect to which they are differentiated.
    """
    # What a person has registered expects one gradient.
    if not any(gradient_hooks(tensor) for tensor in tensors.values()):
        found = _in_batches(outputs, tensors)
        if found is not None and _is_confirmed(found, outputs, tensors):
            return found
    rows = [pull_back(outputs, tensors, WEIGHT * unit) for unit in _units(outputs, 0, len(outputs))]
    return {name: _stacked([row[name] for row in rows]) for name in tensors}


def _units(outputs: Tensor, start: int, stop: int) -> Tensor:
    """Return unit vectors, one for each output from `start` to `stop`, shape (stop − start, outputs)."""
    units = torch.zeros(stop - start, len(outputs), dtype=outputs.dtype, device=outputs.device)
    units.diagonal(start).fill_(1.0)
    return units


def _in_batches(outputs: Tensor, tensors: Mapping[str, Tensor]) -> dict[str, Numbers | None] | None:
    """Return the rows by vmap; None where that is impossible."""
    parts, count = [], max(1, _NUMBERS // len(outputs))
    with warnings.catch_warnings():
        # What vmap warns of (a performance drop) is its own business, not the person's.
        warnings.simplefilter("ignore", UserWarning)
        for start in range(0, len(outputs), count):
            weights = WEIGHT * _units(outputs, start, min(start + count, len(outputs)))
            try:
                found = torch.autograd.grad(
                    outputs,
                    list(tensors.values()),
                    weights,
                    retain_graph=True,
                    allow_unused=True,
                    is_grads_batched=True,
                )
            except Exception:  # noqa: BLE001 - whatever vmap cannot do, a loop can
                return None
            parts.append([None if part is None else fill_in(part) / WEIGHT for part in found])
    return {name: _joined([part[place] for part in parts]) for place, name in enumerate(tensors)}


def _joined(parts: list[Numbers | None]) -> Numbers | None:
    # The graph is the same for all rows: a tensor that is not in it is in none of them.
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if given else None


def _stacked(rows: list[Numbers | None]) -> Numbers | None:
    given = next((row for row in rows if row is not None), None)
    return None if given is None else np.stack([np.zeros_like(given) if row is None else row for row in rows])


def _is_confirmed(found: Mapping[str, Numbers | None], outputs: Tensor, tensors: Mapping[str, Tensor]) -> bool:
    """Return whether a plain backward pass through random weights gives the same combination of the rows."""
    weights = generator(FIXED, Stream.ROW_PROJECTION).standard_normal(len(outputs))
    given = torch.as_tensor(weights, dtype=outputs.dtype, device=outputs.device)
    plain, close = pull_back(outputs, tensors, WEIGHT * given), _ROUNDINGS * torch.finfo(outputs.dtype).eps
    # In the dtype of the outputs the weights are rounded.
    weights = fill_in(given)
    for name, rows in found.items():
        alone = plain[name]
        if rows is None or alone is None:
            if rows is not alone:
                return False
            continue
        flat, size = rows.reshape(len(weights), -1), alone.reshape(-1)
        with np.errstate(all="ignore"):
            # What is not finite is confirmed by nothing.
            if not (np.abs(weights @ flat - size) <= close * (np.abs(weights) @ np.abs(flat))).all():
                return False
    return True
