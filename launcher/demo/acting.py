"""Acting as somebody of the demo enterprise: signed in as they would be."""

from collections.abc import Iterator
from contextlib import contextmanager

from foothold.identity.v1 import sessions_pb2, sessions_pb2_grpc

from launcher.demo.accounts import PASSWORD
from launcher.reaching import Reached


@contextmanager
def acting(reached: Reached, login: str) -> Iterator[Reached]:
    """The platform as the person reaches it; signed out at the end."""
    sessions = sessions_pb2_grpc.SessionServiceStub(reached.channel("identity"))
    signed_in = sessions.SignIn(
        sessions_pb2.SignInRequest(login=login, password=PASSWORD, client_address="demo")
    )
    with Reached(reached.addresses, signed_in.tokens.access_token) as own:
        yield own
        sessions_pb2_grpc.SessionServiceStub(own.channel("identity")).SignOut(sessions_pb2.SignOutRequest())
