"""Identity's servicers."""

from services.identity.handlers.access import AccessService
from services.identity.handlers.desk import Desk
from services.identity.handlers.directory import DirectoryService
from services.identity.handlers.feed import FeedService
from services.identity.handlers.sessions import SessionService

__all__ = ["AccessService", "Desk", "DirectoryService", "FeedService", "SessionService"]
