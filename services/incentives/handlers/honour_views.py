"""What a caller sees of honours."""

from access import Scope
from services.incentives.domain.honours import Honour


def sees(scope: Scope, honour: Honour) -> bool:
    """Whether the caller sees that there is one: everybody what is shown, their own, and those who confirm."""
    who = scope.caller
    own = bool(honour.person_id) and honour.person_id == who.person_id
    return honour.is_shown or own or who.may("incentives.honours.confirm", honour.node_id)


def seen_photo(scope: Scope, honour: Honour) -> str:
    """The etag of the photo where the caller may see it: their own, or one shown at a node of theirs; else empty.

    Of somebody who has left nobody sees it, though it may be there for an hour still.
    """
    if honour.person_id == scope.caller.person_id:
        return honour.photo
    person = scope.caller.directory.person(honour.person_id)
    here = person is not None and person.active and scope.is_member(honour.node_id)
    return honour.shown_photo if here else ""
