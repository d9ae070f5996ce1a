"""Every service in this process, each on its own port with its own database, as `foothold serve` runs them."""

import importlib
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Final

import grpc
from foothold.goals.v1 import feed_pb2 as goals_feed
from foothold.goals.v1 import feed_pb2_grpc as goals_feed_grpc
from foothold.incentives.v1 import feed_pb2 as incentives_feed
from foothold.incentives.v1 import feed_pb2_grpc as incentives_feed_grpc
from foothold.training.v1 import feed_pb2 as training_feed
from foothold.training.v1 import feed_pb2_grpc as training_feed_grpc

from access import TokenIssuer, load_private
from access.tokens import generate_keys
from chassis.channel import connect
from chassis.database import migrate, provision, schema_of
from chassis.ids import new_id
from chassis.server import Server
from chassis.settings import load
from services.gateway.service import Gateway
from tests.permissions.tapping import Taps

SERVICES: Final = ("identity", "goals", "training", "incentives")
_OPERATOR: Final = "operator"
_DAY: Final = timedelta(days=1)


class Platform:
    """Started on an empty database; stop it with `close`."""

    def __init__(self, admin_url: str, *, web: bool = False) -> None:
        private, self._public = generate_keys()
        self.issuer = TokenIssuer(load_private(private))
        self._stack = ExitStack()
        self._channels: dict[tuple[str, str], grpc.Channel] = {}
        self._lock = threading.Lock()
        self.addresses: dict[str, str] = {}
        urls = provision(admin_url, SERVICES)
        for name in SERVICES:
            migrate(urls[name], schema=schema_of(name), package=f"services.{name}")
            values = self._values(name) | {"database_url": urls[name], "signing_key": private}
            module = importlib.import_module(f"services.{name}.service")
            server = Server(module.build(load(module.Settings, environ=_known(module, values))))
            self.addresses[name] = f"127.0.0.1:{server.start()}"
            self._stack.callback(server.stop, 1)
        self.operator = self.issuer.service_account(_OPERATOR, lifetime=_DAY)[0]
        self.web = ""
        # The gateway reaches the services through wires that write down what it sends.
        self.taps = Taps(self.addresses)
        self._stack.callback(self.taps.close)
        self.gateway = self._start_gateway() if web else None

    def _values(self, name: str) -> dict[str, str]:
        values = {f"{peer}_address": address for peer, address in self.addresses.items()}
        values["verifying_keys"] = self._public
        if name != "identity":
            values["component_token"] = self.issuer.component(name, lifetime=_DAY)
        values["demo_passwords"] = "true"
        return values

    def _start_gateway(self) -> Gateway:
        values = self._values("gateway") | {
            **{f"{name}_address": address for name, address in self.taps.addresses.items()},
            "cookie_secret": "c" * 40,
            "webhook_secret": "whsec_" + "d2ViaG9vaw==" * 4,
            "webhook_token": self.operator,
        }
        module = importlib.import_module("services.gateway.service")
        gateway: Gateway = module.build(load(module.Settings, environ=_known(module, values)))
        self.web = f"http://127.0.0.1:{gateway.start()}"
        self._stack.callback(gateway.stop, 1)
        return gateway

    def token(self, person_id: str) -> str:
        """A token of a session of its own, as identity would sign it."""
        return self.issuer.person(person_id, session_id=new_id(), lifetime=_DAY)[0]

    def account_token(self, account_id: str) -> str:
        return self.issuer.service_account(account_id, lifetime=_DAY)[0]

    def channel(self, service: str, token: str | None) -> grpc.Channel:
        """A channel to a service, kept and reused; without a token where None is given."""
        with self._lock:
            key = (service, token or "")
            if key not in self._channels:
                channel = connect(
                    self.addresses[service], token=(lambda: token) if token else None, timeout=15
                )
                self._channels[key] = channel
                self._stack.callback(channel.close)
            return self._channels[key]

    def settle(self, position: int) -> None:
        """Return once every service has followed identity up to a position."""
        until = time.monotonic() + 20
        asks: tuple[tuple[str, Callable[..., Any], Any], ...] = (
            ("goals", goals_feed_grpc.FeedServiceStub, goals_feed),
            ("training", training_feed_grpc.FeedServiceStub, training_feed),
            ("incentives", incentives_feed_grpc.FeedServiceStub, incentives_feed),
        )
        for service, stub, messages in asks:
            while True:
                try:
                    answer = stub(self.channel(service, self.operator)).GetFollowing(
                        messages.GetFollowingRequest()
                    )
                    if any(feed.feed == "identity" and feed.position >= position for feed in answer.feeds):
                        break
                except grpc.RpcError:
                    # At the very beginning a service has not heard of the operator yet.
                    if time.monotonic() > until:
                        raise
                assert time.monotonic() < until, f"{service} does not follow identity"
                time.sleep(0.02)

    def close(self) -> None:
        self._stack.close()


def _known(module: Any, values: dict[str, str]) -> dict[str, str]:
    """As environment variables, those the settings know."""
    fields = module.Settings.model_fields
    return {f"FOOTHOLD_{name.upper()}": value for name, value in values.items() if name in fields}
