"""Diagnose: after a failure, which mistake explains the wrong gradient, and where it entered.

Each rule takes the `Evidence` against a witness and proposes hypotheses; `explain_residual` picks those that explain
the residual down to the noise.
"""

from xcheck.diagnose.consensus import consensus, consensus_findings, group_losses, odd_one_out
from xcheck.diagnose.diagnosis import Diagnosis, diagnose_gradients
from xcheck.diagnose.evidence import Evidence, Hypothesis, explains
from xcheck.diagnose.forward_pass import Forward, activations_of, locate_difference
from xcheck.diagnose.origin import origin
from xcheck.diagnose.ranking import explain_residual

__all__ = [
    "Diagnosis",
    "Evidence",
    "Forward",
    "Hypothesis",
    "activations_of",
    "consensus",
    "consensus_findings",
    "diagnose_gradients",
    "explain_residual",
    "explains",
    "group_losses",
    "locate_difference",
    "odd_one_out",
    "origin",
]
