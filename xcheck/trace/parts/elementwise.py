"""Operations on elements of complex arrays, by their real and imaginary parts.

Formulas are those of NIST's Digital Library of Mathematical Functions, chapter 4 (https://dlmf.nist.gov/4), with z =
a + i b. What has a cut there goes through the angle of a complex number, whose rule proves nothing on the cut; away
from it every formula is smooth, so that no kink is met that the function does not have. The modulus has a kink at 0,
and so has every root of it.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from xcheck.trace.model import Constant, Operation, Source
from xcheck.trace.parts.writer import Parts, Writer, number

_OfParts: TypeAlias = Callable[[Writer, Parts], Parts]


# --- arithmetic -------------------------------------------------------------------------------------------------------


def add(w: Writer, z: Parts, y: Parts) -> Parts:
    """Part by part."""
    return Parts(w.apply("add", z.re, y.re), w.apply("add", z.im, y.im))


def subtract(w: Writer, z: Parts, y: Parts) -> Parts:
    """Part by part."""
    return Parts(w.apply("sub", z.re, y.re), w.apply("sub", z.im, y.im))


def negate(w: Writer, z: Parts) -> Parts:
    """Part by part."""
    return Parts(w.apply("neg", z.re), w.apply("neg", z.im))


def conjugate(w: Writer, z: Parts) -> Parts:
    """a - i b."""
    return Parts(z.re, w.apply("neg", z.im))


def multiply(w: Writer, z: Parts, y: Parts) -> Parts:
    """(a + i b) (c + i d) = (a c - b d) + i (a d + b c)."""
    re = w.apply("sub", w.apply("mul", z.re, y.re), w.apply("mul", z.im, y.im))
    return Parts(re, w.apply("add", w.apply("mul", z.re, y.im), w.apply("mul", z.im, y.re)))


def scale(w: Writer, z: Parts, factor: Source | float) -> Parts:
    """A real multiple."""
    return Parts(w.apply("mul", z.re, factor), w.apply("mul", z.im, factor))


def divide(w: Writer, z: Parts, y: Parts) -> Parts:
    """Return z ȳ / |y|²."""
    above, below = multiply(w, z, conjugate(w, y)), _squared(w, y)
    return Parts(w.apply("div", above.re, below), w.apply("div", above.im, below))


def reciprocal(w: Writer, z: Parts) -> Parts:
    """Return z̄ / |z|²."""
    below = _squared(w, z)
    return Parts(w.apply("div", z.re, below), w.apply("neg", w.apply("div", z.im, below)))


def whole_power(w: Writer, z: Parts, power: int) -> Parts:
    """By repeated squaring, which has no cut."""
    if power < 0:
        return reciprocal(w, whole_power(w, z, -power))
    found = one(z)
    for digit in f"{power:b}" if power else "":
        found = multiply(w, found, found)
        found = multiply(w, found, z) if digit == "1" else found
    return found


def _squared(w: Writer, z: Parts) -> Source:
    return w.apply("add", w.power(z.re, 2), w.power(z.im, 2))


def modulus(w: Writer, z: Parts) -> Source:
    """The hypotenuse of both parts."""
    return w.apply("hypot", z.re, z.im)


def angle(w: Writer, z: Parts) -> Source:
    """atan2(b, a)."""
    return w.apply("atan2", z.im, z.re)


def one(z: Parts) -> Parts:
    """Return 1 in the shape of z."""
    return Parts(number(1.0, z.re), number(0.0, z.re))


def _times_i(w: Writer, z: Parts) -> Parts:
    return Parts(w.apply("neg", z.im), z.re)


def _sign(w: Writer, z: Parts) -> Parts:
    """z / |z|, and 0 of 0."""
    size = modulus(w, z)
    divisor = w.select(w.compare("ne", size, number(0.0, size)), number(1.0, size), size)
    return Parts(w.apply("div", z.re, divisor), w.apply("div", z.im, divisor))


# --- exponentials and what belongs to them ----------------------------------------------------------------------------


def _polar(w: Writer, size: Source, at: Source) -> Parts:
    """Return size e^(i angle)."""
    return Parts(w.apply("mul", size, w.apply("cos", at)), w.apply("mul", size, w.apply("sin", at)))


def exp(w: Writer, z: Parts) -> Parts:
    """e^a (cos b + i sin b)."""
    return _polar(w, w.apply("exp", z.re), z.im)


def log(w: Writer, z: Parts) -> Parts:
    """log|z| + i arg z."""
    return Parts(w.apply("log", modulus(w, z)), angle(w, z))


def root(w: Writer, z: Parts) -> Parts:
    """√|z| e^(i arg z / 2)."""
    return _polar(w, w.apply("sqrt", modulus(w, z)), w.apply("div", angle(w, z), 2.0))


def _expm1(w: Writer, z: Parts) -> Parts:
    """Its real part is (e^a - 1) cos b - 2 sin²(b/2)."""
    half = w.power(w.apply("sin", w.apply("div", z.im, 2.0)), 2)
    re = w.apply("sub", w.apply("mul", w.apply("expm1", z.re), w.apply("cos", z.im)), w.apply("mul", half, 2.0))
    return Parts(re, w.apply("mul", w.apply("exp", z.re), w.apply("sin", z.im)))


def _log1p(w: Writer, z: Parts) -> Parts:
    """log(1 + a (2 + a) + b²) / 2 + i arg(1 + z)."""
    beside = w.apply("add", w.apply("mul", z.re, w.apply("add", z.re, 2.0)), w.power(z.im, 2))
    return Parts(w.apply("div", w.apply("log1p", beside), 2.0), w.apply("atan2", z.im, w.apply("add", z.re, 1.0)))


def _power(w: Writer, z: Parts, exponent: Parts) -> Parts:
    """e^(y log z); a constant whole number needs no logarithm."""
    y, rest = exponent
    if isinstance(y, Constant) and isinstance(rest, Constant) and not rest.array.any() and y.array.size:
        power = float(y.array.flat[0])
        if power.is_integer() and (y.array == power).all():
            return whole_power(w, z, int(power))
    return exp(w, multiply(w, exponent, log(w, z)))


def _logistic(w: Writer, z: Parts) -> Parts:
    """1 / (1 + e^-z)."""
    return reciprocal(w, add(w, one(z), exp(w, negate(w, z))))


# --- trigonometric and hyperbolic functions ---------------------------------------------------------------------------


def _sinh(w: Writer, z: Parts) -> Parts:
    """Return sinh a cos b + i cosh a sin b."""
    re = w.apply("mul", w.apply("sinh", z.re), w.apply("cos", z.im))
    return Parts(re, w.apply("mul", w.apply("cosh", z.re), w.apply("sin", z.im)))


def _cosh(w: Writer, z: Parts) -> Parts:
    """Return cosh a cos b + i sinh a sin b."""
    re = w.apply("mul", w.apply("cosh", z.re), w.apply("cos", z.im))
    return Parts(re, w.apply("mul", w.apply("sinh", z.re), w.apply("sin", z.im)))


def _tanh(w: Writer, z: Parts) -> Parts:
    """(sinh 2a + i sin 2b) / (cosh 2a + cos 2b)."""
    a, b = w.apply("mul", z.re, 2.0), w.apply("mul", z.im, 2.0)
    below = w.apply("add", w.apply("cosh", a), w.apply("cos", b))
    return Parts(w.apply("div", w.apply("sinh", a), below), w.apply("div", w.apply("sin", b), below))


def _asinh(w: Writer, z: Parts) -> Parts:
    """log(z + √(z² + 1))."""
    return log(w, add(w, z, root(w, add(w, multiply(w, z, z), one(z)))))


def _acosh(w: Writer, z: Parts) -> Parts:
    """log(z + √(z + 1) √(z - 1))."""
    roots = multiply(w, root(w, add(w, z, one(z))), root(w, subtract(w, z, one(z))))
    return log(w, add(w, z, roots))


def _atanh(w: Writer, z: Parts) -> Parts:
    """(log(1 + z) - log(1 - z)) / 2."""
    return scale(w, subtract(w, _log1p(w, z), _log1p(w, negate(w, z))), 0.5)


def _acos(w: Writer, z: Parts) -> Parts:
    """-i log(z + i √(1 - z²))."""
    inside = add(w, z, _times_i(w, root(w, subtract(w, one(z), multiply(w, z, z)))))
    found = log(w, inside)
    return Parts(found.im, w.apply("neg", found.re))


def _turned(function: _OfParts) -> _OfParts:
    """Return f(i z) / i: of sinh the sine, of tanh the tangent, and so on."""

    def apply(w: Writer, z: Parts) -> Parts:
        found = function(w, _times_i(w, z))
        return Parts(found.im, w.apply("neg", found.re))

    return apply


def _cos(w: Writer, z: Parts) -> Parts:
    """Return cosh(i z)."""
    return _cosh(w, _times_i(w, z))


# Of one complex array, one of its shape.
OF_ONE: Mapping[str, _OfParts] = {
    "neg": negate,
    "conj": conjugate,
    "square": lambda w, z: multiply(w, z, z),
    "reciprocal": reciprocal,
    "sign": _sign,
    "exp": exp,
    "log": log,
    "sqrt": root,
    "rsqrt": lambda w, z: reciprocal(w, root(w, z)),
    "expm1": _expm1,
    "log1p": _log1p,
    "logistic": _logistic,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "sin": _turned(_sinh),
    "cos": _cos,
    "tan": _turned(_tanh),
    "asinh": _asinh,
    "acosh": _acosh,
    "atanh": _atanh,
    "asin": _turned(_asinh),
    "acos": _acos,
    "atan": _turned(_atanh),
}
OF_TWO: Mapping[str, Callable[[Writer, Parts, Parts], Parts]] = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "div": divide,
    "pow": _power,
}
# Of one complex array, a real one.
TO_REAL: Mapping[str, Callable[[Writer, Parts], Source]] = {
    "real": lambda w, z: z.re,
    "imag": lambda w, z: z.im,
    "abs": modulus,
    "angle": angle,
}


def compare(w: Writer, operation: Operation, z: Parts, y: Parts) -> Source:
    """Equal in both parts; not equal in one."""
    combine = np.logical_and if operation.name == "eq" else np.logical_or
    return w.both(combine, w.compare(operation.name, z.re, y.re), w.compare(operation.name, z.im, y.im))


def is_nonzero(w: Writer, z: Parts) -> Source:
    """Whether one of the parts is another number than 0."""
    return w.both(np.logical_or, *(w.compare("ne", part, number(0.0, part)) for part in z))
