"""Diagnose: after a failure, which mistake explains the wrong gradient, and where it entered.

Each rule is a function of the `Evidence`; `diagnosed` picks those that explain the residual down to the noise.
"""

from xcheck.diagnose.consensus import consensus, consensus_findings, odd_one_out
from xcheck.diagnose.diagnosis import Circumstances, Diagnosis, diagnosis_of, evidence_against
from xcheck.diagnose.evidence import Evidence, Hypothesis, explains
from xcheck.diagnose.forward_pass import Forward, parted, shown
from xcheck.diagnose.origin import origin
from xcheck.diagnose.ranking import diagnosed

__all__ = [
    "Circumstances",
    "Diagnosis",
    "Evidence",
    "Forward",
    "Hypothesis",
    "consensus",
    "consensus_findings",
    "diagnosed",
    "diagnosis_of",
    "evidence_against",
    "explains",
    "odd_one_out",
    "origin",
    "parted",
    "shown",
]
