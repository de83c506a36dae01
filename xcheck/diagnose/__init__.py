"""Diagnose: after a failure, which mistake explains the wrong gradient, and where it entered.

Each rule takes the `Evidence` against a witness and proposes hypotheses; `explain_residual` picks those that explain
the residual down to the noise.
"""

from xcheck.diagnose.consensus import consensus, consensus_findings, odd_one_out
from xcheck.diagnose.diagnosis import Diagnosis, diagnosis_of
from xcheck.diagnose.evidence import Evidence, Hypothesis, explains
from xcheck.diagnose.forward_pass import Forward, parted, shown
from xcheck.diagnose.origin import origin
from xcheck.diagnose.ranking import explain_residual

__all__ = [
    "Diagnosis",
    "Evidence",
    "Forward",
    "Hypothesis",
    "consensus",
    "consensus_findings",
    "diagnosis_of",
    "explain_residual",
    "explains",
    "odd_one_out",
    "origin",
    "parted",
    "shown",
]
