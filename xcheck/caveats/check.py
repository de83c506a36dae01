"""Caveats about a check of a declared network: kinks, components that are undecided, and the audits of the oracle."""

from collections.abc import Sequence

import numpy as np

from xcheck import findings as codes
from xcheck.caveats.kinks import units_at_kinks
from xcheck.caveats.undecided import undecided_components
from xcheck.compare.pair import Pair
from xcheck.findings import Finding
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.estimators.audit import Audit


def check_caveats(pairs: Sequence[Pair], estimate: Estimate, layout: Layout) -> list[Finding]:
    """Return what the check does not show, whatever the network."""
    failed = [audit for audit in estimate.audits if not audit.passed]
    blind = [audit for audit in estimate.audits if audit.passed and audit.components and not audit.decided]
    warnings = [
        units_at_kinks(estimate, layout),
        *map(_contradicted, failed),
        *map(_decided_nothing, blind),
        # Without a loss nothing is decided, and a finding says so.
        undecided_components(pairs) if np.isfinite(estimate.loss) else None,
    ]
    return [warning for warning in warnings if warning]


def _contradicted(audit: Audit) -> Finding:
    text = (
        f"the {audit.engine} engine was contradicted by the {audit.by} engine in an audit of {audit.components} "
        f"components (by {audit.worst:.2g} error bars) and given up: this is a mistake in xcheck, please report it"
    )
    return Finding(code=codes.AUDIT_FAILED, text=text, value=audit.worst)


def _decided_nothing(audit: Audit) -> Finding:
    text = (
        f"the {audit.engine} engine was audited by the {audit.by} engine, and the audit shows nothing: in all of the "
        f"{audit.components} components that both have measured, the error bars are wider than a hundredth of the "
        "tensor's largest slope"
    )
    return Finding(code=codes.AUDIT_UNDECIDED, text=text, value=float(audit.components))
