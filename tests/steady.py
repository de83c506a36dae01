"""Texts of reports without what depends on the machine: README, pages and golden reports are compared through this.

Processors, BLAS kernels and vector widths round differently. So do the differences that an oracle takes, and with them
its error bars, whatever is given in bars, which component comes closest to its bar, and how many losses it took.
"""

import re

# Everything below this is rounding or an error bar: its size may change with the processor, but not that it is small.
_ROUNDING = 1e-6
_VARIABLE = (
    # The oracle's own lines, and those that it is folded into: seconds, losses, steps.
    (r"^  oracle: .*?(?=\n\n|\n```|\Z)", ""),
    (r"[\d,]+ losses in \d+\.\d s", "<count> losses in <time>"),
    (r"tightest: .*?(?=\n\n|\n```|\Z)", "tightest: <rounding>"),
    (r"[\d.e+-]+(?=\s+(error\s+)?bars)", "<rounding>"),
)


def steady(text: str) -> str:
    """Return a report without what depends on the machine.

    Of other numbers four digits stay, and of those below 1e-6 that they are; lines that are folded elsewhere are alike.

    >>> steady("K[1, 1]  -1.7652971  -0.88264848  2e-09")
    'K[1, 1] -1.765 -0.8826 <rounding>'
    >>> steady("odd one out: numpy, 3e+10 error bars off; torch agrees with the oracle, within 0.03 error bars")
    'odd one out: numpy, <rounding> error bars off; torch agrees with the oracle, within <rounding> error bars'
    >>> steady("difference 4.3e-13: great; 4,694 losses in 0.6 s (batched)")
    'difference <rounding>: great; <count> losses in <time> (batched)'
    """
    for pattern, words in _VARIABLE:
        text = re.sub(pattern, words, text, flags=re.DOTALL | re.MULTILINE)
    return " ".join(re.sub(r"-?\d+\.?\d*(e[-+]\d+)?", _rounded, text).split())


def _rounded(number: re.Match[str]) -> str:
    value = float(number[0])
    return "<rounding>" if 0 < abs(value) < _ROUNDING else f"{value:.4g}"
