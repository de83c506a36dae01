"""Operations that are linear in some of what they read: which these are, and their maps, transposed by JAX itself.

`jax.linear_transpose` is asked about one primitive operation of JAX at a time, with all else that it reads held fixed;
rules for derivatives that are a person's own take no part.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from xcheck_jax.nodes.program import ROW, STACK, Step

# Linear in their first input: places of elements change, or elements are added up.
_VIEWS = frozenset(
    {
        *("reshape", "transpose", "broadcast_in_dim", "squeeze", "slice", "rev", "copy"),
        *("split", "reduce_sum", "cumsum", "reduce_window_sum", "neg", "gather", "dynamic_slice", "pad", ROW),
    }
)
# Linear in all that they read together.
_TOGETHER = frozenset({"add", "sub", "add_any", "concatenate", STACK})
# Linear in each of two inputs, with the other held fixed.
_PRODUCTS = frozenset({"mul", "dot_general", "conv_general_dilated"})


def linear_places(step: Step) -> frozenset[int]:
    """Return the places of the inputs that an operation is linear in, each with the others held fixed."""
    if step.name in _VIEWS or step.name == "div" or _is_square(step):
        return frozenset({0})
    if step.name in _TOGETHER:
        return frozenset(range(len(step.inputs)))
    if step.name in _PRODUCTS or step.name == "dynamic_update_slice":
        return frozenset({0, 1})
    if step.name == "select_n":
        return frozenset(range(1, len(step.inputs)))
    if step.name == "convert_element_type":
        return frozenset({0})
    return frozenset()


def _is_square(step: Step) -> bool:
    return step.name == "square" or (step.name == "integer_pow" and step.params["y"] == 2)


def linear_map(step: Step, place: int, given: Sequence[Any], minus: Any = -1.0) -> Callable[[Any], list[Any]]:
    """Return what an operation makes of a change of one of its inputs: δ -> changes of its outputs.

    With the sizes of all inputs, and 1 for −1, every entry of the map's matrix becomes its absolute value.

    Args:
        step: the operation.
        place: of the input, one of `linear_places`.
        given: all inputs.
        minus: what a difference multiplies its second term by.
    """
    if _is_square(step):
        return lambda change: [2 * given[0] * change]
    if step.name in _PRODUCTS or step.name == "div":
        return lambda change: step.run(*[change if each == place else given[each] for each in (0, 1)])
    if step.name in ("neg", "sub"):
        sign = minus if step.name == "neg" or place == 1 else 1.0
        return lambda change: [sum((jnp.zeros_like(each) for each in given), sign * change)]
    # What the output holds of the other inputs, is added to it, or stands beside it, does not change.
    still = [jnp.zeros_like(each) if jnp.issubdtype(each.dtype, jnp.floating) else each for each in given]
    return lambda change: step.run(*[change if each == place else still[each] for each in range(len(given))])


def transposed(step: Step, place: int, given: Sequence[Any], arrived: list[Any], minus: Any = -1.0) -> Any:
    """Return what arrives at one input of an operation, from what has arrived at its outputs; see `linear_map`."""
    own = jax.ShapeDtypeStruct(given[place].shape, given[place].dtype)
    (found,) = jax.linear_transpose(linear_map(step, place, given, minus), own)(arrived)
    return found
