"""Programs: what JAX has traced, compiled, and kept for the next trace that is the same.

To compile takes longer than all else in the check of a small function. So a small trace is compiled without
optimisation, and a program serves again for every trace with the same operations and constants: in the same check, and
in the next one of the same process.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

from xcheck_jax.in_numpy import work_of
from xcheck_jax.traceable import operations_of

Program = Callable[..., Any]

# A gradient that takes fewer operations runs within a millisecond however it is compiled.
_SMALL = 2.0**20
# Each of these is compiled with before the next one is: the first in a fifth of the time that XLA takes by itself, the
# second, without the older emitters of code, in two thirds. A version of XLA that does not know an option refuses it.
_WITHOUT_OPTIMISATION: Mapping[str, Any] = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_parallel_codegen_split_count": 1,
}
QUICK: tuple[Mapping[str, Any], ...] = (
    {**_WITHOUT_OPTIMISATION, "xla_cpu_use_fusion_emitters": False},
    _WITHOUT_OPTIMISATION,
)
# Programs that are kept: a guess, a megabyte each at most.
_MOST = 64
_PROGRAMS: "OrderedDict[tuple[Any, ...], Program]" = OrderedDict()


def program_of(traced: Any, device: jax.Device, text: str) -> Program:
    """Return the compiled program of a trace.

    Args:
        traced: what `jax.jit(function).trace` returns.
        device: where it will run.
        text: its fingerprint.
    """
    # What calls back into Python, or holds a constant that is no array, may be another program of the same text.
    if traced.jaxpr.jaxpr.effects or UNKNOWN in text:
        return _compile(traced, device)
    key = (text, str(traced.in_tree), str(traced.out_tree), device)
    if key not in _PROGRAMS:
        _PROGRAMS[key] = _compile(traced, device)
    _PROGRAMS.move_to_end(key)
    while len(_PROGRAMS) > _MOST:
        _PROGRAMS.popitem(last=False)
    return _PROGRAMS[key]


def _compile(traced: Any, device: jax.Device) -> Program:
    """Return the program of a trace: of a small one, on a CPU, without optimisation."""
    lowered = traced.lower()
    if device.platform == "cpu" and work_of(traced.jaxpr.jaxpr) < _SMALL:
        for options in QUICK:
            with suppress(jax.errors.JaxRuntimeError):
                return cast("Program", lowered.compile(compiler_options=dict(options)))
    return cast("Program", lowered.compile())


# Stands for what has no text that would tell it from another.
UNKNOWN = "<unknown>"


def fingerprint(closed: Any) -> str:
    """Return a text that differs between traces with other operations, or with other constants."""
    text = "".join([*_describe(closed.jaxpr), *map(_describe_constant, closed.consts)])
    digest = hashlib.blake2b(text.encode()).hexdigest()
    return f"{digest} {UNKNOWN}" if UNKNOWN in text else digest


def _describe(jaxpr: Any) -> Iterator[str]:
    """Yield the operations, with numbers for the variables: faster by far than what prints them to be read."""
    numbers: dict[Any, int] = {}

    def name(variable: Any) -> str:
        if isinstance(variable, core.Literal):
            return f"{np.asarray(variable.val).tobytes().hex()}:{variable.aval}"  # to the last digit
        return str(numbers.setdefault(variable, len(numbers)))

    for variable in (*jaxpr.constvars, *jaxpr.invars):
        yield f"{name(variable)}:{variable.aval} "
    for equation in jaxpr.eqns:
        yield f"\n{equation.primitive.name} {' '.join(map(name, equation.invars))} -> "
        yield " ".join(f"{name(variable)}:{variable.aval}" for variable in equation.outvars)
        for key, value in equation.params.items():
            yield f" {key}="
            yield from describe_parameter(value, custom=equation.primitive.name.startswith("custom_"))
    yield f"\nreturn {' '.join(map(name, jaxpr.outvars))}"


def _describe_constant(constant: Any) -> str:
    if not isinstance(constant, jax.Array | np.ndarray):
        return UNKNOWN
    if jnp.issubdtype(constant.dtype, jax.dtypes.prng_key):
        return f"{constant.dtype}{_describe_constant(jax.random.key_data(constant))}"  # a key is known by its numbers
    return f"{constant.dtype}{constant.shape}{np.asarray(constant).tobytes().hex()}"


def describe_parameter(value: Any, *, custom: bool) -> Iterator[str]:
    """Yield a text of a parameter of an operation, in parts; with `UNKNOWN` for what another may have the same text as.

    Args:
        value: the parameter.
        custom: whether the operation has a rule for its derivative of its own, which may be left out.
    """
    if isinstance(value, tuple | list):
        for part in value:
            yield from describe_parameter(part, custom=custom)
            yield ","
    elif hasattr(value, "eqns"):
        # A ClosedJaxpr, or a Jaxpr.
        yield from _describe(getattr(value, "jaxpr", value))
        yield from map(_describe_constant, getattr(value, "consts", ()))
    else:
        text = repr(value)
        # A function of Python is known by its address alone, which is another in every trace. The rules of a custom
        # derivative do no harm, for what they compute has been traced; anything else may be another function.
        yield text if " at 0x" not in text else type(value).__name__ + ("" if custom else UNKNOWN)


def has_own_rules(jaxpr: Any) -> bool:
    """Return whether a trace holds a function with a derivative of its own, by `custom_vjp` or `custom_jvp`.

    >>> has_own_rules(jax.make_jaxpr(jax.nn.relu)(1.0).jaxpr), has_own_rules(jax.make_jaxpr(jnp.sin)(1.0).jaxpr)
    (True, False)
    """
    return any(operation.primitive.name.startswith("custom_") for operation in operations_of(jaxpr))
