"""Deletes photos of honours that have lost their reason."""

from typing import Final

from sqlalchemy import Connection

from access import Directory
from chassis.housekeeping import Work
from services.incentives.catalogue import Catalogue
from services.incentives.domain.honours import Honour, HonourState
from services.incentives.store import honour_photos, honours

_PIECE: Final = 500


def forget_photos(catalogue: Catalogue, directory: Directory) -> Work:
    """Deletes photos of honours that are withdrawn, and of people who have left. A work of `chassis.housekeeping`."""

    def lost(honour: Honour) -> bool:
        person = directory.person(honour.person_id)
        # Whom the replica does not know yet has not left.
        left = person is not None and not person.active
        return left or honour.state is HonourState.WITHDRAWN

    def forget(connection: Connection) -> int:
        boards, after = catalogue.refresh_boards(connection), ""
        while found := honours.with_photo(connection, boards, after=after, limit=_PIECE):
            gone = [each.id for each in found if lost(each)]
            if gone:
                return honour_photos.remove(connection, gone)
            after = found[-1].id
        return 0

    return forget
