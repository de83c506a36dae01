"""Logits: a person's function ends in the cross entropy of a softmax or sigmoid with labels, and its slope is mistaken.

z is a parameter, or x W + b with parameters and data of fitting shapes; q are its probabilities, and y the labels among
the data. Whether the loss is what it seems is asked of the oracle: with two or three numbers a, b and c its gradient
must be that of ∂L/∂z = a q + b y + c, down to the noise. Then t = −(b y + c)/a are the labels, smoothed or not, and
mistakes in ∂L/∂z = a (q − t) can be made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from xcheck.diagnose.evidence import Evidence, Hypothesis, fit
from xcheck.findings import LOSS_SLOPE
from xcheck.layout import Tensor, Vector
from xcheck.oracle.estimate import CERTAIN

# Components beyond the three numbers that the oracle's gradient must have to tell what the loss is. A guess.
_BEYOND = 8
# A smoothing below this is none. A guess, above rounding.
_SMOOTHED = 1e-6

# Returns what people write for q − t, given q, t and y.
Slopes = Callable[[Vector, Vector, Vector], dict[str, Vector]]


@dataclass(frozen=True, slots=True, eq=False)
class _Logits:
    """Logits that a loss may end in.

    Attributes:
        z: shape (examples, classes).
        name: such as "x W + b".
        pull: returns the gradient of the parameters, by name, if that of z is given.
    """

    z: Vector
    name: str
    pull: Callable[[Vector], dict[str, Vector]]


def mistaken_loss(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose mistakes in the slope of a cross entropy, of people's functions that have one."""
    if evidence.problem is not None:
        return
    for logits in _find_logits(evidence):
        for (name, y), (kind, (probabilities, mistakes)) in product(
            _find_labels(evidence, logits.z.shape), _KINDS.items()
        ):
            q = probabilities(logits.z)
            scale, t = _read_loss(evidence, logits, q, y)
            if t is None:
                continue
            for what, slope in mistakes(q, t, y).items():
                text = (
                    f"∂L/∂z is taken to be {what}; it is {kind}(z) − t, with z = {logits.name} and labels t from {name}"
                )
                yield Hypothesis(LOSS_SLOPE, text, logits.pull(scale * slope))


@np.errstate(all="ignore")
def _read_loss(evidence: Evidence, logits: _Logits, q: Vector, y: Vector) -> tuple[float, Vector | None]:
    """Return a and t for which the oracle's gradient is that of ∂L/∂z = a (q − t); t is None where it is not."""
    for columns in ((q, y), (q, y, np.ones_like(q))):
        pulled = [logits.pull(column) for column in columns]
        spans = {name: evidence.layout[name].span for name in pulled[0]}
        r, beta = (
            np.concatenate([values[span] for span in spans.values()])
            for values in (evidence.trusted, evidence.uncertainty)
        )
        bases = [np.concatenate(list(each.values())) for each in pulled]
        if len(r) < len(bases) + _BEYOND or not all(np.isfinite(base).all() for base in bases):
            return 0.0, None
        coefficients = fit(r, *bases, weight=beta + evidence.fine * np.abs(r))
        if coefficients is None or not coefficients[0]:
            continue
        off = np.abs(r - sum(c * base for c, base in zip(coefficients, bases, strict=True)))
        if np.all(off <= CERTAIN * beta + evidence.fine * np.abs(r).max()):
            a, b, c = (*coefficients, 0.0)[:3]
            return float(a), -(b * y + c) / a
    return 0.0, None


# --- what a loss may be made of -------------------------------------------------------------------------------------


def _softmax(z: Vector, axis: int = -1) -> Vector:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _sigmoid(z: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-z)))


@np.errstate(all="ignore")
def _of_softmax(q: Vector, t: Vector, y: Vector) -> dict[str, Vector]:
    """Return what people write for softmax(z) − t."""
    mistakes = {
        "−t, without what the sum over the classes gives": -t,
        "softmax(z), without the labels": q,
        "−t/p, without the Jacobian of softmax": -t / q,
        "−t (1 − p), with the diagonal of the Jacobian of softmax only": -t * (1 - q),
        "(p − t) p (1 − p), with a slope too many": (q - t) * q * (1 - q),
        "p − t with a softmax over the examples": _softmax(np.log(q), axis=0) - t,
    }
    classes, smoothing = q.shape[1], float((t - y).max() * q.shape[1])
    if np.abs(t - y).max() > _SMOOTHED:
        sharp = (1 - smoothing) * y
        mistakes |= {
            "softmax(z) − y, with labels that are not smoothed": q - y,
            "p − t with a smoothing that is not divided by the classes": q - sharp - smoothing,
            "p − t with a smoothing over the other classes": q - sharp - smoothing * (1 - y) / (classes - 1),
            "p − t with labels whose own share is not smoothed": q - y - smoothing / classes,
        }
    return mistakes


@np.errstate(all="ignore")
def _of_sigmoid(q: Vector, t: Vector, y: Vector) -> dict[str, Vector]:
    """Return what people write for sigmoid(z) − t."""
    mistakes = {
        "−t (1 − p), without the other half of the cross entropy": -t * (1 - q),
        "sigmoid(z), without the labels": q,
        "(p − t)/(p (1 − p)), without sigmoid'": (q - t) / (q * (1 - q)),
        "(p − t) p (1 − p), with a slope too many": (q - t) * q * (1 - q),
    }
    return mistakes | (
        {"sigmoid(z) − y, with labels that are not smoothed": q - y} if np.abs(t - y).max() > _SMOOTHED else {}
    )


_KINDS: dict[str, tuple[Callable[[Vector], Vector], Slopes]] = {
    "softmax": (_softmax, _of_softmax),
    "sigmoid": (_sigmoid, _of_sigmoid),
}


def _find_labels(evidence: Evidence, shape: tuple[int, ...]) -> Iterator[tuple[str, Vector]]:
    """Yield the data that may be labels of logits: of their shape, or the number of a class for each example."""
    for name, array in evidence.data.items():
        if array.shape == shape and array.dtype.kind in "fiub":
            yield name, np.asarray(array, dtype=np.float64)
        elif array.shape == shape[:1] and array.dtype.kind in "iu" and 0 <= array.min() <= array.max() < shape[1]:
            one_hot = np.zeros(shape)
            one_hot[np.arange(shape[0]), array] = 1
            yield name, one_hot


def _find_logits(evidence: Evidence) -> Iterator[_Logits]:
    """Yield each matrix of parameters, and each product of two matrices with a bias that may be added."""
    whole = [tensor for tensor in evidence.layout if tensor.places is None and tensor.size]
    matrices = {t.name: evidence.theta[t.span].reshape(t.shape) for t in whole if len(t.shape) == 2}
    wrong = [tensor.name for tensor in evidence.wrong_tensors if tensor.name in matrices]
    for name in wrong:
        yield _Logits(matrices[name], name, lambda d, name=name: {name: d.reshape(-1)})  # type: ignore[misc] # bound now
    inputs = {name: array for name, array in evidence.data.items() if array.ndim == 2 and array.dtype.kind == "f"}
    for of_weights, (of_input, x), turned in product(wrong, {**inputs, **matrices}.items(), (False, True)):
        weights = matrices[of_weights].T if turned else matrices[of_weights]
        # No product of large matrices where nothing could be its labels.
        labelled = any(_find_labels(evidence, (len(x), weights.shape[1])))
        if of_weights == of_input or x.shape[1] != weights.shape[0] or not labelled:
            continue
        biases: list[Tensor | None] = [t for t in whole if t.shape == weights.shape[1:]]
        for bias in [*biases, None]:
            yield _linear(evidence, (of_input, x), (of_weights, weights), bias, turned=turned)


def _linear(
    evidence: Evidence, inputs: tuple[str, Vector], weights: tuple[str, Vector], bias: Tensor | None, *, turned: bool
) -> _Logits:
    """Return the logits x W + b, or x Wᵀ + b."""
    (of_input, x), (of_weights, W) = inputs, weights

    def pull(d: Vector) -> dict[str, Vector]:
        of_product = x.T @ d
        found = {of_weights: (of_product.T if turned else of_product).reshape(-1)}
        if bias is not None:
            found[bias.name] = d.sum(axis=0)
        if of_input not in evidence.data:
            found[of_input] = (d @ W.T).reshape(-1)
        return found

    name = f"{of_input} {of_weights}{'ᵀ' if turned else ''}"
    z = x @ W if bias is None else x @ W + evidence.theta[bias.span]
    return _Logits(z, name if bias is None else f"{name} + {bias.name}", pull)
