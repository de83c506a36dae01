"""Dispatched: an operation as torch's dispatcher hands it over, with what its schema says."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

# What asks for a number, on which Python goes on.
_LOOKS = frozenset({"_local_scalar_dense", "equal", "is_nonzero"})
# What takes of its arguments their shape alone, or draws new numbers.
NEW = frozenset(
    {
        *("empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like"),
        *("new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided", "zero_", "zero", "bernoulli_"),
        *("uniform_", "normal_", "random_", "exponential_", "log_normal_", "cauchy_", "geometric_"),
    }
)
# Views that do not say so in their schema.
_VIEWS = frozenset({"_unsafe_view", "_reshape_alias", "lift_fresh"})
# What writes no number: a tensor looks at its own memory in another way from then on.
_TURNED = frozenset({"transpose_", "t_", "swapaxes_", "swapdims_", "squeeze_", "unsqueeze_", "as_strided_"})
# What writes into arguments in training without saying so in its schema.
_WRITTEN = dict.fromkeys(("native_batch_norm", "cudnn_batch_norm"), ("running_mean", "running_var"))


class Dispatched:
    """One operation with its arguments.

    Attributes:
        function: an overload of torch.ops.
        args: by place.
        kwargs: by name.
        label: what people call it.
        name: the same without namespace, and without the `_` of what writes into its argument.
    """

    def __init__(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self._schema = function._schema  # noqa: SLF001 - the only way to the names of arguments
        self.label = str(self._schema.name).removeprefix("aten::")
        name = self.label.split("::")[-1]
        self.name = name if name.endswith("__") else name.removesuffix("_")

    def run(self) -> Any:
        """Carry it out."""
        return self.function(*self.args, **self.kwargs)

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors among the arguments."""
        return _tensors((self.args, self.kwargs))

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """The arguments by name, those by default included."""
        given = {one.name: value for one, value in zip(self._schema.arguments, self.args, strict=False)}
        given |= self.kwargs
        # What has neither a value nor a default is None.
        return {one.name: given.get(one.name, one.default_value) for one in self._schema.arguments}

    @cached_property
    def written(self) -> list[Tensor]:
        """The tensors that it writes into."""
        silent = _WRITTEN.get(self.label, ()) if self.arguments.get("training") else ()
        if not self._schema.is_mutable and not silent:
            return []
        aliases = {one.name: one.alias_info for one in self._schema.arguments}
        names = [name for name, alias in aliases.items() if alias is not None and alias.is_write]
        return _tensors([self.arguments[name] for name in (*names, *silent)])

    @property
    def plain(self) -> Any:
        """The operation that returns what this one writes, and writes nothing; the same where there is none."""
        if not self._schema.is_mutable:
            return self.function
        namespace, _, name = str(self._schema.name).partition("::")
        packet = getattr(getattr(torch.ops, namespace), name.removesuffix("_"), None)
        return getattr(packet, self.function._overloadname, self.function)  # noqa: SLF001 - as in __init__

    @property
    def is_new(self) -> bool:
        """Whether what it returns does not depend on the numbers in its arguments."""
        return self.label in NEW

    @property
    def looks(self) -> bool:
        """Whether it returns numbers to Python."""
        return self.name in _LOOKS

    @property
    def returns_nothing(self) -> bool:
        """Whether it only checks."""
        return not self._schema.returns

    @property
    def is_view(self) -> bool:
        """Whether it returns the memory of an argument, and writes nothing into it."""
        is_alias = any(one.alias_info is not None for one in self._schema.returns)
        return self.label in _VIEWS | _TURNED or (is_alias and not self._schema.is_mutable)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
