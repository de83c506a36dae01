"""Special functions, element by element: FLINT's values, and derivatives with respect to every argument that has one.

Numbers in brackets are equations of the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov. Names
are SciPy's (`scipy.special`), but for those that JAX alone has: `bessel_i0e`, `bessel_i1e`, `igamma`, `igammac` and
`regularized_incomplete_beta`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from flint import acb, arb, arb_series

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Balls, as_array, in_balls, join_moving
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.rules.functions import of_one, where_moving
from xcheck.certificates.rules.registry import RULES, Known, Surroundings, elementwise, rule
from xcheck.trace.model import Operation

Partial = Callable[..., Any]


def _balls(one: Known) -> Balls:
    """Return an argument as balls; orders are given as integers, too."""
    return one if isinstance(one, Balls) else Balls(in_balls(np.asarray(one)))


def of_several(function: Partial, *partials: Partial) -> Callable[..., Balls]:
    """Return f of balls: f(x, y, ...)' = Σ ∂f/∂x x'.

    Args:
        function: numbers -> the value.
        partials: one for each argument: numbers -> the derivative by it, called where that argument moves.
    """

    def apply(surroundings: Surroundings, operation: Operation, *arguments: Known) -> Balls:
        given = arithmetic.spread(*map(_balls, arguments))
        numbers = [in_balls(one.values) for one in given]
        values = as_array(np.frompyfunc(function, len(given), 1)(*numbers))
        parts = []
        for one, partial in zip(given, partials, strict=True):
            if one.slopes is not None:
                parts.append(arithmetic.chain(one, values, where_moving(partial, one, *numbers)))
        if not parts:
            return Balls(values)
        total = parts[0]
        for part in parts[1:]:
            total = arithmetic.add(total, part)
        return Balls(values, total.slopes, join_moving(values.shape, *given))

    return apply


# --- Bessel functions ------------------------------------------------------------------------------------------------


def _d_i1(x: Any, y: Any) -> Any:
    """I1' = (I0 + I2) / 2 (10.29.1)."""
    return (x.bessel_i(0) + x.bessel_i(2)) / 2


elementwise("i0", of_one(lambda x: x.bessel_i(0), lambda x, y: x.bessel_i(1)))  # I0' = I1 (10.29.3)
elementwise("i1", of_one(lambda x: x.bessel_i(1), _d_i1))


@rule("bessel_i0e", "bessel_i1e")
def _scaled_bessel(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    """exp(-|x|) I(x): |x| has a kink at 0, which another factor exp(|x|) cancels."""
    size = RULES["abs"](surroundings, replace(operation, name="abs"), x)
    scale = RULES["exp"](surroundings, operation, arithmetic.negate(size))
    plain = RULES["i0" if operation.name == "bessel_i0e" else "i1"](surroundings, operation, x)
    return arithmetic.multiply(scale, plain)


# --- the normal distribution -----------------------------------------------------------------------------------------


def _ndtr(x: Any) -> Any:
    """Φ(x) = erfc(-x / √2) / 2 (7.2.2), which does not cancel in the lower tail."""
    return (-x / arb(2).sqrt()).erfc() / 2


def _density(x: Any) -> Any:
    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


def _ndtri(p: Any) -> Any:
    """The inverse of Φ: -√2 erfcinv(2 p)."""
    return -(arb(2).sqrt()) * (2 * p).erfcinv()


def _erfcx(x: Any) -> Any:
    return (x * x).exp() * x.erfc()


elementwise("ndtr", of_one(_ndtr, lambda x, y: _density(x)))
elementwise("log_ndtr", of_one(lambda x: _ndtr(x).log(), lambda x, y: _density(x) / _ndtr(x)))
elementwise("ndtri", of_one(_ndtri, lambda x, y: 1 / _density(y)))
# erfcx' = 2 x erfcx - 2/√π (7.2.2, by the rule for products).
elementwise("erfcx", of_one(_erfcx, lambda x, y: 2 * x * y - 2 / arb.pi().sqrt()))


# --- gamma and zeta functions ----------------------------------------------------------------------------------------


def _incomplete(a: Any, x: Any) -> bool:
    """Whether the incomplete gamma functions are defined, for certain: they have no real values for x < 0."""
    return bool(a > 0 and x >= 0)


def _lower_gamma(a: Any, x: Any) -> Any:
    return x.gamma_lower(a, regularized=1) if _incomplete(a, x) else arb.nan()


def _upper_gamma(a: Any, x: Any) -> Any:
    return x.gamma_upper(a, regularized=1) if _incomplete(a, x) else arb.nan()


def _lower_gamma_by_x(a: Any, x: Any) -> Any:
    """∂P/∂x = x^(a-1) exp(-x) / Γ(a) (8.8.13)."""
    return ((a - 1) * x.log() - x).exp() * a.rgamma()


def _lower_gamma_by_a(a: Any, x: Any) -> Any:
    """∂P/∂a = (log(x) γ(a, x) - x^a/a² 2F2(a, a; a+1, a+1; -x)) / Γ(a) - ψ(a) P.

    γ(a, x) = Σ (-1)^k x^(a+k) / (k! (a+k)) (8.7.1) by a, term by term: 1/(a+k)² = (a)_k² / (a² (a+1)_k²).
    """
    series = (a * x.log()).exp() / (a * a) * (-x).hypgeom([a, a], [a + 1, a + 1])
    return (x.log() - a.digamma()) * _lower_gamma(a, x) - series * a.rgamma()


rule("igamma")(of_several(_lower_gamma, _lower_gamma_by_a, _lower_gamma_by_x))
# Q = 1 - P (8.2.5).
rule("igammac")(of_several(_upper_gamma, lambda a, x: -_lower_gamma_by_a(a, x), lambda a, x: -_lower_gamma_by_x(a, x)))


def _zeta_by_s(s: Any, q: Any) -> Any:
    """∂ζ/∂s: FLINT's Taylor series about s."""
    return arb_series([s, 1], 2).zeta(q)[1]


# The Hurwitz zeta function ζ(s, q), ∂ζ/∂q = -s ζ(s + 1, q) (25.11.17).
rule("zeta")(of_several(lambda s, q: s.zeta(q), _zeta_by_s, lambda s, q: -s * (s + 1).zeta(q)))


def _polygamma(n: Any, x: Any) -> Any:
    return acb(x).polygamma(n).real if n.is_integer() and n >= 0 else arb.nan()


def _polygamma_by_n(n: Any, x: Any) -> Any:
    raise NotProvedError("the order of polygamma is an integer: there is no slope by it")


# ψ⁽ⁿ⁾(x), which has the derivative ψ⁽ⁿ⁺¹⁾(x) (5.15).
rule("polygamma")(of_several(_polygamma, _polygamma_by_n, lambda n, x: _polygamma(n + 1, x)))


# --- the incomplete beta function ------------------------------------------------------------------------------------


def _beta(a: Any, b: Any) -> Any:
    """B(a, b) = Γ(a) Γ(b) / Γ(a + b) (5.12.1)."""
    return a.gamma() * b.gamma() * (a + b).rgamma()


def _incomplete_beta(a: Any, b: Any, x: Any) -> Any:
    inside = a > 0 and b > 0 and x >= 0 and x <= 1
    return x.beta_lower(a, b, regularized=True) if inside else arb.nan()


def _incomplete_beta_by_x(a: Any, b: Any, x: Any) -> Any:
    """∂I/∂x = x^(a-1) (1-x)^(b-1) / B(a, b) (8.17.1)."""
    return ((a - 1) * x.log() + (b - 1) * (1 - x).log()).exp() / _beta(a, b)


def _incomplete_beta_by_a(a: Any, b: Any, x: Any) -> Any:
    """∂I/∂a = (log(x) - ψ(a) + ψ(a+b)) I - x^a/a² 3F2(a, a, 1-b; a+1, a+1; x) / B(a, b).

    B_x(a, b) = x^a/a 2F1(a, 1-b; a+1; x) (8.17.7), a series Σ (1-b)_k x^(a+k) / (k! (a+k)), by a, term by term.
    """
    series = (a * x.log()).exp() / (a * a) * x.hypgeom([a, a, 1 - b], [a + 1, a + 1])
    return (x.log() - a.digamma() + (a + b).digamma()) * _incomplete_beta(a, b, x) - series / _beta(a, b)


def _incomplete_beta_by_b(a: Any, b: Any, x: Any) -> Any:
    """I_x(a, b) = 1 - I_(1-x)(b, a) (8.17.4)."""
    return -_incomplete_beta_by_a(b, a, 1 - x)


rule("regularized_incomplete_beta")(
    of_several(_incomplete_beta, _incomplete_beta_by_a, _incomplete_beta_by_b, _incomplete_beta_by_x)
)


# --- logarithms and exponentials -------------------------------------------------------------------------------------


def _x_log(logarithm: Callable[[Any], Any]) -> Partial:
    return lambda x, y: arb(0) if x == 0 else x * logarithm(y)


def _by_log_of(argument: Callable[[Any], Any]) -> Partial:
    return lambda x, y: arb(0) if x == 0 else x / argument(y)


# x log(y), 0 where x is 0 whatever y is.
rule("xlogy")(of_several(_x_log(arb.log), lambda x, y: y.log(), _by_log_of(lambda y: y)))
rule("xlog1py")(of_several(_x_log(arb.log1p), lambda x, y: y.log1p(), _by_log_of(lambda y: 1 + y)))
elementwise("entr", of_one(lambda x: arb(0) if x == 0 else -x * x.log(), lambda x, y: -x.log() - 1))
elementwise("logit", of_one(lambda x: (x / (1 - x)).log(), lambda x, y: 1 / (x * (1 - x))))


def _d_sinc(x: Any, y: Any) -> Any:
    """sin(π x) / (π x), an even function, by x: (cos(π x) - y) / x."""
    return arb(0) if x == 0 else (x.cos_pi() - y) / x


elementwise("sinc", of_one(arb.sinc_pi, _d_sinc))


@rule("logaddexp", "logaddexp2")
def _log_of_sum(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    """log(exp(a) + exp(b)): exponents of balls have no bound, so that nothing overflows."""
    exp, log = ("exp", "log") if operation.name == "logaddexp" else ("exp2", "log2")
    parts = [RULES[exp](surroundings, operation, one) for one in arithmetic.spread(a, b)]
    found: Balls = RULES[log](surroundings, operation, arithmetic.add(*parts))
    return found


@rule("hypot")
def _length(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    """√(x² + y²)."""
    squares = [arithmetic.multiply(one, one) for one in arithmetic.spread(a, b)]
    found: Balls = RULES["sqrt"](surroundings, operation, arithmetic.add(*squares))
    return found
