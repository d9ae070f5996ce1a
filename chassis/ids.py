"""Identifiers that sort by the time they were made."""

import os
import time


def new_id() -> str:
    """A UUIDv7 (RFC 9562), lower-case with dashes.

    The twelve bits after the milliseconds hold their fraction (RFC 9562, 6.2, method 3), so that ids made
    one after another by a process land beside each other in an index.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    number = (milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | random
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
