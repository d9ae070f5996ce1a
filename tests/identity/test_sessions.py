"""Signing in and out."""

from tests.fixtures_identity import PASSWORD, Enterprise, enterprise

__all__ = ["enterprise"]


def test_somebody_signs_in(enterprise: Enterprise) -> None:
    answer = enterprise.sign_in("  NEW-BJ-1 ", PASSWORD)
    assert answer.person.id == "new-bj-1"
