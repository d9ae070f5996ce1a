"""Schemas and roles: one of each per service, so that no service can read another's tables."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

_SERVICE: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_LOCK: Final = 0x0F00_7401D


def schema_of(service: str) -> str:
    """The name of a service's schema, which is also the name of the role that owns it."""
    if not _SERVICE.fullmatch(service):
        raise ValueError("a service's name is lower-case letters, digits and underscores")
    return f"foothold_{service}"


def provision(
    admin_url: str, services: Sequence[str], *, passwords: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Create what is missing of a schema and a role per service; return the URL each service connects with.

    The administrator's database is the one used. It needs a superuser, or a role with CREATEROLE that owns
    the database. Through a Unix socket without a password (the embedded server) roles get none either.
    Elsewhere `passwords` sets them, and a role created without one gets a random password, found only in
    the URL returned: an existing role whose password is not given keeps it, and its URL has none.
    """
    admin = make_url(admin_url)
    trusted = _trusted(admin)
    urls: dict[str, str] = {}
    with psycopg.connect(_libpq(admin), connect_timeout=5) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        database = connection.execute("SELECT current_database()").fetchone()
        assert database is not None  # noqa: S101  a function always answers
        _close_to_public(connection, str(database[0]))
        for service in services:
            name = schema_of(service)
            password = None if trusted else (passwords or {}).get(service)
            created = _role(connection, name)
            if created and not trusted and password is None:
                password = secrets.token_urlsafe(32)
            if password is not None:
                _set_password(connection, name, password)
            _schema(connection, name, str(database[0]))
            url = admin.set(drivername="postgresql+psycopg", username=name)
            url = URL.create(url.drivername, name, password, url.host, url.port, str(database[0]), url.query)
            urls[service] = url.render_as_string(hide_password=False)
    return urls


def _trusted(admin: URL) -> bool:
    host = admin.host or admin.query.get("host", "")
    return not admin.password and isinstance(host, str) and host.startswith("/")


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _close_to_public(connection: psycopg.Connection[Any], database: str) -> None:
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    public = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'public'").fetchone()
    if public:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")


def _role(connection: psycopg.Connection[Any], name: str) -> bool:
    """Whether the role had to be created."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
        created = False
    else:
        connection.execute(
            sql.SQL(
                "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION"
            ).format(sql.Identifier(name))
        )
        created = True
    superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if superuser is None or not superuser[0]:
        # Only a member of a role may make it the owner of a schema.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))
    return created


def _set_password(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    # Hashed here, so that the server's log can never show it.
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(hashed.decode()))
    )


def _schema(connection: psycopg.Connection[Any], name: str, database: str) -> None:
    role = sql.Identifier(name)
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {0} AUTHORIZATION {0}").format(role))
    connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(role))
    connection.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(sql.Identifier(database), role)
    )
    connection.execute(
        sql.SQL("ALTER ROLE {0} IN DATABASE {1} SET search_path = {0}").format(role, sql.Identifier(database))
    )
