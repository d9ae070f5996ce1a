"""Hashing passwords: Argon2id, a few at a time, and as slow for nobody as for somebody."""

import threading
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.identity.settings import PasswordCost

_LANES: Final = 1
CHEAP: Final = PasswordCost(memory_kib=64, passes=1)
"""For demos and tests: hundreds of accounts in a moment, worth nothing against an attacker."""


class Passwords:
    """Makes and checks password hashes at one cost."""

    def __init__(self, cost: PasswordCost) -> None:
        self._hasher = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=_LANES, type=Type.ID
        )
        # Each hash holds its memory while it is computed; a crowd that signs in must not add up.
        self._turns = threading.BoundedSemaphore(cost.at_once)
        self._nobodys = self._hasher.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """The password's hash with its salt and parameters."""
        with self._turns:
            return self._hasher.hash(password)

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one hashed. Without a hash it takes as long, and is False."""
        with self._turns:
            try:
                self._hasher.verify(stored or self._nobodys, password)
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)
