"""Correspondence: one function's own names and axes, and the canonical ones that everybody is compared by.

    own["fc1.kernel"] = canonical["0.weight"].T

with rename={"fc1.kernel": "0.weight"} and layout={"*.kernel": "transpose"}.

What does not fit is said in one go: names that are missing, names that nobody uses, shapes that differ; with a proposal
where the shapes leave only one possibility. Arrays of equal shape are never guessed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.arguments import Numbers
from xcheck.functions.function import Axes

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ParameterNaming:
    """Which canonical array each own array is, and how its axes are arranged.

    Attributes:
        canonical: own name -> canonical name.
        axes: own name -> permutation of the canonical array's axes that gives the own one; None for as they are.
    """

    canonical: Mapping[str, str]
    axes: Mapping[str, tuple[int, ...] | None]

    def own(self, named: Mapping[str, Numbers]) -> dict[str, Numbers]:
        """Return canonical arrays under their own names, with their own axes."""
        return {name: _arranged(named[there], self.axes[name]) for name, there in self.canonical.items()}

    def returned(self, own: Mapping[str, Numbers]) -> dict[str, Numbers]:
        """Return own arrays under their canonical names, with the canonical axes."""
        found = {}
        for name, there in self.canonical.items():
            axes = self.axes[name]
            found[there] = _arranged(own[name], None if axes is None else tuple(np.argsort(axes)))
        return found


def match_parameters(
    canonical: Mapping[str, Shape],
    rename: Mapping[str, str],
    layout: Mapping[str, Axes],
    own: Mapping[str, Shape] | None = None,
) -> ParameterNaming:
    """Return how own and canonical names correspond.

    Args:
        canonical: shapes of the canonical arrays.
        rename: own name -> canonical name; others keep their names.
        layout: pattern of own names -> axes.
        own: shapes of the own arrays, if they are known.

    Raises:
        DefinitionError: everything that does not fit.
    """
    complaints = [
        Complaint(f"rename: there is no parameter {there!r}{_choices(canonical)}", ("rename", name))
        for name, there in rename.items()
        if there not in canonical
    ]
    backwards = {there: name for name, there in rename.items()}
    if len(backwards) < len(rename):
        complaints.append(Complaint("rename: two names stand for one parameter", ("rename",)))
    names = {backwards.get(there, there): there for there in canonical}
    complaints += [
        Complaint(f"layout: no parameter of this function matches {pattern!r}{_choices(names)}", ("layout", pattern))
        for pattern in layout
        if not any(fnmatchcase(name, pattern) for name in names)
    ]
    if own is not None:
        complaints += _misfits(names, canonical, own)
    if complaints:
        raise DefinitionError(complaints)
    axes = {name: _permutation(name, layout, len(canonical[there])) for name, there in names.items()}
    if own is not None:
        _compare_shapes(names, axes, canonical, own)
    return ParameterNaming(names, axes)


def _arranged(array: Numbers, axes: tuple[int, ...] | None) -> Numbers:
    return array if axes is None else np.transpose(array, axes)


def _choices(names: Mapping[str, object]) -> str:
    listed = list(names)
    return f"; there are {', '.join(listed[:8])}{', ...' if len(listed) > 8 else ''}"


def _permutation(name: str, layout: Mapping[str, Axes], dimensions: int) -> tuple[int, ...] | None:
    for pattern, axes in layout.items():
        if not fnmatchcase(name, pattern):
            continue
        order = tuple(reversed(range(dimensions))) if axes == "transpose" else axes
        if isinstance(order, str) or sorted(order) != list(range(dimensions)):
            text = (
                f"layout: {axes!r} does not arrange the {dimensions} axes of {name}; use 'transpose' or a permutation"
            )
            raise DefinitionError(Complaint(text, ("layout", pattern)))
        return order
    return None


def _misfits(names: Mapping[str, str], canonical: Mapping[str, Shape], own: Mapping[str, Shape]) -> list[Complaint]:
    missing = {name: shape for name, shape in own.items() if name not in names}
    unexpected = {names[name]: canonical[names[name]] for name in names if name not in own}
    complaints = []
    for name, shape in missing.items():
        text = f"{name}, shape {shape}, is not in params{_proposal(name, shape, unexpected, missing.values())}"
        complaints.append(Complaint(text, ("rename",)))
    for name, shape in unexpected.items():
        complaints.append(Complaint(f"params has {name}, shape {shape}, which this function does not know"))
    return complaints


def _proposal(name: str, shape: Shape, candidates: Mapping[str, Shape], missing: Collection[Shape]) -> str:
    """Propose where one array alone can be meant: of this shape or its transpose, and nobody else wants it."""
    fitting = [there for there, other in candidates.items() if sorted(other) == sorted(shape)]
    rivals = [other for other in missing if sorted(other) == sorted(shape)]
    if len(fitting) != 1 or len(rivals) != 1:
        return f"; it may be {' or '.join(fitting)}: say which with rename" if fitting else ""
    there = fitting[0]
    return (
        f'; by its shape it can only be {there}: rename={{"{name}": "{there}"}}{_turn(name, candidates[there], shape)}'
    )


def _turn(name: str, there: Shape, shape: Shape) -> str:
    """Propose an arrangement of axes, if one is needed and there is one only."""
    if there == shape:
        return ""
    if there[::-1] == shape:
        return f', layout={{"{name}": "transpose"}}'
    if len(set(shape)) < len(shape):
        return f', with a permutation of its axes in layout={{"{name}": ...}}'
    return f', layout={{"{name}": {tuple(there.index(size) for size in shape)}}}'


def _compare_shapes(
    names: Mapping[str, str],
    axes: Mapping[str, tuple[int, ...] | None],
    canonical: Mapping[str, Shape],
    own: Mapping[str, Shape],
) -> None:
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
