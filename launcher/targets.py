"""The targets `foothold serve` knows, and what each is given: the same in one process, in five, and in a cluster."""

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launcher.exits import Exit, Stop

SERVICES: Final = ("identity", "goals", "training", "incentives")
"""The gRPC services in the order they start: each follows only earlier ones."""
TARGETS: Final = (*SERVICES, "gateway")

_PREFIX: Final = "FOOTHOLD_"
_FILE: Final = "_FILE"
# Read by the launcher itself; a service would refuse them as unknown.
LAUNCHERS_OWN: Final = frozenset(
    f"FOOTHOLD_{name}"
    for name in (
        *("DATA", "TOKEN", "CONFIG", "ADMIN_DATABASE_URL", "TEST_POSTGRES", "WEB_PORT"),
        *(f"{service.upper()}_DATABASE_URL{form}" for service in SERVICES for form in ("", _FILE)),
    )
)


@dataclass(frozen=True, slots=True)
class Given:
    """What the launcher decides for a platform on one machine; the services' settings are made from it."""

    addresses: Mapping[str, str]
    database_urls: Mapping[str, str]
    secrets: Path
    values: Mapping[str, str]

    def for_target(self, target: str) -> dict[str, str]:
        """Environment variables for one target, before those its settings do not know are left out."""
        secret = {
            "SIGNING_KEY": "signing_key.pem",
            "VERIFYING_KEYS": "verifying_keys.pem",
            "COMPONENT_TOKEN": f"component_{target}.token",
            "COOKIE_SECRET": "cookie_secret",
            "WEBHOOK_SECRET": "webhook_secret",
            "WEBHOOK_TOKEN": "webhook.token",
        }
        environment = {f"{_PREFIX}{name}{_FILE}": str(self.secrets / file) for name, file in secret.items()}
        environment |= {f"{_PREFIX}{peer.upper()}_ADDRESS": where for peer, where in self.addresses.items()}
        environment[f"{_PREFIX}LISTEN"] = self.addresses[target]
        if target in self.database_urls:
            environment[f"{_PREFIX}DATABASE_URL"] = self.database_urls[target]
        return environment | {f"{_PREFIX}{name.upper()}": value for name, value in self.values.items()}


def module_of(target: str) -> Any:
    """`services.<target>.service`: its Settings and its build()."""
    if target not in TARGETS:
        raise Stop(f"no such target: {target}; there are all, {', '.join(TARGETS)}", Exit.USAGE)
    return importlib.import_module(f"services.{target}.service")


def known_names(target: str) -> frozenset[str]:
    """The environment variables this target's settings know, `_FILE` variants included."""
    names = {f"{_PREFIX}{name.upper()}" for name in module_of(target).Settings.model_fields}
    return frozenset(names | {f"{name}{_FILE}" for name in names})


def environment_for(
    target: str, *, given: Given | None, environ: Mapping[str, str], files: Sequence[Path] = ()
) -> dict[str, str]:
    """The FOOTHOLD_ variables one target is run with: from files, over them the user's own, then the launcher's.

    A variable that no target knows is a mistake in writing and refused (Stop, wrong usage).
    """
    from launcher.config import from_files

    refuse_unknown(environ)
    known = known_names(target)
    chosen = from_files(target, files)
    chosen |= {name: value for name, value in environ.items() if name in known}
    if given:
        for name, value in given.for_target(target).items():
            if name in known:
                # What the launcher decides holds; and the plain and the _FILE form exclude each other.
                chosen.pop(name.removesuffix(_FILE) if name.endswith(_FILE) else f"{name}{_FILE}", None)
                chosen[name] = value
    return chosen


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """Stop when a FOOTHOLD_ variable is known neither to the launcher nor to any target."""
    ours = {name for name in environ if name.startswith(_PREFIX)} - LAUNCHERS_OWN
    for target in TARGETS:
        ours -= known_names(target)
        if not ours:
            return
    import difflib

    everything = sorted(LAUNCHERS_OWN.union(*(known_names(target) for target in TARGETS)))
    lines = []
    for name in sorted(ours):
        near = difflib.get_close_matches(name, everything, n=1)
        lines.append(f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else ""))
    raise Stop("\n".join(lines), Exit.USAGE)


def settings_of(target: str, *, environment: Mapping[str, str]) -> Any:
    """The target's settings, validated. SettingsError names each wrong one."""
    from chassis.settings import load

    return load(module_of(target).Settings, environ=dict(environment))


def process_environment() -> dict[str, str]:
    """What a child process needs of ours besides FOOTHOLD_ variables: PATH, LANG, TMPDIR and the like."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
