"""The domain's refusals as answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from chassis.errors import (
    AlreadyExists,
    FailedPrecondition,
    Failure,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from services.identity.domain.refusals import Refused

_KINDS: Final[Mapping[str, type[Failure]]] = {
    "FIELD_INVALID": InvalidArgument,
    "PASSWORD_WEAK": InvalidArgument,
    "PERMISSION_UNKNOWN": InvalidArgument,
    "ALREADY_EXISTS": AlreadyExists,
    "NODE_UNKNOWN": NotFound,
    "PERSON_UNKNOWN": NotFound,
    "ROLE_UNKNOWN": NotFound,
    "BINDING_UNKNOWN": NotFound,
    "SERVICE_ACCOUNT_UNKNOWN": NotFound,
    "GRANT_EXCEEDS_CALLER": PermissionDenied,
    "PERMISSION_MISSING": PermissionDenied,
    "TREE_INVALID": FailedPrecondition,
    "ROLE_BUILT_IN": FailedPrecondition,
    "ALREADY_DISMISSED": FailedPrecondition,
    "LAST_ADMINISTRATOR": FailedPrecondition,
}


def _failure_of(refused: Refused, within: str) -> Failure:
    fields = {within + refused.field: refused.message} if refused.field else None
    return _KINDS[refused.reason](refused.reason, refused.message, fields=fields)


@contextmanager
def refusals(within: str = "") -> Iterator[None]:
    """What the domain refuses inside is answered as the failure it means; its field lies `within` a path."""
    try:
        yield
    except Refused as refused:
        raise _failure_of(refused, within) from refused
