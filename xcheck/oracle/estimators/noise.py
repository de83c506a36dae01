"""The noise σ of J, measured from tables of differences instead of assumed to be u |J|.

The k-th differences of a smooth function sampled closely are tiny, so what remains in them is noise. With noise of
standard deviation σ, E[(Δᵏ f)²] = σ² (2k)!/(k!)².

Source: Moré & Wild, "Estimating Computational Noise", SIAM J. Sci. Comput. 33 (2011), equation (2.5).
"""

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Layout, Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Engine
from xcheck.oracle.engines.function import FunctionEngine

# Eight samples give five differences of order 3: enough for a mean of squares, and few beside what a gradient takes.
POINTS = 8
# A guess: of a tenth that are noisy, twelve miss all with probability 0.28, and c σ/h has a margin of eight.
COMPONENTS = 12
# Low orders still hold what is smooth, high ones amplify what is not noise; Moré and Wild find these to agree.
ORDERS = (3, 4, 5)
# Samples are this fraction of the natural step apart: third differences of J vanish (1e-21 of it), roundings differ.
SPACING = 2.0**-14
# The roundings of a quantized J are not alike from tread to tread: the multiple of σ is a guess.
UNEVEN = 3.0


def noise_level(values: Vector, orders: Sequence[int] = ORDERS) -> Vector:
    """Return the standard deviation of the noise in rows of closely spaced samples, shape (..., POINTS) -> (...).

    >>> rng = np.random.default_rng(0)
    >>> smooth = np.sin(np.linspace(0, 1e-6, POINTS)) + 1e-12 * rng.standard_normal((1000, POINTS))
    >>> round(float(np.sqrt(np.mean(noise_level(smooth) ** 2))), 13)
    1e-12
    """
    # In units of their size: squares of what is very large or small are not finite.
    size = np.abs(values).max(axis=-1, keepdims=True)
    unit = values / np.where(size > 0, size, 1.0)
    squares = [np.mean(np.diff(unit, order, axis=-1) ** 2, axis=-1) / comb(2 * order, order) for order in orders]
    return np.asarray(size[..., 0] * np.sqrt(np.mean(squares, axis=0)), dtype=np.float64)


def sampled_differences(layout: Layout, components: int = COMPONENTS) -> int:
    """Return how many differences `measure_loss_noise` takes."""
    return POINTS * sum(min(components, tensor.size) for tensor in layout)


def measure_loss_noise(engine: Engine, steps: Vector, rng: np.random.Generator, components: int = COMPONENTS) -> Vector:
    """Measure the noise σ of J per component of θ, one value for each tensor, shape (n,).

    J is sampled along a few components of each tensor, as far from θ as the longest step leads (a loss that is zero at
    θ has no noise there); the largest noise counts. Samples that are equal to the last bit show no noise: the
    estimators add the least that rounding can do.
    """
    sigma = np.zeros(engine.layout.size)
    for tensor in engine.layout:
        count = min(components, tensor.size)
        chosen = tensor.offset + np.sort(rng.choice(tensor.size, count, replace=False))
        multiples = np.tile(np.arange(1.0, POINTS + 1), count)
        indices = np.repeat(chosen, POINTS)
        # Four steps from θ is as far as h, 2h and 4h lead.
        plus = (4 + multiples * SPACING) * steps[indices]
        spans = engine.spans(indices, engine.attainable(indices, plus), np.zeros_like(plus))
        values = spans.lower.reshape(count, POINTS)
        with np.errstate(all="ignore"):
            sigma[tensor.span] = np.fmax.reduce(noise_level(values), initial=0.0)
    return sigma


# Components that the noise of an arbitrary function is measured along: a guess, so that dozens of tensors have two each
# and noise costs a few thousand losses at most.
_MOST = 96
# A millionth of J is a guess: the noise of float64 is 10 decades below it, that of float32 one.
_SCATTER = 2.0**-20
# The roundings of float32 are 2⁻²⁴ of what is rounded, which may be a five-hundredth of J.
_QUANTIZED = 2.0**-33
# What is less than that is no rounding of float32, but the end of a feature beyond which J is constant.
_TREAD = 2.0**-36
# A rounding of bfloat16 is 2⁻⁸ of what is rounded: a step of a sixteenth of J is none. A guess.
_JUMP = 2.0**-4
# Differences of samples 32 times further apart are so many times larger at most where they are roundings: of a smooth J
# those of third order are 32³ times larger. A guess between the two.
_ALIKE = 8.0
# Samples of a staircase must lie on different treads: those of float32 are 2⁻²³ wide, those of bfloat16 2⁻⁷, in
# units of what is rounded. From close to far, until they do.
_COARSE = (2.0**-19, 2.0**-14, 2.0**-9)


# Natural steps are short numbers, and roundings repeat themselves every 2ᵐ: samples a simple fraction of it apart meet
# the same ones again. Multiples of √5 stay far from whole numbers, and of the thousandths that people round to: of 64
# stairs of thousandths 2/√5 misses none, 0.97 misses 14.
_ODD = 2 / 5.0**0.5


def measure_noise_nearby(engine: FunctionEngine, rng: np.random.Generator, few: int = 3) -> tuple[Vector, Vector]:
    """Measure two noises of an arbitrary J, shapes (n,): of close samples, and of samples far enough apart for float32.

    The scale of J is not known. Samples lie next to θ, and next to θ plus the first step: a loss that is zero at θ has
    no noise there. If samples differ by more than a millionth of J, the differences are not noise, and samples are
    taken closer together.

    Args:
        engine: evaluates the losses.
        rng: draws the components.
        few: how many of each tensor.
    """
    tensors = [tensor for tensor in engine.layout if tensor.size]
    few = max(1, min(few, _MOST // max(1, len(tensors))))
    chosen = [
        tensor.offset + np.sort(rng.choice(tensor.size, min(few, tensor.size), replace=False)) for tensor in tensors
    ]
    everything = np.concatenate([*chosen, np.zeros(0, dtype=np.intp)])
    found = measure_noise_along(engine, everything)
    near, coarse = np.zeros(engine.layout.size), np.zeros(engine.layout.size)
    for tensor, own in zip(tensors, chosen, strict=True):
        rows = np.isin(everything, own)
        near[tensor.span], coarse[tensor.span] = (each[rows].max() for each in found)
    return near, coarse


def measure_noise_along(
    engine: FunctionEngine, chosen: Indices, natural: Vector | None = None
) -> tuple[Vector, Vector]:
    """Measure the two noises along some components, each by itself, shapes (c,).

    Args:
        engine: evaluates the losses.
        chosen: components, shape (c,).
        natural: over which distances J bends there, shape (c,); by default the engine's scale.
    """
    # A loss that is zero at θ has no noise there, and all of it where the step leads.
    far = engine.first_step * _ODD * (engine.scale[chosen] if natural is None else natural)
    found = [_noises_at(engine, chosen, offset, far) for offset in (np.zeros_like(far), far)]
    return np.max([near for near, _ in found], axis=0), np.max([coarse for _, coarse in found], axis=0)


# The closest samples, in units of the shortest step: 38 roundings of θᵢ apart.
_CLOSEST = 0.6
# Roundings of ωθ may repeat themselves from sample to sample. They do not at three distances: of 3,000 sines of
# frequency 1e6 to 1e9 the noise is taken for less than an eighth in one at most, and in 2.6 % at one distance alone;
# tests/oracle/estimators/test_noise.py. No power of two is between these.
_LESS_CLOSE = (2.3, 5.3)
# Samples at two distances, in units of the step: rounding that repeats itself over either shows at the other.
_ON_GRID = (2.0**-6, 2.0**-2)


@np.errstate(all="ignore")
def measure_noise_on_grid(engine: Engine, chosen: Indices, step: Vector) -> Vector:
    """Measure the noise along some components on a grid on which θ plus a step is not rounded, shape (c,).

    Distances that are not quite the same look like a noise of u |θᵢ ∂ᵢJ|. A loss may have it, where it rounds θᵢ times
    something; where it does not, as next to a barrier b − θᵢ, differences are that much better than they seem.

    Args:
        engine: evaluates the losses.
        chosen: components, shape (c,).
        step: within which J is smooth, shape (c,).
    """
    found = []
    for share in _ON_GRID:
        spacing = np.exp2(np.round(np.log2(share * step)))
        values, _ = _samples(engine, chosen, np.zeros(len(chosen)), spacing)
        # The fifth differences alone: lower ones still hold what is smooth, at a quarter of the step. They are three
        # numbers, whose mean square is a quarter of σ² once in a dozen times: hence twice that.
        found.append(2 * noise_level(values, ORDERS[-1:]))
    return np.max(found, axis=0)


@np.errstate(all="ignore")  # where J is not finite there is no noise to be measured
def _noises_at(engine: FunctionEngine, chosen: Indices, offset: Vector, step: Vector) -> tuple[Vector, Vector]:
    """Measure two noises of J at `offset` from θ along each component, shapes (c,); 0 where J is not finite."""
    # Close beside the first step, and yet 2¹⁵ roundings of θ apart in float64.
    natural = step / engine.first_step
    spacing = natural * (2.0**-38 if engine.roundoff < 2.0**-40 else 32 * engine.roundoff)
    values, scattered = _samples(engine, chosen, offset, spacing)
    coarse = _hidden_noise(engine, chosen, offset, natural, values)
    for _ in range(4):
        if not scattered.any():
            break
        # Values that still differ so much are smooth and steep: ten bits closer, four times, reaches θ's roundings.
        # Closer than θ's roundings samples are all the same, and a steep loss would seem to have no noise at all.
        spacing = np.where(scattered, np.maximum(spacing / 1024, _CLOSEST * engine.shortest[chosen]), spacing)
        again = np.flatnonzero(scattered)
        values[again], scattered[again] = _samples(engine, chosen[again], offset[again], spacing[again])
    closest = _CLOSEST * engine.shortest[chosen]
    near, steep = noise_level(values), np.flatnonzero(spacing <= closest)
    near[steep] = _noise_of_steep(engine, chosen[steep], offset[steep])
    # Values that still differ: next to θ plus a step they show a jump of J; next to θ they count as noise.
    near = np.where(scattered & (offset != 0), 0.0, near)
    return np.nan_to_num(near, posinf=0.0), coarse


def _noise_of_steep(engine: FunctionEngine, chosen: Indices, offset: Vector) -> Vector:
    """Measure the noise of a J that is so steep that samples must be as close as roundings of θ allow, shape (c,).

    Steps are rounded there, and J moves by as much: of this J knows nothing, and the quotients are taken over the steps
    that θ really moved by. So samples are compared as they would be on even places. Where J itself rounds θ times
    something, that is in the samples, too.
    """
    found = []
    for distance in (_CLOSEST, *_LESS_CLOSE):
        spacing = distance * engine.shortest[chosen]
        values, _ = _samples(engine, chosen, offset, spacing)
        even = _offsets(offset, spacing)
        taken = engine.attainable(np.repeat(chosen, POINTS), even.ravel()).reshape(even.shape)
        # The highest differences alone, where lower ones still hold what is smooth.
        orders = ORDERS if distance == _CLOSEST else ORDERS[-1:]
        found.append(noise_level(values - np.nan_to_num(_slopes_at(taken, values)) * (taken - even), orders))
    return np.max(found, axis=0)


def _slopes_at(places: Vector, values: Vector) -> Vector:
    """Return the slopes at samples, shape (c, POINTS): means of those to both sides, continued to the ends."""
    between = np.diff(values, axis=1) / np.diff(places, axis=1)
    bend = np.diff(between, axis=1)[:, [0, -1]] / 2
    inside = (between[:, 1:] + between[:, :-1]) / 2
    return np.concatenate([between[:, :1] - bend[:, :1], inside, between[:, -1:] + bend[:, 1:]], axis=1)


def _offsets(offset: Vector, spacing: Vector) -> Vector:
    """Return how far samples are from θ, shape (c, POINTS)."""
    return np.asarray(offset[:, None] + spacing[:, None] * np.arange(1.0, POINTS + 1))


@np.errstate(all="ignore")
def _hidden_noise(engine: Engine, chosen: Indices, offset: Vector, natural: Vector, close: Vector) -> Vector:
    """Measure the noise with samples so far apart that numbers of float32, or bfloat16, differ.

    A J that is computed in float32 in part is a staircase there: close samples all lie on one tread. Between samples
    that far apart J bends; its fifth differences hardly do, so the smallest of the orders is taken. Samples that still
    lie on one tread are taken further apart.
    """
    quantized = _is_quantized(close)
    noise, before = np.zeros(len(chosen)), np.full(len(chosen), np.inf)
    pending = np.arange(len(chosen))
    for spacing in _COARSE:
        if not len(pending):
            break
        values, scattered = _samples(engine, chosen[pending], offset[pending], spacing * natural[pending])
        orders = np.min([noise_level(values, (order,)) for order in ORDERS], axis=0)
        # A kink, or the end of a flat part, changes two of the second differences, a staircase most of them.
        levels = np.minimum(orders, _without_kinks(values))
        # Where J changes between close samples, only noise as large as that of float32 counts: kinks of many examples
        # look like noise, but are smaller.
        size = np.maximum(np.abs(float(engine.losses[0])), np.abs(values).max(axis=1))
        counts = ~scattered & (levels > _QUANTIZED * size) & ~_is_smooth(values)
        # A J that is constant but for one step larger than any rounding of it jumps there: that is no noise at θ.
        treads = quantized[pending] & ~_jumps(values) & (levels > _TREAD * size)
        # The differences of a smooth J grow with the distance of the samples, and those of its roundings do not.
        alike = orders <= _ALIKE * before[pending]
        noise[pending] = np.where((counts | treads) & alike, np.nan_to_num(levels, posinf=0.0), 0.0)
        # A step from sample to sample may be a whole number of treads: no noise shows then, though J moves each time,
        # as it does not beside the end of a flat part. Samples further apart must show twice that J is not smooth.
        hidden = (noise[pending] == 0) & (np.diff(values, axis=1) != 0).all(axis=1)
        before[pending] = np.where(hidden, orders, np.inf)
        pending = pending[(_is_quantized(values) | hidden) & quantized[pending]]
    return noise


def _is_smooth(values: Vector) -> NDArray[np.bool_]:
    """Return where samples, shape (c, POINTS), are those of a smooth J, such as the tail of a pole.

    Then its differences of order 4 have one sign, and those of order 5: those of white noise do once in ten thousand.
    """
    found = np.ones(len(values), dtype=bool)
    for order in ORDERS[1:]:
        sign = np.sign(np.diff(values, order, axis=1))
        found &= np.abs(sign.sum(axis=1)) == sign.shape[1]
    return found


def _without_kinks(values: Vector) -> Vector:
    """Return the noise of samples, shape (c, POINTS), by the median of second differences: a kink changes only two."""
    return np.asarray(2 * np.median(np.abs(np.diff(values, 2, axis=1)), axis=1) / np.sqrt(comb(4, 2)))


def _jumps(values: Vector) -> NDArray[np.bool_]:
    """Return where samples, shape (c, POINTS), differ once, by more than a rounding of any dtype could be."""
    steps = np.sort(np.abs(np.diff(values, axis=1)), axis=1)
    alone = steps[:, -2] <= _SCATTER * steps[:, -1]
    return np.asarray(alone & (steps[:, -1] > _JUMP * np.abs(values).max(axis=1)))


def _is_quantized(values: Vector) -> NDArray[np.bool_]:
    """Return where samples, shape (c, POINTS), are nearly all the same to the last bit."""
    return np.asarray((np.diff(values, axis=1) == 0).sum(axis=1) >= POINTS - 3)


@np.errstate(all="ignore")
def _samples(engine: Engine, chosen: Indices, offset: Vector, spacing: Vector) -> tuple[Vector, NDArray[np.bool_]]:
    """Return samples along each component, shape (c, POINTS), and which differ by too much to be noise."""
    indices = np.repeat(chosen, POINTS)
    plus = _offsets(offset, spacing).ravel()
    spans = engine.spans(indices, engine.attainable(indices, plus), np.zeros_like(plus))
    values, level = spans.lower.reshape(-1, POINTS), spans.level.reshape(-1, POINTS)
    return values, np.ptp(values, axis=1) > _SCATTER * level.max(axis=1)
