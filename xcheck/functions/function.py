"""Function: one loss as it is written in one framework, and how its gradient is obtained.

`xcheck.objective(loss, "torch")` makes one. Its parameters may have other names and other axes than those that are
handed to `xcheck.check` (`rename`, `layout`; see `xcheck.backend.naming`).
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any, TypeAlias

from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.forms import FIRST_ORDER, SECOND_ORDER, complaints_about_forms, forms_of

# "transpose" reverses the axes of the own array; a tuple permutes them, as in numpy.transpose.
Axes: TypeAlias = "str | tuple[int, ...]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Function:
    """One framework's version of a loss.

    Attributes:
        loss: `loss(params, *data)`; for a module `loss(outputs, *targets)`, or None for the outputs themselves, or
            `loss(module, *data)`.
        backend: name of the framework; None if it is that of the parameters.
        module: the module whose outputs `loss` takes, or which it takes itself, if there is one.
        handed: whether `loss` takes the module itself.
        inputs: how many of `data` the module takes; the rest are the targets.
        forms: derivatives that are written by hand, by the names in `xcheck.functions.forms`.
        rename: own name or pattern -> canonical name or pattern.
        layout: pattern of own names -> axes.
        like: a tree with this function's own structure; by default that of the canonical parameters, or with `rename`
            nested dicts.
        takes: what the entries of params are called where these come as a tuple; empty if they are numbered.
        name: what a report calls the function, where it does not tell itself.
    """

    loss: Callable[..., Any] | None
    backend: str | None
    module: Any = None
    handed: bool = False
    inputs: int = 1
    forms: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    layout: Mapping[str, Axes] = field(default_factory=dict)
    like: Any = None
    takes: tuple[str, ...] = ()
    name: str | None = None

    def named(self, name: str, takes: tuple[str, ...]) -> "Function":
        """Return the same with names of the function and of its parameters."""
        return replace(self, name=name, takes=takes)

    @property
    def calls_module(self) -> bool:
        """Whether the first `inputs` of data are what a module is called with, before `loss` takes what it returns."""
        return self.module is not None and not self.handed

    @property
    def hand_written(self) -> bool:
        """Whether the first derivative is the person's own code."""
        return any(form in self.forms for form in FIRST_ORDER)

    @property
    def of_one_number(self) -> bool:
        """Whether the first derivative is the person's own code, for a loss that is one number."""
        return "gradient" in self.forms or "value_and_gradient" in self.forms

    @property
    def tells_all(self) -> bool:
        """Whether the first derivative by hand tells of all outputs at once."""
        return "jacobian" in self.forms or "jvp" in self.forms

    @property
    def curved(self) -> bool:
        """Whether the second derivative is the person's own code."""
        return any(form in self.forms for form in SECOND_ORDER)


def objective(  # noqa: PLR0913 - the public signature: all but two are optional and by name
    function: Callable[..., Any],
    backend: str,
    *,
    loss: Callable[..., Any] | None = None,
    gradient: Callable[..., Any] | None = None,
    value_and_gradient: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
    jacobian: Callable[..., Any] | None = None,
    hessian: Callable[..., Any] | None = None,
    hvp: Callable[..., Any] | None = None,
    rename: Mapping[str, str] | None = None,
    layout: Mapping[str, Axes] | None = None,
    like: Any = None,
    inputs: int | None = None,
) -> Function:
    """Return one framework's version of a loss, to be handed to `xcheck.check`.

    Args:
        function: `loss(params, *data)`, a scalar or an array; or a `torch.nn.Module`.
        backend: "numpy", "torch", "jax", or the name of another installed backend.
        loss: for a module: `loss(outputs, *targets)`; by default the outputs are checked themselves.
        gradient: `gradient(params, *data)` returns a tree like params, a dict of names, or the array if there is one.
            Required for NumPy, which has no autodiff; for others it takes the place of autodiff.
        value_and_gradient: `value_and_gradient(params, *data)` returns both.
        vjp: `vjp(params, *data, cotangent)` returns what a backward pass hands down, like params, for a cotangent v of
            the value's shape: the gradient of Re Σ v̄ y.
        jvp: `jvp(params, *data, tangent)` returns the derivative of the value along a tangent, which is like params.
        jacobian: `jacobian(params, *data)` returns the derivatives of all outputs, outputs first: an array of shape
            (*y.shape, *x.shape), or (m, n), dense or a sparse matrix of SciPy; a tree of these for a tree of params.
        hessian: `hessian(params, *data)` of one array, shape (*x.shape, *x.shape) or (n, n); the order is then 2.
        hvp: `hvp(params, *data, vector)` returns H v, like params; the order is then 2.
        rename: own name -> name in `params`, where they differ: `{"fc1.kernel": "0.weight"}`. In patterns each `*`
            stands for characters without a dot, the same on both sides: `{"h.*.ln1.weight": "block_*.ln_1.scale"}`. A
            name that is written out is an exception to a pattern.
        layout: own name or pattern -> how the axes of the array in `params` are to be arranged for this function:
            "transpose", or a permutation such as (3, 2, 0, 1).
        like: a tree of this function's own structure, where names alone do not tell.
        inputs: how many of `data` a module takes (1); the rest are the targets.

    Raises:
        DefinitionError: the arguments contradict each other.

    >>> cube = objective(lambda x: (x**3).sum(), "numpy", gradient=lambda x: 3 * x**2)
    >>> cube.hand_written
    True
    """
    if not callable(function):
        raise DefinitionError(Complaint(f"an objective needs a function or a module, {type(function).__name__} came"))
    forms = forms_of(
        {
            "gradient": gradient,
            "value_and_gradient": value_and_gradient,
            "vjp": vjp,
            "jvp": jvp,
            "jacobian": jacobian,
            "hessian": hessian,
            "hvp": hvp,
        }
    )
    complaints = [
        *_complaints_about_loss(loss),
        *complaints_about_forms(forms),
        *_complaints_about_inputs(inputs),
        *_complaints_about_naming(rename, layout),
    ]
    if complaints:
        raise DefinitionError(complaints)
    # `loss` and `inputs` are said of modules only; so a callable of any framework can be declared one.
    is_module = loss is not None or inputs is not None or _is_module(function)
    if is_module and forms:
        text = f"a module is differentiated by its framework: leave {', '.join(forms)} out"
        raise DefinitionError(Complaint(text))
    return Function(
        loss=loss if is_module else function,
        backend=backend,
        module=function if is_module else None,
        inputs=1 if inputs is None else inputs,
        forms=forms,
        rename=dict(rename or {}),
        layout=dict(layout or {}),
        like=like,
    )


def _complaints_about_loss(loss: Any) -> list[Complaint]:
    """Return what is wrong with the loss of a module."""
    if loss is None or callable(loss):
        return []
    return [Complaint(f"expected a function, {type(loss).__name__} came", ("loss",))]


def _complaints_about_inputs(inputs: Any) -> list[Complaint]:
    """Return what is wrong with the number of inputs: True is what `check` takes by the same name."""
    if inputs is None or (isinstance(inputs, int) and not isinstance(inputs, bool) and inputs >= 0):
        return []
    text = f"{inputs!r} is not how many of data a module takes; check(..., inputs=True) checks their gradient"
    return [Complaint(text, ("inputs",))]


def _complaints_about_naming(rename: Any, layout: Any) -> list[Complaint]:
    """Return what of `rename` and `layout` cannot be read, whatever the names are."""
    complaints = []
    for name, given, example in (
        ("rename", rename, '{"fc1.kernel": "0.weight"}'),
        ("layout", layout, '{"*.kernel": "transpose"}'),
    ):
        if given is not None and not isinstance(given, Mapping):
            complaints.append(Complaint(f"expected a dict such as {example}, {type(given).__name__} came", (name,)))
        elif given and not all(isinstance(key, str) for key in given):
            complaints.append(Complaint(f"names are strings, as in {example}", (name,)))
    if isinstance(rename, Mapping) and not all(isinstance(there, str) for there in rename.values()):
        complaints.append(Complaint("names in params are strings", ("rename",)))
    if isinstance(layout, Mapping):
        complaints += [
            Complaint(f"{axes!r} is neither 'transpose' nor a permutation such as (3, 2, 0, 1)", ("layout", str(key)))
            for key, axes in layout.items()
            if not (isinstance(axes, str) or _is_whole_numbers(axes))
        ]
    return complaints


def _is_whole_numbers(axes: Any) -> bool:
    return isinstance(axes, Sequence) and all(isinstance(axis, int) for axis in axes)


def first_argument(function: Callable[..., Any]) -> str | None:
    """Return the name of a function's first argument; None where its signature does not tell one.

    >>> first_argument(lambda w, b: w + b), first_argument(lambda *args: args[0])
    ('w', None)
    """
    # The usual case: a signature takes longer to make than a small function.
    if type(function) is FunctionType and not vars(function) and function.__code__.co_argcount:
        return function.__code__.co_varnames[0]
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # what is written in C often has none
        return None
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return parameters[0].name if parameters and parameters[0].kind in named else None


def _is_module(function: Any) -> bool:
    """Return whether a function is a module: callable, with parameters of its own."""
    return callable(getattr(function, "named_parameters", None))
