"""OwnParameters: the parameters of one function, under its own names and with its own axes, at any θ.

θ becomes named arrays, and these get the names and axes of the function (see `xcheck.backend.naming`). A gradient goes
the same way back. Frameworks make their arrays of the numbers that are returned here; this module knows none of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xcheck.backend.by_hand.gradients import name_gradient
from xcheck.backend.naming import ParameterNaming, match_parameters
from xcheck.dtypes import widen
from xcheck.functions.arguments import Arguments, Leaf, Numbers
from xcheck.functions.function import Function
from xcheck.functions.tree import ROOT, leaves, nest, rebuild
from xcheck.layout import Vector


@dataclass(frozen=True, slots=True, eq=False)
class OwnParameters:
    """The parameters of one function as functions of θ.

    Attributes:
        function: whose parameters these are.
        arguments: θ, and the data.
        naming: own names and axes, beside those of θ.
        frozen: the same of the parameters that are no part of θ.
        wide: whether every floating array has 64 bits, whatever the dtypes of the arguments.
    """

    function: Function
    arguments: Arguments
    naming: ParameterNaming
    frozen: ParameterNaming
    wide: bool

    @classmethod
    def match(
        cls, function: Function, arguments: Arguments, *, wide: bool = False, module: Mapping[str, Any] | None = None
    ) -> "OwnParameters":
        """Find out which array of θ each parameter of the function is.

        Args:
            function: with its `rename` and `layout`.
            arguments: θ, and the data.
            wide: see above.
            module: the parameters of the function's module by name, if it has one.

        Raises:
            DefinitionError: names or shapes do not fit.
        """
        inputs = {name: name for name in arguments.inputs}  # they have one name and one order of axes everywhere
        given = {**arguments.leaves, **arguments.frozen}
        shapes = {name: leaf.values.shape for name, leaf in given.items() if name not in inputs}
        arrays = leaves(function.like, arguments.root) if module is None and function.like is not None else module
        own = None  # without a module or a tree of its own, the function's shapes are not known before it is called
        if arrays is not None:
            read = {name: arguments.read(value) for name, value in arrays.items()}
            own = {name: leaf.values.shape for name, leaf in read.items() if leaf is not None and leaf.differentiable}
        # What is one array alone may be called `params` whatever the functions call it.
        alone = {ROOT: arguments.root} if arguments.root in shapes else {}
        rename = {name: alone.get(canonical, canonical) for name, canonical in function.rename.items()}
        layout = function.layout if rename else {alone.get(name, name): axes for name, axes in function.layout.items()}
        found = match_parameters(shapes, rename, layout, own)
        naming = found.only(arguments.leaves)
        naming = ParameterNaming({**naming.canonical, **inputs}, {**naming.axes, **dict.fromkeys(inputs)})
        return cls(function, arguments, naming, found.only(arguments.frozen), wide)

    def at(self, theta: Vector) -> dict[str, Numbers]:
        """Return the parameters at θ by own name, float64 or complex128."""
        return self.naming.to_own(self.arguments.unflatten(theta))

    def stack(self, thetas: Vector) -> dict[str, tuple[Numbers, bool]]:
        """Return the parameters at all rows of `thetas` by own name, and whether they differ from row to row.

        Those that differ have shape (k, ...); the others are there once: what depends on them alone need not be
        computed k times.
        """
        stacked: dict[str, tuple[Numbers, bool]] = {}
        for name, canonical in self.naming.canonical.items():
            spans = [self.arguments.layout[part].span for part in self.arguments.parts(canonical)]
            varied = any(bool((thetas[:, span] != thetas[0, span]).any()) for span in spans)
            # Engines move a few components of one tensor at a time: most tensors are the same in all rows.
            rows = thetas if varied else thetas[:1]
            shape = (len(rows), *self.source(name).values.shape)
            values = rows[:, spans[0]].reshape(shape)
            if len(spans) > 1:
                values = values + 1j * rows[:, spans[1]].reshape(shape)
            axes = self.naming.axes[name]
            if axes is not None:
                # The first axis counts the rows and stays where it is.
                values = values.transpose((0, *(axis + 1 for axis in axes)))
            stacked[name] = (values, True) if varied else (values[0], False)
        return stacked

    def own_name(self, tensor: str) -> str | None:
        """Return the own name of a tensor of θ; None if the own array has other axes, or is complex."""
        for name, canonical in self.naming.canonical.items():
            if canonical == tensor and self.naming.axes[name] is None and len(self.arguments.parts(canonical)) == 1:
                return name
        return None

    def source(self, name: str) -> Leaf:
        """Return the person's array that a parameter stands for."""
        return self.arguments.leaves[self.naming.canonical[name]]

    def dtype(self, name: str) -> str:
        """Return the dtype that a parameter is to have."""
        given = self.source(name).dtype
        return widen(given) if self.wide else given

    def frozen_arrays(self) -> dict[str, tuple[Numbers, Leaf, str]]:
        """Return the parameters that are no part of θ by own name: numbers, the person's array, and the dtype."""
        leaves_ = self.arguments.frozen
        own = self.frozen.to_own({name: leaf.values for name, leaf in leaves_.items()})
        sources = {name: leaves_[canonical] for name, canonical in self.frozen.canonical.items()}
        return {
            name: (own[name], leaf, widen(leaf.dtype) if self.wide else leaf.dtype) for name, leaf in sources.items()
        }

    def build_tree(self, given: Mapping[str, Any], copy_carried: Callable[[], Any]) -> Any:
        """Put the parameters together to the tree that the function expects.

        Args:
            given: arrays of a framework by own name.
            copy_carried: returns the person's own tree, of which everything stays that is not in `given`.
        """
        given = {name: array for name, array in given.items() if name not in self.arguments.inputs}
        if self.function.like is not None:
            return rebuild(self.function.like, given, self.arguments.root)
        return nest(given) if self.function.rename else rebuild(copy_carried(), given, self.arguments.root)

    def flatten(self, gradient: Mapping[str, Numbers | None]) -> Vector:
        """Return a gradient by own names as a gradient with respect to θ, shape (n,); None stands for zeros.

        Raises:
            ValueError: a part has another shape than its parameter.
        """
        own = {}
        # The parameters at θ = 0: zeros of the right shapes, real or complex.
        for name, zeros in self.at(np.zeros(self.arguments.layout.size)).items():
            part = gradient.get(name)
            own[name] = zeros if part is None else np.asarray(part)
            if own[name].shape != zeros.shape:
                raise ValueError(f"the gradient of {name} has shape {own[name].shape}, {name} itself {zeros.shape}")
        return self.arguments.flatten(self.naming.to_canonical(own))

    def gradient_reader(self) -> Callable[[Any], dict[str, Numbers | None]]:
        """Return what reads by own names whatever a hand-written gradient returned.

        It raises ValueError where that cannot be read; see `xcheck.backend.by_hand.gradients`.
        """
        tree = self.arguments.tree if self.function.like is None else self.function.like
        given, carried = self.at(self.arguments.theta), leaves(tree).keys()
        return lambda returned: name_gradient(returned, given, self.arguments.read, carried)
