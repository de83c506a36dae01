"""Whatever is handed to a check, whatever a function returns or raises: a verdict comes, or one sentence of ours."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import xcheck
from xcheck.errors import BackendError, DefinitionError
from xcheck.functions.tree import leaves

# Examples of each framework: as many as take a few seconds, of which JAX compiles most away.
EXAMPLES = {"numpy": 60, "torch": 40, "jax": 12}
FLOATS = ("float64", "float32", "float16", "bfloat16", "complex128", "complex64", "float8_e4m3fn")
OTHERS = ("int32", "int64", "bool", "uint8")
SHAPES = ((), (1,), (3,), (2, 2), (0,), (2, 0), (1, 2, 1))


@dataclass
class Pair:
    """A person's own container."""

    first: Any
    second: Any


def make_array(framework: str, dtype: str, shape: tuple[int, ...]) -> Any:
    """An array of one framework."""
    numbers = 0.25 + np.arange(float(np.prod(shape))).reshape(shape) / 4
    if framework == "torch":
        return torch.tensor(numbers).to(getattr(torch, dtype))
    if framework == "jax":
        return jnp.asarray(numbers, jax.dtypes.canonicalize_dtype(dtype))  # no 64 bits unless they are switched on
    return numbers.astype(getattr(ml_dtypes, dtype, dtype))


def arrays(framework: str) -> st.SearchStrategy[Any]:
    """Arrays of one framework, most of them floating."""
    dtypes = st.one_of(st.sampled_from(FLOATS), st.sampled_from((*FLOATS[:2], *OTHERS)))
    return st.builds(make_array, st.just(framework), dtypes, st.sampled_from(SHAPES))


def trees(framework: str) -> st.SearchStrategy[Any]:
    """Parameters: arrays and what else people put beside them, in containers of every kind."""
    others = st.sampled_from([None, "name", 3, 0.5, 1j, True, np.float32(2), object(), [], {}, jax.random.key(0), len])
    leaf = st.one_of(arrays(framework), arrays(framework), others)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.dictionaries(st.sampled_from(["W", "b", "a.b", "", 0]), inner, max_size=3),
            st.lists(inner, max_size=3),
            st.tuples(inner, inner),
            st.builds(Pair, inner, inner),
        ),
        max_leaves=4,
    )


def floating(tree: Any) -> list[Any]:
    """The floating and complex arrays of a tree, as numbers of 64 bits."""
    found = []
    for leaf in leaves(tree).values():
        if isinstance(leaf, torch.Tensor) and (leaf.is_floating_point() or leaf.is_complex()):
            found.append(leaf.to(torch.complex128 if leaf.is_complex() else torch.float64))
        elif isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.inexact):
            found.append(leaf.astype(jnp.promote_types(leaf.dtype, jnp.float32)))
        elif isinstance(leaf, np.ndarray | float) and np.asarray(leaf).dtype.kind not in "iub":
            found.append(np.asarray(leaf, dtype=None if np.iscomplexobj(leaf) else np.float64))
    return found


def smooth(tree: Any) -> Any:
    """Σ x² / 2 of all floating parameters, the squares of their sizes where they are complex."""
    return sum(((part * part.conj()).real if is_complex(part) else part * part).sum() / 2 for part in floating(tree))


def is_complex(part: Any) -> bool:
    """Whether a part has imaginary parts."""
    return "complex" in str(part.dtype)


class SpeechlessError(Exception):
    """An exception that fails to say anything."""

    def __str__(self) -> str:
        raise RuntimeError


OUTPUTS: Mapping[str, Callable[[Any, Any], Any]] = {
    "number": lambda loss, _: loss,
    "array": lambda loss, tree: loss * next(iter(floating(tree)), 1.0),
    "of one entry": lambda loss, _: loss.reshape(1, 1),
    "aux": lambda loss, tree: (loss, tree),
    "dict": lambda loss, _: {"loss": loss},
    "None": lambda *_: None,
    "float": lambda *_: 1.5,
    "whole": lambda *_: 3,
    "truth": lambda *_: True,
    "complex": lambda loss, _: loss * (1 + 2j),
    "word": lambda *_: "done",
    "type": lambda *_: float,
    "nan": lambda loss, _: loss * float("nan"),
    "empty": lambda loss, tree: next(iter(floating(tree)), np.ones(3)).reshape(-1)[:0] * loss,
}
ERRORS = (
    ValueError("two\nlines"),
    AssertionError(),
    KeyError("W"),
    SpeechlessError(),
    RecursionError(),
    StopIteration(),
)


def endless() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


# What a hand-written gradient may return; that of `smooth` is the parameters themselves.
GRADIENTS: Mapping[str, Callable[[Any], Any]] = {
    "right": lambda tree: tree,
    "one array": lambda tree: next(iter(floating(tree)), None),
    "another shape": lambda tree: [part.reshape(-1)[:1] for part in floating(tree)],
    "numbers": lambda _: 1.0,
    "None": lambda _: None,
    "word": lambda _: "done",
    "dict": lambda tree: {"nobody": tree},
    "objects": lambda _: np.array([object()]),
    "nan": lambda tree: {name: np.full(np.shape(part), np.nan) for name, part in leaves(tree).items()},
    "complex": lambda tree: [part * (1 + 1j) for part in floating(tree)],
    "of another framework": lambda tree: [np.asarray(part) for part in floating(tree)],
    "nested": lambda tree: [[[part]] for part in floating(tree)],
    "a number each": lambda tree: [float(np.real(np.sum(part))) for part in map(np.asarray, floating(tree))],
    "a type": lambda _: float,
    "itself": lambda _: GRADIENTS,
    "holds itself": lambda _: endless(),
    "generator": lambda tree: (part for part in floating(tree)),
}


# What `value_and_gradient` may return.
VALUES_AND_GRADIENTS: Mapping[str, Callable[[Any, Any], Any]] = {
    "right": lambda value, tree: (value, tree),
    "the other way round": lambda value, tree: (tree, value),
    "three": lambda value, tree: (value, tree, tree),
    "value alone": lambda value, _: value,
    "None": lambda *_: None,
    "word": lambda *_: "ab",
}


def settings_of(framework: str) -> st.SearchStrategy[dict[str, Any]]:
    """Settings of a check, most of them left out."""
    array = make_array(framework, "float64", (3,))
    odd: list[Any] = [None, "", 3, float("nan"), object(), [], {}, array]
    own = xcheck.objective(smooth, framework, gradient=lambda tree, *_: tree)
    choices: dict[str, list[Any]] = {
        "scope": ["jacobian", "jacobian", "directions", "sample", "all", "most"],
        "order": [2, 2, 1, 0, True, 2.0],
        "inputs": [True, True, 1],
        "oracle": ["first", "second", "nobody", smooth, own, lambda *_: "done"],
        "cotangent": [1.0, 1j, array, np.ones(()), np.ones((2, 2)), [1.0, 2.0, 3.0], "word", np.full(3, np.nan)],
        "budget": [1e-9, 1e9, 0, -1, float("inf"), "1"],
        "epsilon": [1e-3, "auto", 0, "small", 1e300],
        "tolerance": [1e-3, 0, "1"],
        "seed": [1, -1, 2**40, True, 1.5],
        "worst": [1, 0, 10**9],
        "device": ["gpu", "tpu"],
        "backend": ["torch", "nobody"],
    }
    drawn = {
        key: st.one_of(st.sampled_from(values), st.sampled_from(values), st.sampled_from(odd))
        for key, values in choices.items()
    }
    return st.one_of(
        st.just({}),
        st.sampled_from([{"scope": "jacobian"}, {"order": 2}, {"inputs": True}, {"scope": "directions"}]),
        # One or two at a time, or every check would be refused for one of them.
        st.lists(st.sampled_from(list(drawn)), min_size=1, max_size=2, unique=True).flatmap(
            lambda keys: st.fixed_dictionaries({key: drawn[key] for key in keys})
        ),
    )


def namings() -> st.SearchStrategy[dict[str, Any]]:
    """`rename`, `layout` and `like` of a function, most of them left out."""
    names = st.sampled_from(["W", "b", "tree", "params", "0", "1", "first", "W.*", "*", "*.*", "", "a.b", "a.b.c"])
    rename = st.dictionaries(names, st.one_of(names, names, st.sampled_from([None, 3])), max_size=2)
    axes = st.sampled_from(["transpose", "T", (1, 0), (0, 0), [1, 0], (0, 1, 2), None, 3, (), ("0", "1")])
    layout = st.dictionaries(names, axes, max_size=2)
    like = st.sampled_from([{"W": np.ones((2, 2))}, np.ones(3), 3, [np.ones(3), None], {"W": {"W": 1.0}}, "word"])
    some = st.one_of(
        st.fixed_dictionaries({}, optional={"rename": rename, "layout": layout, "like": like}),
        st.sampled_from([{"rename": 3}, {"rename": ["W"]}, {"layout": "transpose"}, {"layout": 3}]),
    )
    return st.one_of(st.just({}), st.just({}), st.just({}), some)


def misbehaving(output: str, error: Exception | None, when: str) -> Callable[..., Any]:
    """A loss that returns such an output, and raises this error at θ, later, or where it is differentiated."""
    calls = 0

    def loss(tree: Any, *_: Any) -> Any:
        nonlocal calls
        calls += 1
        value = smooth(tree)
        differentiated = getattr(value, "requires_grad", False) or "JVPTracer" in type(value).__name__
        due = {"always": True, "later": calls > 3, "grad": differentiated}
        if error is not None and due[when]:
            raise error
        return OUTPUTS[output](value, tree)

    return loss


def sentence_of(error: DefinitionError | BackendError) -> str:
    """What an error says; of several complaints all, one a line."""
    return error.text if isinstance(error, BackendError) else "\n".join(each.text for each in error.complaints)


def verdict_or_sentence(check: Callable[[], xcheck.Report]) -> None:
    """Run a check.

    Raises:
        AssertionError: an error of ours says nothing, or says it in several lines.
        Exception: a foreign exception comes through.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks, on what is done to them here
        try:
            report = check()
        except (DefinitionError, BackendError) as error:
            said, count = sentence_of(error), len(getattr(error, "complaints", "1"))
        else:
            said, count = report.headline, 1
            # Renderers must not fail either.
            assert report.verdict in xcheck.Verdict
            assert str(report)
            assert report.to_json()
    assert said
    assert said.count("\n") == count - 1


def calls(framework: str) -> st.SearchStrategy[dict[str, Any]]:
    """Everything that is handed over; what is usual comes more often than what is odd."""
    error = st.one_of(st.none(), st.none(), st.sampled_from(ERRORS))
    return st.fixed_dictionaries(
        {
            "tree": trees(framework),
            "output": st.one_of(st.just("number"), st.sampled_from(list(OUTPUTS))),
            "error": error,
            "when": st.sampled_from(["always", "later", "grad"]),
            "data": st.one_of(st.just(()), trees(framework)),
            "gradient": st.one_of(st.just("right"), st.sampled_from(list(GRADIENTS))),
            "by_hand": st.just(True) if framework == "numpy" else st.booleans(),
            "second": st.one_of(st.none(), st.sampled_from(list(OUTPUTS))),
            "settings": settings_of(framework),
            "naming": namings(),
            "value_too": st.sampled_from([None, None, None, *VALUES_AND_GRADIENTS]),
        }
    )


def checked(framework: str, call: Mapping[str, Any]) -> xcheck.Report:
    """The report on one or two functions that misbehave as drawn."""

    def gradient(tree: Any, *_: Any) -> Any:
        return GRADIENTS[call["gradient"]](tree)

    losses = {"first": misbehaving(call["output"], call["error"], call["when"])}
    if call["second"] is not None:
        losses["second"] = misbehaving(call["second"], None, "")
    by_hand: dict[str, Any] = {"gradient": gradient} if call["by_hand"] else {}
    if call["value_too"] is not None:
        by_hand = {"value_and_gradient": lambda tree, *_: VALUES_AND_GRADIENTS[call["value_too"]](smooth(tree), tree)}
    functions = {
        label: xcheck.objective(loss, framework, **by_hand, **call["naming"]) for label, loss in losses.items()
    }
    return xcheck.check(functions, call["tree"], call["data"], **call["settings"])


@pytest.mark.parametrize("framework", EXAMPLES)
def test_whatever_is_handed_over(framework: str) -> None:
    """Trees, dtypes, shapes, outputs, exceptions: never an exception of somebody else's."""

    @settings(
        max_examples=EXAMPLES[framework],
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(call=calls(framework))
    def run(call: dict[str, Any]) -> None:
        verdict_or_sentence(lambda: checked(framework, call))

    run()
