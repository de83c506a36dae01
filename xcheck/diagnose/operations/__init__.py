"""Operations: which of a loss's operations has a wrong backward pass, at which line, and why."""

from xcheck.diagnose.operations.findings import operation_findings

__all__ = ["operation_findings"]
