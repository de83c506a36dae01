"""Operations on elements that are no formula of one argument: arithmetic, powers, comparisons and what they choose."""

from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import (
    Array,
    Balls,
    also_moving,
    as_array,
    constant,
    extreme_seconds,
    in_balls,
    join_moving,
    joined,
    moved,
)
from xcheck.certificates.decisions import NotProvedError, UnsureError
from xcheck.certificates.rules.registry import RULES, Known, Surroundings, elementwise, rule
from xcheck.trace.model import Operation

elementwise("neg", arithmetic.negate)


@rule("add", "sub", "mul")
def _arithmetic(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    function = {
        "add": arithmetic.add,
        "sub": arithmetic.subtract,
        "mul": arithmetic.multiply,
    }[operation.name]
    return function(a, b)


def _whole_power(x: Any, power: int) -> Any:
    """Return x^n by repeated squaring: python-flint gives nan where the ball holds 0, a square of a difference."""
    if power < 0:
        return 1 / _whole_power(x, -power)
    found = arb(1)
    for digit in f"{power:b}":
        found = found * found * (x if digit == "1" else 1)
    return found


@rule("integer_pow")
def _integer_power(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    """(x^n)' = n x^(n-1) x'."""
    power = operation.attributes["y"]
    base = in_balls(x.values)
    values = as_array(np.frompyfunc(lambda one: _whole_power(one, power), 1, 1)(base))

    def slope(one: Any) -> Any:
        return power * _whole_power(one, power - 1) if power else arb(0)

    def bend(one: Any) -> Any:
        return power * (power - 1) * _whole_power(one, power - 2) if power not in (0, 1) else arb(0)

    derivatives = [as_array(np.frompyfunc(function, 1, 1)(base)) for function in (slope, bend)]
    return arithmetic.chain(x, values, *derivatives[: 1 if x.seconds is None else 2])


def _power_of(x: Any, y: Any) -> Any:
    if y.is_integer():
        return _whole_power(x, int(y.unique_fmpz()))
    # FLINT gives nan for 0 to a power that is not an integer.
    return arb(0) if x == 0 and y > 0 else x**y


def _by_base(x: Any, y: Any) -> Any:
    if x == 0 and not y.is_integer():
        return arb.nan()  # on one side of 0 there is no power
    return arb(0) if y == 0 else y * _power_of(x, y - 1)


@rule("pow")
def _power(surroundings: Surroundings, operation: Operation, a: Balls, power: Known) -> Balls:
    """(x^y)' = y x^(y-1) x' + x^y log(x) y'."""
    b = power if isinstance(power, Balls) else Balls(in_balls(power))
    if b.slopes is None and all(one == 0.5 for one in in_balls(b.values).reshape(-1)):
        root: Balls = RULES["sqrt"](surroundings, operation, arithmetic.spread(a, b)[0])
        return root
    x, y = in_balls(a.values), in_balls(b.values)
    values = as_array(np.frompyfunc(_power_of, 2, 1)(x, y))
    by_base = arithmetic.chain(a, values, as_array(np.frompyfunc(_by_base, 2, 1)(x, y)))
    if b.slopes is None:
        return by_base
    by_power = arithmetic.chain(b, values, as_array(np.frompyfunc(lambda one, p: one.log() * p, 2, 1)(x, values)))
    slopes = by_power.slopes
    if by_base.slopes is not None and slopes is not None:
        slopes = tuple(as_array(one + other) for one, other in zip(by_base.slopes, slopes, strict=True))
    return Balls(values, slopes, join_moving(values.shape, a, b))


@rule("atan2")
def _angle(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    """atan2(y, x)' = (x y' - y x') / (x² + y²); along the negative x it jumps, by the sign of y, or of a zero."""
    y, x = in_balls(a.values), in_balls(b.values)
    for one, other in np.broadcast(y, x):
        if not (one > 0 or one < 0 or other > 0):
            raise UnsureError(f"{operation} meets the cut of the angle, where it jumps")
    values = as_array(np.frompyfunc(arb.atan2, 2, 1)(y, x))
    radius = Balls(as_array(x * x + y * y))
    turn = arithmetic.subtract(
        arithmetic.multiply(Balls(x), Balls(np.zeros(a.shape), a.slopes, a.moving)),
        arithmetic.multiply(Balls(y), Balls(np.zeros(b.shape), b.slopes, b.moving)),
    )
    return Balls(values, arithmetic.divide(turn, radius).slopes, join_moving(values.shape, a, b))


# --- comparisons ------------------------------------------------------------------------------------------------------

_HOLDS = {
    "lt": lambda sign: sign < 0,
    "le": lambda sign: sign <= 0,
    "gt": lambda sign: sign > 0,
    "ge": lambda sign: sign >= 0,
    "eq": lambda sign: sign == 0,
    "ne": lambda sign: sign != 0,
}


@rule(*_HOLDS)
def _compare(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Array:
    # x != x asks for nan; otherwise a number compared with itself is equal.
    if a is b:
        is_nan = _is_nan(surroundings, operation, a)
        return is_nan if operation.name == "ne" else ~is_nan & (operation.name in ("le", "ge", "eq"))
    return np.asarray(_HOLDS[operation.name](surroundings.decisions.signs(*arithmetic.spread(a, b))))


@rule("total_lt", "total_le")
def _compare_in_total_order(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Array:
    """As `lt` and `le`, but that -0 is before 0: the sign of a zero is not kept in balls."""
    zeros = [_tested(lambda x: x == 0, in_balls(one.values)) for one in arithmetic.spread(a, b)]
    if np.logical_and(*zeros).any():
        raise NotProvedError(f"{operation} compares zeros by their signs")
    found: Array = _compare(surroundings, replace(operation, name=operation.name.removeprefix("total_")), a, b)
    return found


def _tested(test: Any, array: Array) -> Array:
    return np.asarray(np.frompyfunc(test, 1, 1)(array), bool)


def _infinite(surroundings: Surroundings, operation: Operation, a: Balls) -> Array:
    """Return where numbers are infinite, and stay so; a ball that is neither finite nor that may be anything."""
    infinite = _tested(lambda x: x == arb.pos_inf() or x == arb.neg_inf(), in_balls(a.values))
    unknown = ~infinite & ~_tested(arb.is_finite, in_balls(a.values))
    if unknown.any():
        raise UnsureError(f"{operation} asks for what may be nan")
    if infinite.any():
        alone = moved(lambda x: x[infinite], a)
        surroundings.decisions.signs(alone, Balls(alone.values))
    return infinite


@rule("is_finite")
def _is_finite(surroundings: Surroundings, operation: Operation, a: Balls) -> Array:
    return np.isfinite(a.values) if a.values.dtype != object else ~_infinite(surroundings, operation, a)


@rule("is_nan")
def _is_nan(surroundings: Surroundings, operation: Operation, a: Balls) -> Array:
    if a.values.dtype == object:
        _infinite(surroundings, operation, a)
        return np.zeros(a.shape, bool)
    return np.isnan(a.values)


def choose(which: Array, *cases: Balls) -> Balls:
    """Return case number `which`, element by element."""
    number = np.broadcast_to(np.asarray(which).astype(int), cases[0].shape)
    return moved(lambda *parts: np.choose(number, parts), *cases)


@rule("select")
def _select(surroundings: Surroundings, operation: Operation, which: Array, *cases: Known) -> Known:
    balls = [case for case in cases if isinstance(case, Balls)]
    if balls:
        return choose(which, *balls)
    return np.choose(np.broadcast_to(np.asarray(which).astype(int), cases[0].shape), [*map(np.asarray, cases)])


@rule("max", "min")
def _extreme(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    a, b = arithmetic.spread(a, b)
    signs, undecided = surroundings.decisions.choices(a, b)
    largest = operation.name == "max"
    found = choose(signs < 0 if largest else signs > 0, a, b)
    found = also_moving(found, (signs == 0) & (a.where_moving() | b.where_moving()))
    return joined(extreme_seconds(found, b, (signs == 0) & ~undecided, largest=largest), b, undecided)


@rule("abs")
def _absolute(surroundings: Surroundings, operation: Operation, a: Balls) -> Balls:
    negated = arithmetic.negate(a)
    signs, undecided = surroundings.decisions.choices(a, _zero(a))
    found = extreme_seconds(choose(signs < 0, a, negated), negated, (signs == 0) & ~undecided, largest=True)
    return joined(found, negated, undecided)


def _zero(a: Balls) -> Balls:
    return constant(np.zeros(a.shape))


@rule("sign")
def _sign(surroundings: Surroundings, operation: Operation, a: Balls) -> Balls:
    return constant(surroundings.decisions.signs(a, _zero(a)).astype(np.float64))


@rule("floor", "ceil", "round", "trunc")
def _to_integer(surroundings: Surroundings, operation: Operation, a: Balls) -> Balls:
    """The integer, constant between two jumps; at a jump the side decides, and whether the loss jumps."""
    # Half a step away for `round`, whose ties go to the even neighbour.
    shifted = arithmetic.add(a, constant(np.full(a.shape, 0.5))) if operation.name == "round" else a
    lower = as_array(np.frompyfunc(_floor, 1, 1)(in_balls(shifted.values)))
    signs = surroundings.decisions.signs(shifted, Balls(lower))
    lower = np.where(signs < 0, lower - 1, lower)
    if operation.name == "round":
        odd = np.asarray(np.frompyfunc(lambda x: _integer(x) % 2 == 1, 1, 1)(lower), bool)
        return Balls(np.where((signs == 0) & odd, lower - 1, lower))
    if operation.name == "floor":
        return Balls(lower)
    upper = np.where(signs == 0, lower, lower + 1)
    return Balls(upper if operation.name == "ceil" else np.where(_tested(lambda x: x >= 0, lower), lower, upper))


def _floor(x: Any) -> Any:
    if not x.is_finite():
        raise UnsureError("a number that may not be finite is rounded to an integer")
    found = x.floor().unique_fmpz()
    if found is None:
        raise UnsureError("which integer a number is rounded to is not certain")
    return arb(found)


def _integer(x: Any) -> int:
    return int(x.unique_fmpz())


@rule("floor_divide", "remainder", "fmod")
def _divide_with_rest(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    """The quotient as an integer, or what is left: x - q y, of the sign of y, and of that of x for `fmod`."""
    to_integer = "trunc" if operation.name == "fmod" else "floor"
    whole: Balls = _to_integer(surroundings, replace(operation, name=to_integer), arithmetic.divide(a, b))
    if operation.name == "floor_divide":
        return whole
    return arithmetic.subtract(a, arithmetic.multiply(whole, b))


@rule("cast")
def _cast(surroundings: Surroundings, operation: Operation, a: Balls) -> Balls:
    """The number itself: what rounding to fewer digits does is no part of the function in real arithmetic."""
    surroundings.remarks[f"{operation} rounds; the derivative is that of the function without that rounding"] = None
    return a


@rule("stop_gradient")
def _identity(surroundings: Surroundings, operation: Operation, a: Known) -> Known:
    return a


@rule("to_integer")
def _cut_off(surroundings: Surroundings, operation: Operation, a: Balls) -> Array:
    """Towards 0, as a cast to integers does."""
    cut: Balls = _to_integer(surroundings, replace(operation, name="trunc"), a)
    integers, limits = [_integer(x) for x in cut.values.reshape(-1)], np.iinfo(operation.outputs[0].dtype)
    if any(not limits.min <= one <= limits.max for one in integers):
        raise NotProvedError(f"{operation} casts a number to an integer that has no place for it")
    return np.array(integers, operation.outputs[0].dtype).reshape(a.shape)


@rule("is_nonzero")
def _is_nonzero(surroundings: Surroundings, operation: Operation, a: Balls) -> Array:
    return np.asarray(surroundings.decisions.signs(a, _zero(a)) != 0)


@rule("clamp")
def _clamp(surroundings: Surroundings, operation: Operation, low: Balls, x: Balls, high: Balls) -> Balls:
    """min(max(x, low), high), with bounds that may be single numbers."""
    low, x, high = arithmetic.spread(low, x, high)
    raised: Balls = _extreme(surroundings, replace(operation, name="max"), x, low)
    found: Balls = _extreme(surroundings, replace(operation, name="min"), raised, high)
    return found
