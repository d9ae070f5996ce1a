"""How large the numbers of a plan may be."""

from typing import Final

LARGEST_AMOUNT: Final = 10**12
"""Of money, in minor units."""
LARGEST_NUMERATOR: Final = 10**15
LARGEST_DENOMINATOR: Final = 10**9
LARGEST_FACTOR: Final = 10
MOST_MONTHS: Final = 60
