"""What each of identity's methods needs."""

from collections.abc import Mapping
from typing import Final

from access import PUBLIC, SIGNED_IN

_DIRECTORY: Final = "/foothold.identity.v1.DirectoryService/"
_ACCESS: Final = "/foothold.identity.v1.AccessService/"
_SESSIONS: Final = "/foothold.identity.v1.SessionService/"
_FEED: Final = "/foothold.identity.v1.FeedService/"

PERMISSIONS: Final[Mapping[str, str]] = {
    _DIRECTORY + "CreateNode": "identity.nodes.write",
    _DIRECTORY + "UpdateNode": "identity.nodes.write",
    _DIRECTORY + "GetNode": "identity.nodes.read",
    _DIRECTORY + "ListNodes": "identity.nodes.read",
    _DIRECTORY + "CreatePerson": "identity.people.write",
    _DIRECTORY + "ImportPeople": "identity.people.write",
    _DIRECTORY + "UpdatePerson": "identity.people.write",
    _DIRECTORY + "DismissPerson": "identity.people.dismiss",
    _DIRECTORY + "GetPerson": "identity.people.read",
    _DIRECTORY + "ListPeople": "identity.people.read",
    _ACCESS + "ListRoles": "identity.roles.read",
    _ACCESS + "CreateRole": "identity.roles.write",
    _ACCESS + "CreateBinding": "identity.bindings.write",
    _ACCESS + "DeleteBinding": "identity.bindings.write",
    _ACCESS + "ListBindings": "identity.bindings.read",
    _ACCESS + "CreateServiceAccount": "identity.service_accounts.write",
    _ACCESS + "IssueServiceAccountToken": "identity.service_accounts.write",
    _ACCESS + "DisableServiceAccount": "identity.service_accounts.write",
    _ACCESS + "ListServiceAccounts": "identity.service_accounts.read",
    _SESSIONS + "SignIn": PUBLIC,
    _SESSIONS + "RefreshSession": PUBLIC,
    _SESSIONS + "SignOut": SIGNED_IN,
    _SESSIONS + "GetCaller": SIGNED_IN,
    _SESSIONS + "ChangePassword": SIGNED_IN,
    _SESSIONS + "ResetPassword": "identity.passwords.reset",
    _FEED + "ListEvents": "identity.feed.read",
}
