"""What identity keeps, in domain values."""

from services.identity.store.accounts import AccountStore, FoundAccount
from services.identity.store.ledger import Ledger, feed_position
from services.identity.store.nodes import NodeStore
from services.identity.store.people import PeopleFilter, PeopleStore
from services.identity.store.rights import RightsStore

__all__ = [
    "AccountStore",
    "FoundAccount",
    "Ledger",
    "NodeStore",
    "PeopleFilter",
    "PeopleStore",
    "RightsStore",
    "feed_position",
]
