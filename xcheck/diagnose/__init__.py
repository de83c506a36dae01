"""Diagnose: after a failure, which mistake explains the wrong gradient, and where it entered.

Each rule is a function of the `Evidence`; `diagnosed` picks those that explain the residual down to the noise.
"""

from xcheck.diagnose.diagnosis import diagnosed, origin
from xcheck.diagnose.evidence import Evidence, Guess, explains

__all__ = ["Evidence", "Guess", "diagnosed", "explains", "origin"]
