"""Naming: the names and axes that parameters have in one function, beside the canonical ones, those of `params`.

    own["fc1.kernel"] = canonical["0.weight"].T

with rename={"fc1.kernel": "0.weight"} and layout={"*.kernel": "transpose"}. An entry of `rename` may be a pattern (see
`xcheck.backend.renaming`).

All mistakes are reported at once: names that are missing, names that the function does not have, shapes that differ.
Where the shapes leave one possibility only, it is proposed; between arrays of equal shape nothing is guessed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from xcheck.backend.renaming import expand_rename, list_choices, list_names
from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.arguments import Numbers
from xcheck.functions.function import Axes

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ParameterNaming:
    """The canonical array that each own array stands for, and the order of its axes.

    Attributes:
        canonical: own name -> canonical name.
        axes: own name -> permutation of the canonical array's axes that gives the own array; None if there is none.
    """

    canonical: Mapping[str, str]
    axes: Mapping[str, tuple[int, ...] | None]

    def only(self, canonical: Collection[str]) -> "ParameterNaming":
        """Return that part of it which is about these canonical names."""
        names = {name: there for name, there in self.canonical.items() if there in canonical}
        return ParameterNaming(names, {name: self.axes[name] for name in names})

    def to_own(self, named: Mapping[str, Numbers]) -> dict[str, Numbers]:
        """Return canonical arrays under their own names, with their own axes."""
        return {name: _arrange(named[canonical], self.axes[name]) for name, canonical in self.canonical.items()}

    def to_canonical(self, own: Mapping[str, Numbers]) -> dict[str, Numbers]:
        """Return own arrays under their canonical names, with the canonical axes."""
        arrays = {}
        for name, canonical in self.canonical.items():
            axes = self.axes[name]
            # argsort inverts a permutation.
            arrays[canonical] = _arrange(own[name], None if axes is None else tuple(np.argsort(axes)))
        return arrays


def match_parameters(
    canonical: Mapping[str, Shape],
    rename: Mapping[str, str],
    layout: Mapping[str, Axes],
    own: Mapping[str, Shape] | None = None,
) -> ParameterNaming:
    """Match the own parameters of a function with the canonical ones.

    Args:
        canonical: shapes of the canonical arrays.
        rename: own name or pattern -> canonical name or pattern; others keep their names.
        layout: pattern of own names -> axes.
        own: shapes of the own arrays, if they are known.

    Raises:
        DefinitionError: names or shapes do not fit, with all mistakes.
    """
    expanded, complaints = expand_rename(rename, canonical)
    # What is not renamed has the same name on both sides.
    own_names = {canonical_name: name for name, canonical_name in expanded.items()}
    names = {own_names.get(canonical_name, canonical_name): canonical_name for canonical_name in canonical}
    complaints += _check_unique(own_names, canonical)
    complaints += _check_layout(layout, names)
    if own is not None:
        complaints += _compare_names(names, canonical, own)
    if complaints:
        raise DefinitionError(complaints)
    # Shapes are compared last: with names that do not fit they would be those of other arrays.
    axes = {name: _find_permutation(name, layout, len(canonical[there])) for name, there in names.items()}
    if own is not None:
        _compare_shapes(names, axes, canonical, own)
    return ParameterNaming(names, axes)


def _check_unique(own_names: Mapping[str, str], canonical: Mapping[str, Shape]) -> list[Complaint]:
    """Complain about own names that stand for another parameter, too, whose name they are."""
    return [
        Complaint(f"rename: {name} stands for {there}, and for {name} of params: rename that, too", ("rename", name))
        for there, name in own_names.items()
        if name in canonical and name not in own_names
    ]


def _check_layout(layout: Mapping[str, Axes], names: Mapping[str, str]) -> list[Complaint]:
    choices = list_choices(list(names))
    return [
        Complaint(f"layout: no parameter of this function matches {pattern!r}{choices}", ("layout", pattern))
        for pattern in layout
        # Not `fnmatch`, which takes upper for lower case on Windows.
        if not any(fnmatchcase(name, pattern) for name in names)
    ]


def _arrange(array: Numbers, axes: tuple[int, ...] | None) -> Numbers:
    return array if axes is None else np.transpose(array, axes)


def _find_permutation(name: str, layout: Mapping[str, Axes], dimensions: int) -> tuple[int, ...] | None:
    """Return the permutation that the first matching pattern of `layout` gives; None if no pattern matches."""
    for pattern, axes in layout.items():
        # The first pattern that matches decides: an exception can stand before its rule.
        if not fnmatchcase(name, pattern):
            continue
        order = tuple(reversed(range(dimensions))) if axes == "transpose" else axes
        # "transpose" is the one word there is; any other is a slip.
        if isinstance(order, str) or sorted(order) != list(range(dimensions)):
            text = (
                f"layout: {axes!r} does not arrange the {dimensions} axes of {name}; use 'transpose' or a permutation"
            )
            raise DefinitionError(Complaint(text, ("layout", pattern)))
        return order
    return None


def _compare_names(
    names: Mapping[str, str], canonical: Mapping[str, Shape], own: Mapping[str, Shape]
) -> list[Complaint]:
    """Complain about own arrays without a canonical one, and about canonical ones without an own one.

    A model has hundreds of arrays: those of which the same is to be said share one complaint.
    """
    missing = {name: shape for name, shape in own.items() if name not in names}
    unexpected = {names[name]: canonical[names[name]] for name in names if name not in own}
    by_shape: dict[tuple[int, ...], list[str]] = {}
    for name, shape in missing.items():
        by_shape.setdefault(tuple(sorted(shape)), []).append(name)
    only, texts, nowhere = {}, [], {}
    for axes, group in by_shape.items():
        fitting = [name for name, shape in unexpected.items() if tuple(sorted(shape)) == axes]
        if not fitting:
            nowhere.update({name: missing[name] for name in group})
        elif len(fitting) == len(group) == 1:
            only[group[0]] = fitting[0]
        else:
            who, they = _not_in_params({name: missing[name] for name in group}), "they" if len(group) > 1 else "it"
            texts.append(f"{who}; {they} may be {list_names(fitting, ' or ')}: say which with rename")
    # The names that are missing come first: they carry the proposals.
    texts = [*_propose(only, missing, unexpected), *texts, *([_not_in_params(nowhere)] if nowhere else [])]
    complaints = [Complaint(text, ("rename",)) for text in texts]
    if unexpected:
        complaints.append(Complaint(f"params has {_list_shapes(unexpected)}, which this function does not know"))
    return complaints


def _propose(only: Mapping[str, str], own: Mapping[str, Shape], canonical: Mapping[str, Shape]) -> list[str]:
    """Propose the canonical arrays that own ones stand for, where the shapes leave one possibility."""
    if not only:
        return []
    rename = ", ".join(f'"{name}": "{there}"' for name, there in only.items())
    axes = [text for name, there in only.items() if (text := _propose_axes(name, canonical[there], own[name]))]
    layout = f", layout={{{', '.join(axes)}}}" if axes else ""
    # Of two axes of one size either may be meant.
    open_ = ", with a permutation of the axes for ..." if any(text.endswith("...") for text in axes) else ""
    shapes = "its shape it" if len(only) == 1 else "their shapes they"
    there = list_names(list(only.values()))
    who = _not_in_params({name: own[name] for name in only})
    return [f"{who}; by {shapes} can only be {there}: rename={{{rename}}}{layout}{open_}"]


def _not_in_params(arrays: Mapping[str, Shape]) -> str:
    return f"{_list_shapes(arrays)}{', is' if len(arrays) == 1 else ' are'} not in params"


def _list_shapes(arrays: Mapping[str, Shape]) -> str:
    """Return the first names with their shapes; a shape that all have stands once."""
    shape, *others = set(arrays.values())
    if others:
        return list_names([f"{name} {shape}" for name, shape in arrays.items()])
    names = list_names(list(arrays))
    return f"{names}, shape {shape}" if len(arrays) == 1 else f"{names} ({len(arrays)} of shape {shape})"


def _propose_axes(name: str, canonical: Shape, shape: Shape) -> str:
    """Propose an entry of `layout`, if the axes differ; with sizes that are equal its permutation is left open."""
    if canonical == shape:
        return ""
    if canonical[::-1] == shape:
        return f'"{name}": "transpose"'
    if len(set(shape)) < len(shape):
        return f'"{name}": ...'
    return f'"{name}": {tuple(canonical.index(size) for size in shape)}'


def _compare_shapes(
    names: Mapping[str, str],
    axes: Mapping[str, tuple[int, ...] | None],
    canonical: Mapping[str, Shape],
    own: Mapping[str, Shape],
) -> None:
    """Complain about own arrays whose shapes are not those of their canonical arrays, axes arranged."""
    complaints = []
    for name, there in names.items():
        order = axes[name]
        came = canonical[there] if order is None else tuple(canonical[there][axis] for axis in order)
        if came != own[name]:
            text = f"{name} has shape {own[name]}, {there} in params gives {came}"
            if order is None and came[::-1] == own[name]:
                text += f'; transposed it fits: layout={{"{name}": "transpose"}}'
            complaints.append(Complaint(text, ("layout",)))
    if complaints:
        raise DefinitionError(complaints)
