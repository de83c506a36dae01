"""Verdict: the outcome of a comparison or a whole check, and the exit status that follows from it."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """The outcome of a comparison, from harmless to severe."""

    AGREE = "AGREE"
    UNDECIDED = "UNDECIDED"
    DISAGREE = "DISAGREE"
    ERROR = "ERROR"

    @property
    def exit_status(self) -> int:
        """Exit status of the process: 0, 3, 1, 4 (2 is a wrong command line or definition)."""
        return {"AGREE": 0, "UNDECIDED": 3, "DISAGREE": 1, "ERROR": 4}[self]

    @classmethod
    def worst(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """Return the most severe of the verdicts, AGREE if there is none.

        >>> Verdict.worst([Verdict.UNDECIDED, Verdict.DISAGREE, Verdict.AGREE])
        <Verdict.DISAGREE: 'DISAGREE'>
        """
        return max(verdicts, key=_SEVERITY.index, default=cls.AGREE)


# As defined above, from harmless to severe.
_SEVERITY = list(Verdict)
