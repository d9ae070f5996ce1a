"""How identity is set up. Everything may come from TOML or FOOTHOLD_ variables; secrets from files too."""

from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_MINUTE: Final = 60


class PasswordCost(BaseModel):
    """What one Argon2id hash costs. The parameters are kept in each hash; a sign-in renews an outdated one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory_kib: int = Field(default=19_456, ge=8, le=1_048_576, description="Memory for one hash, KiB.")
    passes: int = Field(default=2, ge=1, le=20, description="Passes over that memory.")
    at_once: int = Field(default=4, ge=1, le=64, description="Hashes computed at the same time, per process.")


class Settings(BaseModel):
    """Identity's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: str = Field(
        default="127.0.0.1:0", description="host:port to serve gRPC on; port 0 is any free one."
    )
    database_url: SecretStr = Field(description="PostgreSQL URL of identity's own role.")
    database_pool: int = Field(default=16, ge=4, le=200, description="Connections to the database, at most.")
    signing_key: SecretStr = Field(description="Ed25519 private key, PEM: signs access tokens.")
    verifying_keys: str = Field(
        default="",
        description="Public keys, PEM, one or more: whose tokens are taken. Empty: the signing key's own.",
    )
    access_seconds: int = Field(
        default=10 * _MINUTE, ge=_MINUTE, le=60 * _MINUTE, description="How long an access token works."
    )
    session_days: int = Field(
        default=30, ge=1, le=366, description="How long a session can be refreshed before signing in again."
    )
    password_cost: PasswordCost = PasswordCost()
    demo_passwords: bool = Field(
        default=False, description="Cheap password hashes, for a demo's many accounts. Never for real people."
    )
    feed_kept_days: int = Field(
        default=30,
        ge=2,
        le=3650,
        description="How many days the feed keeps every event; older ends of sessions are dropped.",
    )
    telemetry_endpoint: str = Field(default="", description="OTLP gRPC endpoint; empty is off.")
    telemetry_sampling: Decimal = Field(
        default=Decimal(1), ge=0, le=1, description="The share of traces recorded; metrics count everything."
    )
    log_level: str = Field(default="info", description="debug, info, warning or error.")
