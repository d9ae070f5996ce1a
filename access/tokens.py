"""Access tokens: who is calling, signed by identity (EdDSA over Ed25519, RFC 8037), verified everywhere.

What the caller may do is not in the token: it is looked up in the directory at each call.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from chassis.clock import Clock, SystemClock

ISSUER: Final = "foothold"
LONGEST_TOKEN: Final = 2048
COMPONENTS: Final = ("identity", "goals", "training", "incentives", "gateway")
_KEPT: Final = 16_384
_PEM_END: Final = "-----END PUBLIC KEY-----"


class CallerKind(Enum):
    """What calls."""

    PERSON = "person"
    SERVICE_ACCOUNT = "service_account"
    COMPONENT = "component"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `session_id` is empty for all but people."""

    kind: CallerKind
    subject: str
    session_id: str
    issued_at: datetime
    expires_at: datetime


class TokenRefused(Exception):  # noqa: N818  a refusal is an answer
    """The token is malformed, not ours, or expired."""


def generate_keys() -> tuple[str, str]:
    """A new private and public key, both PEM."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return pem, public_pem(private)


def public_pem(private: Ed25519PrivateKey) -> str:
    """The public half, PEM."""
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_private(pem: str) -> Ed25519PrivateKey:
    """The signing key. ValueError when the text is no Ed25519 private key."""
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the signing key must be an Ed25519 private key in PEM")  # noqa: TRY004  a wrong value
    return key


def load_public(pem: str) -> list[Ed25519PublicKey]:
    """The verifying keys: one or more PEM blocks, so that a new key can be trusted before it signs."""
    keys = []
    for block in pem.split(_PEM_END):
        if block.strip():
            key = load_pem_public_key((block + _PEM_END).encode())
            if not isinstance(key, Ed25519PublicKey):
                raise ValueError("the verifying keys must be Ed25519 public keys in PEM")
            keys.append(key)
    if not keys:
        raise ValueError("no verifying key was given")
    return keys


def _key_id(key: Ed25519PublicKey) -> str:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


class TokenIssuer:
    """Signs tokens. Only identity and the launcher have one."""

    def __init__(self, private: Ed25519PrivateKey, *, clock: Clock | None = None) -> None:
        self._private = private
        self._key_id = _key_id(private.public_key())
        self._clock = clock or SystemClock()

    def person(self, person_id: str, *, session_id: str, lifetime: timedelta) -> tuple[str, datetime]:
        """A person's access token and when it expires."""
        return self._issue(CallerKind.PERSON, person_id, lifetime, session_id)

    def service_account(self, account_id: str, *, lifetime: timedelta) -> tuple[str, datetime]:
        """A service account's token and when it expires."""
        return self._issue(CallerKind.SERVICE_ACCOUNT, account_id, lifetime)

    def component(self, name: str, *, lifetime: timedelta) -> str:
        """A token for one of the platform's own processes; it opens feeds, and says which process calls."""
        if name not in COMPONENTS:
            raise ValueError(f"no such component: {name}")
        return self._issue(CallerKind.COMPONENT, name, lifetime)[0]

    def _issue(
        self, kind: CallerKind, subject: str, lifetime: timedelta, session_id: str = ""
    ) -> tuple[str, datetime]:
        issued = self._clock.now().replace(microsecond=0)
        expires = issued + lifetime
        claims = {"iss": ISSUER, "sub": subject, "kind": kind.value, "iat": issued, "exp": expires}
        if session_id:
            claims["sid"] = session_id
        token = jwt.encode(claims, self._private, algorithm="EdDSA", headers={"kid": self._key_id})
        return token, expires


class TokenVerifier:
    """Verifies tokens, and remembers by hash those it has verified until they expire.

    The memory is two generations of a plain dict: the younger is filled, and when full it becomes the
    older. No lock is needed, and it never holds more than twice `_KEPT` entries.
    """

    def __init__(self, keys: Sequence[Ed25519PublicKey], *, clock: Clock | None = None) -> None:
        self._keys = {_key_id(key): key for key in keys}
        self._clock = clock or SystemClock()
        self._young: dict[bytes, Claims] = {}
        self._old: dict[bytes, Claims] = {}

    def verify(self, token: str) -> Claims:
        """What the token says. TokenRefused when it is malformed, not ours, or expired."""
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused("the token is too long")
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        claims = self._young.get(digest)
        if claims is None:
            claims = self._old.get(digest) or self._check(token)
            self._keep(digest, claims)
        if claims.expires_at <= self._clock.now():
            raise TokenRefused("the token has expired")
        return claims

    def _keep(self, digest: bytes, claims: Claims) -> None:
        young = self._young
        if len(young) >= _KEPT:
            self._old, self._young = young, {}
            young = self._young
        young[digest] = claims

    def _check(self, token: str) -> Claims:
        try:
            key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                raise TokenRefused("the token was signed with a key that is not trusted here")
            # Expiry is checked against our own clock, at each use.
            payload = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer=ISSUER,
                options={
                    "require": ["iss", "sub", "iat", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return _claims(payload)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise TokenRefused("the token is malformed or was not issued by this platform") from error


def _claims(payload: Mapping[str, Any]) -> Claims:
    kind = CallerKind(payload["kind"])
    session_id = payload.get("sid", "")
    if not isinstance(session_id, str) or bool(session_id) is not (kind is CallerKind.PERSON):
        raise ValueError("a person's token names its session, and no other does")
    return Claims(
        kind=kind,
        subject=payload["sub"],
        session_id=session_id,
        issued_at=datetime.fromtimestamp(payload["iat"], UTC),
        expires_at=datetime.fromtimestamp(payload["exp"], UTC),
    )
