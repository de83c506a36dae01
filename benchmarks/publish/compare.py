"""Comparing two files of rows: ratios of medians, and what has appeared, vanished, or become invalid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure.rows import Row
from benchmarks.publish.targets import quotient

_MACHINE = ("cpu", "threads", "device", "accelerator", "platform", "versions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One method on one scenario, before and after.

    Attributes:
        scenario: name.
        method: name.
        old: the median before.
        new: the median after.
        ratio: new by old; None unless both rows are valid.
        remarks: what else has changed.
        worse: whether it should not have: the row vanished or became invalid, or faults are no longer found.
    """

    scenario: str
    method: str
    old: float | None
    new: float | None
    ratio: float | None
    remarks: tuple[str, ...]
    worse: bool


def compare(old: Sequence[Row], new: Sequence[Row]) -> tuple[Change, ...]:
    """Return one change per row that stands in either, in the order of the new ones."""
    before = {(row.scenario, row.method): row for row in old}
    after = {(row.scenario, row.method): row for row in new}
    return tuple(_change(key, before.get(key), after.get(key)) for key in {**after, **before})


def _change(key: tuple[str, str], old: Row | None, new: Row | None) -> Change:
    took_part, takes_part = (row is not None and row.valid is not None for row in (old, new))
    comparable = bool(old and new and old.valid and new.valid)
    remarks, worse = [], False
    if took_part and not takes_part:
        remarks, worse = ["vanished"], True
    elif takes_part and not took_part:
        remarks = ["appeared"]
    elif old and new and old.valid != new.valid:
        remarks, worse = ["became valid" if new.valid else "became invalid"], not new.valid
    lost = _lost(old, new)
    if lost:
        remarks.append(f"no longer found: {', '.join(lost)}")
    before, after = (row.median if row else None for row in (old, new))
    ratio = quotient(after, before) if comparable else None
    return Change(
        scenario=key[0],
        method=key[1],
        old=before,
        new=after,
        ratio=ratio,
        remarks=tuple(remarks),
        worse=worse or bool(lost),
    )


def _lost(old: Row | None, new: Row | None) -> list[str]:
    """Return the planted faults that were found and are not any more."""
    before = (old.faults if old else None) or {}
    after = (new.faults if new else None) or {}
    return [name for name, found in before.items() if found and after.get(name) is False]


def differing_machines(old: Sequence[Row], new: Sequence[Row]) -> list[str]:
    """Return in what the two environments differ; times can only be compared where nothing does."""
    before, after = (_machine(rows) for rows in (old, new))
    return [f"{key}: {before[key]} / {after[key]}" for key in _MACHINE if before[key] != after[key]]


def _machine(rows: Sequence[Row]) -> dict[str, Any]:
    environment = rows[0].environment if rows else {}
    return {key: environment.get(key) for key in _MACHINE}
