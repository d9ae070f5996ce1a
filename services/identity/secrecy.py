"""Everything that makes or checks a secret: passwords, tokens, fingerprints."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from access import TokenIssuer
from services.identity.passwords import Passwords


class Secrecy:
    """Identity's secrets in one place; nothing else holds the signing key."""

    def __init__(
        self,
        *,
        passwords: Passwords,
        issuer: TokenIssuer,
        key: str,
        access_lifetime: timedelta,
        session_lifetime: timedelta,
    ) -> None:
        self.passwords = passwords
        self.access_lifetime = access_lifetime
        self.session_lifetime = session_lifetime
        self._issuer = issuer
        self._fingerprint_key = hashlib.sha256(b"foothold fingerprints" + key.encode()).digest()
        self._refresh_key = hashlib.sha256(b"foothold refresh tokens" + key.encode()).digest()

    def access_token(self, person_id: str, session_id: str) -> tuple[str, datetime]:
        """A person's access token and its end."""
        return self._issuer.person(person_id, session_id=session_id, lifetime=self.access_lifetime)

    def service_account_token(self, account_id: str, days: int) -> tuple[str, datetime]:
        """A service account's token and its end."""
        return self._issuer.service_account(account_id, lifetime=timedelta(days=days))

    def refresh_token(self) -> str:
        """A new session's refresh token: 256 random bits."""
        return secrets.token_urlsafe(32)

    def next_refresh_token(self, token: str) -> str:
        """The one that replaces it: always the same, so that it can be told again without having been kept."""
        digest = hmac.new(self._refresh_key, token.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def fingerprint(self, secret: str) -> str:
        """A password as it may stand in a stored request's digest: recognisable, and worthless without our key."""
        return hmac.new(self._fingerprint_key, secret.encode(), hashlib.sha256).hexdigest() if secret else ""
