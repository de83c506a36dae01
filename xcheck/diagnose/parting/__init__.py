"""Parting: the operation at which the forward passes of two implementations part.

Values of both are matched by their numbers, however these lie in memory. The first that has no match, and from which no
way to the loss comes back to one that has, is where to look.
"""

from xcheck.diagnose.parting.findings import operation_parting

__all__ = ["operation_parting"]
