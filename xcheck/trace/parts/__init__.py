"""Complex numbers in a trace, as pairs of real ones."""

from xcheck.trace.parts.rewrite import in_real_parts

__all__ = ["in_real_parts"]
