"""What the gateway is told: where the services are, how it is reached, and its secrets."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class DemoAccount(BaseModel):
    """An account of the demo enterprise, offered on the sign-in page as one tap."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    login: str
    name: str
    role: str
    password: str


class Settings(BaseModel):
    """The gateway's settings; `FOOTHOLD_<NAME>` in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: str = Field(
        default="127.0.0.1:0", description="host:port to serve HTTP on; port 0 takes a free one"
    )
    public_url: str = Field(
        default="",
        description="The address people use, e.g. https://foothold.example.com. With https cookies are Secure "
        "and browsers are told to stay on https. Empty: plain http on one's own machine",
    )
    identity_address: str = Field(description="host:port of identity")
    goals_address: str = Field(description="host:port of goals")
    incentives_address: str = Field(description="host:port of incentives")
    training_address: str = Field(description="host:port of training")
    verifying_keys: str = Field(description="PEM public keys that access tokens are verified with")
    component_token: SecretStr = Field(
        description="The gateway's own token: it opens the feeds, and identity believes where sign-ins come from"
    )
    cookie_secret: SecretStr = Field(
        min_length=32, description="What session cookies are encrypted with; the same on every replica"
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="What senders sign POST /webhooks/crm with: whsec_<base64>, or any text. Empty: closed",
    )
    webhook_token: SecretStr = Field(
        default=SecretStr(""),
        description="Token of the service account whose name webhook facts are recorded in. Empty: closed",
    )
    currency: str = Field(
        default="CNY", pattern="[A-Z]{3}", description="The enterprise's currency, ISO 4217"
    )
    demo_accounts: tuple[DemoAccount, ...] = Field(
        default=(), description="Accounts offered on the sign-in page; only for demonstrations"
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=5, description="How many proxies in front set X-Forwarded-*; 0 believes none"
    )
    threads: int = Field(
        default=16, ge=2, le=256, description="Pages computed at the same time; live pages cost none"
    )
    live_pages: int = Field(
        default=4096, ge=1, le=100_000, description="Live pages one process holds at most"
    )
    live_pages_per_session: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="Live pages one process holds for one signed-in browser; more still work, without updates",
    )
    telemetry_endpoint: str = Field(default="", description="OTLP gRPC endpoint; empty: nothing is exported")
    telemetry_sampling: Decimal = Field(
        default=Decimal(1), ge=0, le=1, description="The share of traces recorded; metrics count everything"
    )
    log_level: str = Field(default="info", pattern="(?i)debug|info|warning|error")

    @property
    def https(self) -> bool:
        """Whether people reach the gateway over https."""
        return self.public_url.startswith("https://")
