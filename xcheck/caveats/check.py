"""What a report says beside its numbers: findings (why it failed) and warnings (what it does not prove)."""

from collections.abc import Sequence

import numpy as np

from xcheck import findings as codes
from xcheck.compare.pair import ORACLE, Pair
from xcheck.findings import Finding
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.estimators.audit import Audit


def check_caveats(pairs: Sequence[Pair], estimate: Estimate, layout: Layout) -> list[Finding]:
    """Return what the check does not prove."""
    doubts = []
    if estimate.ties:
        text = (
            f"{estimate.ties} units sit on a kink, to rounding (z = 0, or W = 0 under l1; summed over examples): there "
            "every slope between the two sides is right, and frameworks choose by convention"
            f"{_widest_kink(estimate, layout)}"
        )
        doubts.append(Finding(code=codes.AT_A_KINK, text=text, value=float(estimate.ties)))
    doubts += [_contradicted(audit) for audit in estimate.audits if not audit.passed]
    doubts += [_vain(audit) for audit in estimate.audits if audit.passed and audit.components and not audit.decided]
    judged = [pair for pair in pairs if pair.b == ORACLE and pair.undecided and not pair.spread]
    if judged and np.isfinite(estimate.loss):
        doubts.append(_undecided(max(judged, key=lambda pair: pair.undecided)))
    return doubts


def _widest_kink(estimate: Estimate, layout: Layout) -> str:
    """Name the component with the widest interval of slopes, if there is one at all."""
    width = np.nan_to_num(estimate.upper - estimate.lower)
    flat = int(np.argmax(width)) if len(width) else 0
    if not len(width) or width[flat] <= 2 * estimate.error_bar[flat]:
        return ""
    interval = f"subgradient [{estimate.lower[flat]:.5g}, {estimate.upper[flat]:.5g}]"
    return f"; {layout.locate(flat)}: kink, {interval}"


def _contradicted(audit: Audit) -> Finding:
    text = (
        f"the {audit.engine} engine was contradicted by the {audit.by} engine in an audit of {audit.components} "
        f"components (by {audit.worst:.2g} error bars) and given up: this is a mistake in xcheck, please report it"
    )
    return Finding(code=codes.AUDIT_FAILED, text=text, value=audit.worst)


def _vain(audit: Audit) -> Finding:
    text = (
        f"the audit of the {audit.engine} engine by the {audit.by} engine decided nothing: in none of its "
        f"{audit.components} components are the error bars narrower than a hundredth of the tensor's largest slope"
    )
    return Finding(code=codes.AUDIT_UNDECIDED, text=text, value=float(audit.components))


def _undecided(pair: Pair) -> Finding:
    tensors = [tensor for tensor in pair.tensors if tensor.undecided]
    where = ", ".join(f"{tensor.undecided} of {tensor.of} in {tensor.name}" for tensor in tensors)
    text = (
        f"{pair.undecided} of {pair.of} components cannot be decided ({where}): too small beside the noise of the loss "
        "or rounding, or at a kink with a slope that no framework would choose"
    )
    return Finding(code=codes.UNDECIDED_COMPONENTS, text=text, tensor=tensors[0].name, value=float(pair.undecided))
