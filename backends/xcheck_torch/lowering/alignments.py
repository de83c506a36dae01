"""Connectionist temporal classification: the probability of all alignments of a text with a signal.

Source: A. Graves, S. Fernández, F. Gomez and J. Schmidhuber, "Connectionist Temporal Classification", ICML 2006,
equations 6 to 8. Probabilities stand in the trace, not their logarithms: balls do not underflow, and there is no
largest one to be subtracted.
"""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from xcheck.trace import Constant
from xcheck.trace.model import Array, Source
from xcheck_torch.lowering.arrays import shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, NotLoweredError, lowers


@lowers("_ctc_loss")
def _loss(b: Builder, call: Call) -> list[Source | None]:
    """-log of the sum of the probabilities of all alignments, for each text of a batch."""
    given = call.arguments
    steps, lengths = _integers(given["input_lengths"]), _integers(given["target_lengths"])
    labels = _with_blanks(given["targets"], lengths, given["blank"])
    x = given["log_probs"]
    time, (count, states) = shape_of(x)[0], labels.shape
    whole = (time, count, states)
    at = torch.as_tensor(labels).expand(whole)
    probabilities = b.apply("exp", b.move(lambda a: a.gather(2, at), [x], whole))
    # A state is reached from that before the last one only over a blank between different labels.
    skips = np.zeros(labels.shape)
    skips[:, 2:] = (labels[:, 2:] != given["blank"]) & (labels[:, 2:] != labels[:, :-2])
    found = _start(b, probabilities, lengths)
    for step in range(1, time):
        reached = b.add(b.add(found, _shifted(b, found, 1)), b.mul(Constant(skips), _shifted(b, found, 2)))
        further = b.mul(reached, b.move(lambda a, t=step: a[t], [probabilities], labels.shape))
        goes_on = Constant(np.broadcast_to((steps > step)[:, None], labels.shape))
        found = b.select(goes_on, found, further)
    ends = np.stack([np.arange(states) == 2 * length for length in lengths]).astype(np.float64)
    ends += np.stack([np.arange(states) == 2 * length - 1 for length in lengths])
    total = b.sum(b.mul(found, Constant(ends)), [1])
    # Where there is no alignment at all the loss is infinite, for every t near 0.
    impossible = b.compare("eq", total, 0.0)
    found = b.apply("neg", b.apply("log", b.select(impossible, total, 1.0)))
    return [b.reshape(b.select(impossible, found, math.inf), call.shape), None]


def _integers(lengths: Any) -> Array:
    if not isinstance(lengths, Constant | list | tuple):
        raise NotLoweredError
    return np.asarray(lengths.array if isinstance(lengths, Constant) else lengths, np.int64).reshape(-1)


def _with_blanks(targets: Source, lengths: Array, blank: int) -> Array:
    """Return the labels with a blank before, between and behind them, shape (texts, states)."""
    if not isinstance(targets, Constant):
        raise NotLoweredError
    found = np.full((len(lengths), 2 * int(lengths.max(initial=0)) + 1), blank, np.int64)
    starts = np.cumsum(lengths) - lengths
    for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        # Texts stand one after the other, or each in a row of its own.
        text = targets.array[row, :length] if targets.array.ndim > 1 else targets.array[start : start + length]
        found[row, 1 : 2 * length : 2] = text
    return found


def _start(b: Builder, probabilities: Source, lengths: Array) -> Source:
    """Return the probabilities of the first step: of a blank, or of the first label."""
    _, count, states = shape_of(probabilities)
    first = np.zeros((count, states))
    first[:, 0] = 1.0
    first[lengths > 0, 1:2] = 1.0
    return b.mul(b.move(lambda a: a[0], [probabilities], (count, states)), Constant(first))


def _shifted(b: Builder, x: Source, by: int) -> Source:
    """Return what stands so many states before, 0 where there is none."""
    return b.move(lambda a: F.pad(a, (by, 0))[:, : a.shape[1]], [x], shape_of(x))
