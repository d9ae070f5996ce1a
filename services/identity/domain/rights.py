"""Roles, bindings, service accounts, and who may grant what."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.identity.domain.refusals import Refused
from services.identity.domain.roles import BUILT_IN, PERMISSIONS

ADMINISTRATOR: Final = "administrator"
MENTOR: Final = "mentor"
# Reach nothing beyond their holder's own leaf, so that whoever may hire may give them there.
_OWN_LEAF_ROLES: Final = frozenset({"salesperson"})


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions."""

    id: str
    name: str
    permissions: frozenset[str]
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """A role granted to a subject, a person or a service account, on a node and all below it."""

    id: str
    role_id: str
    subject_id: str
    node_id: str
    granted_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An integrator's account: no password, no session, only issued tokens."""

    id: str
    name: str
    created_at: datetime
    disabled: bool = False


def built_in_roles() -> list[Role]:
    """The roles every enterprise has."""
    return [Role(id, name, permissions, built_in=True) for id, (name, permissions) in BUILT_IN.items()]


def require_new_role(role: Role, known: Mapping[str, Role]) -> None:
    """Refuse a role that is built in, exists, or names a permission the platform does not know."""
    if role.id in BUILT_IN:
        raise Refused("ROLE_BUILT_IN", "built-in roles cannot be changed", field="role.id")
    if role.id in known:
        raise Refused("ALREADY_EXISTS", "a role with that id exists", field="role.id")
    unknown = sorted(role.permissions - set(PERMISSIONS))
    if unknown:
        raise Refused("PERMISSION_UNKNOWN", f"not known: {', '.join(unknown[:5])}", field="role.permissions")


def require_may_grant(role: Role, holds: Callable[[str], bool], *, hiring_on_own_leaf: bool = False) -> None:
    """Refuse (GRANT_EXCEEDS_CALLER) a grant beyond what its giver may give.

    `holds(permission)` answers for the node of the grant. Who holds identity.roles.write there besides
    identity.bindings.write administers rights and may give any role, also one with more than they hold
    themselves: an administrator appoints those who see customers without seeing customers. Everybody
    else gives at most what they hold. Whoever hires (identity.people.write) may give a new colleague the
    salesperson role on the colleague's own leaf. docs/decisions/0203.
    """
    if hiring_on_own_leaf and role.id in _OWN_LEAF_ROLES and holds("identity.people.write"):
        return
    if holds("identity.bindings.write") and (
        holds("identity.roles.write") or all(holds(permission) for permission in role.permissions)
    ):
        return
    raise Refused("GRANT_EXCEEDS_CALLER", f"you cannot grant the role {role.id} there", field="role_id")


def require_may_take_over(
    bound_at: Collection[str], covers: Callable[[str], bool], *, writes_rights: bool, may_write_rights: bool
) -> None:
    """Refuse (GRANT_EXCEEDS_CALLER) setting the password of somebody who may do more than the caller.

    A password makes the caller that person. So every node the person is bound on must be `covers`-ed by the
    caller's own right to reset, and a person who writes rights needs a caller who does.
    """
    if not all(covers(node) for node in bound_at) or (writes_rights and not may_write_rights):
        raise Refused("GRANT_EXCEEDS_CALLER", "that person may do more than you", field="person_id")
