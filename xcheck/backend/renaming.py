"""Renaming: entries of `rename`, names or patterns of names, as own name -> canonical name, one by one.

    {"h.*.ln1.weight": "block_*.ln_1.scale"}  ->  {"h.0.ln1.weight": "block_0.ln_1.scale", ...}

A `*` stands for one or more characters without a dot, such as the number of a layer: it cannot run on into the next
part of a name. What the first `*` of the canonical name stands for, the first one of the own name stands for, too, and
so on. A name that is written out is an exception to a pattern.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from xcheck.errors import Complaint

# How many names a message lists before it says "...": as many as fit on a line or two.
_MOST_NAMES = 8


def expand_rename(rename: Mapping[str, str], canonical: Iterable[str]) -> tuple[dict[str, str], list[Complaint]]:
    """Return `rename` with its patterns applied to the canonical names, and what is wrong with it.

    Args:
        rename: own name -> canonical name, or own pattern -> canonical pattern.
        canonical: the canonical names.

    >>> expand_rename({"h.*.w": "block_*.kernel"}, ["block_0.kernel", "block_1.kernel", "bias"])
    ({'h.0.w': 'block_0.kernel', 'h.1.w': 'block_1.kernel'}, [])
    """
    canonical = list(canonical)
    expanded = {own: there for own, there in rename.items() if "*" not in own + there}
    complaints = [
        _complaint(own, f"there is no parameter {there!r}{list_choices(canonical)}")
        for own, there in expanded.items()
        if there not in canonical
    ]
    written_out = set(expanded.values())
    if len(written_out) < len(expanded):
        complaints.append(Complaint("rename: two names stand for one parameter", ("rename",)))
    pattern_of: dict[str, str] = {}
    for pattern, there in rename.items():
        if pattern in expanded:
            continue
        pairs, mistake = _apply(pattern, there, canonical)
        complaints += mistake
        for own, name in pairs:
            # Of two gradients for one parameter the second would overwrite the first.
            if name in pattern_of:
                complaints.append(_complaint(pattern, f"{pattern_of[name]!r} and {pattern!r} both stand for {name}"))
            elif name not in written_out:
                pattern_of[name] = pattern
                expanded.setdefault(own, name)
                if expanded[own] != name:
                    complaints.append(_complaint(pattern, f"{own} stands for {expanded[own]} and for {name}"))
    return expanded, complaints


def list_choices(names: Sequence[str]) -> str:
    """Say which names there are."""
    return f"; there are {list_names(names)}"


def list_names(names: Sequence[str], separator: str = ", ") -> str:
    """Return the names; if they are more than eight, as patterns, the first eight of these, and "..." for the rest."""
    names = collapse_numbers(names) if len(names) > _MOST_NAMES else names
    return separator.join([*names[:_MOST_NAMES], *(["..."] if len(names) > _MOST_NAMES else [])])


def collapse_numbers(names: Sequence[str]) -> list[str]:
    """Return patterns in place of names that differ in numbers alone, in the order of the first of each.

    >>> collapse_numbers(["h.0.ln1.weight", "h.0.ln1.bias", "h.1.ln1.weight", "head"])
    ['h.*.ln1.weight', 'h.0.ln1.bias', 'head']
    """
    groups: dict[str, list[list[str]]] = {}
    for name in names:
        # Not the numbers of a shape behind the name, in brackets.
        parts = re.split(r"(\d+)(?![^(]*\))", name)
        groups.setdefault("*".join(parts[::2]), []).append(parts)
    # A number that all of them share, as in ln1, is a part of the name.
    return [
        "".join(part if all(part == other for other in others) else "*" for part, *others in zip(*group, strict=True))
        for group in groups.values()
    ]


def _apply(pattern: str, there: str, canonical: Sequence[str]) -> tuple[list[tuple[str, str]], list[Complaint]]:
    """Return own and canonical names of all parameters that a pattern stands for, or what is wrong with it."""
    if pattern.count("*") != there.count("*"):
        counts = f"{pattern!r} has {pattern.count('*')} *, {there!r} has {there.count('*')}"
        return [], [_complaint(pattern, f"{counts}: each * of one is what a * of the other stands for")]
    form = re.compile("([^.]+)".join(map(re.escape, there.split("*"))))
    pairs = [(_fill(pattern, found.groups()), name) for name in canonical if (found := form.fullmatch(name))]
    if not pairs:
        text = f"no parameter matches {there!r}{list_choices(canonical)}; a * stands for characters without a dot"
        return [], [_complaint(pattern, text)]
    return pairs, []


def _fill(pattern: str, parts: Sequence[str]) -> str:
    """Put what the stars stand for in their places."""
    first, *others = pattern.split("*")
    return first + "".join(part + other for part, other in zip(parts, others, strict=True))


def _complaint(entry: str, text: str) -> Complaint:
    return Complaint(f"rename: {text}", ("rename", entry))
