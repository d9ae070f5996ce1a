"""Photos of honours: kept apart from them, so that lists of honours stay small."""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

_KEEP: Final = text("""
INSERT INTO honour_photo (honour_id, etag, photo) VALUES (:id, :etag, :photo)
ON CONFLICT (honour_id) DO UPDATE SET etag = excluded.etag, photo = excluded.photo
""")
_GET: Final = text("SELECT photo FROM honour_photo WHERE honour_id = :id")
_REMOVE: Final = text("DELETE FROM honour_photo WHERE honour_id = ANY (:ids)")
# A new photo is not shown because the one before was.
_HIDE: Final = text("UPDATE honour SET photo_shown = false WHERE id = ANY (:ids) AND photo_shown")
_ETAG_LENGTH: Final = 32


def keep(connection: Connection, honour_id: str, photo: bytes) -> str:
    """Store a photo instead of the one before; its etag, which names its content."""
    etag = hashlib.sha256(photo).hexdigest()[:_ETAG_LENGTH]
    connection.execute(_KEEP, {"id": honour_id, "etag": etag, "photo": photo})
    return etag


def get(connection: Connection, honour_id: str) -> bytes:
    """The photo; empty where there is none."""
    photo: bytes = connection.execute(_GET, {"id": honour_id}).scalar_one_or_none() or b""
    return photo


def remove(connection: Connection, honour_ids: Sequence[str]) -> int:
    """Delete the photos; how many there were. What their people said about showing them goes with them."""
    ids = {"ids": list(honour_ids)}
    connection.execute(_HIDE, ids)
    return connection.execute(_REMOVE, ids).rowcount
