"""The built image as a cluster runs it: one container per target on a bridge network, beside a PostgreSQL container.

Each container is held to what the chart promises: user 10001, a read-only file system, no capabilities, and only
its own secrets.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# The library's helper container would have to be pulled; every container here is ended by its own `with`.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

import docker
import grpc
import psycopg
import pytest
from docker.errors import ImageNotFound
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from chassis.channel import connect
from chassis.provisioning import provision
from launcher.folder import DataFolder, Running
from launcher.ready import grpc_problem, web_problem
from launcher.targets import SERVICES

ROOT: Final = Path(__file__).resolve().parents[2]
BASE: Final = os.environ.get("CONTAINER_BASE_IMAGE", "foothold-base:local")
IMAGE: Final = "foothold:under-test"
DATABASE_IMAGE: Final = "foothold-postgres:local"
_SECRETS: Final = "/run/secrets/foothold"
_START_SECONDS: Final = 90.0
_GRPC_PORT: Final = 50051
_WEB_PORT: Final = 8080
_DATABASE_PORT: Final = 5432
_USER: Final = 10001


def require_engine() -> None:
    """Skips the test where no Docker engine answers or no base image is to be had, and says which."""
    # Asked with the command: the library leaves its socket open where nobody answers.
    command = shutil.which("docker")
    if command is None or subprocess.run([command, "info"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no Docker engine answers")
    with contextlib.closing(docker.from_env()) as client:
        try:
            client.images.get(BASE)
        except ImageNotFound:
            made = subprocess.run(
                [ROOT / "tools" / "base-image.sh"], check=False, capture_output=True, text=True
            )
            if made.returncode != 0:
                pytest.skip(f"no base image for the containers: {made.stderr.strip()}")


def build_images() -> str:
    """Builds the image under test from this tree, and PostgreSQL's; the name of the first.

    Layers that did not change are taken from the engine.
    """
    _build(IMAGE, ["--file", str(ROOT / "Dockerfile"), str(ROOT)])
    recipe = Path(__file__).with_name("postgres.Dockerfile")
    _build(DATABASE_IMAGE, ["--file", str(recipe), str(recipe.parent)])
    return IMAGE


def _build(tag: str, rest: list[str]) -> None:
    command = ["docker", "build", "--quiet", "--build-arg", f"BASE={BASE}", "--tag", tag, *rest]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


class Deployment:
    """The running containers. `folder` announces them, so that `foothold --data` commands act on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = DataFolder(folder)
        self.containers: dict[str, DockerContainer] = {}
        self._channels: list[grpc.Channel] = []

    def address(self, target: str) -> str:
        """host:port of a target as seen from this machine."""
        return _published(self.containers[target], _WEB_PORT if target == "gateway" else _GRPC_PORT)

    @property
    def web(self) -> str:
        return f"http://{self.address('gateway')}"

    def channel(self, service: str, *, token: str | None = None) -> grpc.Channel:
        """A channel as the operator, unless a token is given; closed with the deployment."""
        channel = connect(
            self.address(service), token=lambda: token or self.folder.operator_token(), timeout=30
        )
        self._channels.append(channel)
        return channel

    def logs(self, target: str) -> str:
        """The end of what a container wrote."""
        return "\n".join(part.decode(errors="replace")[-4000:] for part in self.containers[target].get_logs())

    def wait_ready(self) -> None:
        """Return once every target says that it is well."""
        deadline = time.monotonic() + _START_SECONDS
        for target in self.containers:
            while problem := self._problem(target):
                assert time.monotonic() < deadline, f"{target}: {problem}\n{self.logs(target)}"
                time.sleep(0.2)

    def _problem(self, target: str) -> str | None:
        try:
            return web_problem(self.web) if target == "gateway" else grpc_problem(self.address(target))
        except TimeoutError as error:
            raise AssertionError(f"{target} ended:\n{self.logs(target)}") from error

    def close(self) -> None:
        while self._channels:
            self._channels.pop().close()
        self.folder.retract()


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """The platform in containers, migrated, healthy and empty, until the end of the block."""
    deployment = Deployment(folder)
    deployment.folder.prepare()
    with contextlib.ExitStack() as ending:
        network = ending.enter_context(Network())
        database = DockerContainer(DATABASE_IMAGE).with_network(network).with_network_aliases("database")
        _publish(database, _DATABASE_PORT)
        ending.enter_context(database)
        urls = _provisioned(f"postgresql://postgres@{_published(database, _DATABASE_PORT)}/postgres")
        for service in SERVICES:
            _migrate(service, _secrets(deployment.folder, service, urls), network.name)
        for target in (*SERVICES, "gateway"):
            secrets = _secrets(deployment.folder, target, urls)
            container = _container(target, secrets).with_network(network).with_network_aliases(target)
            _publish(container, _WEB_PORT if target == "gateway" else _GRPC_PORT)
            deployment.containers[target] = container
            _start(ending, container, deployment, target)
        ending.callback(deployment.close)
        deployment.wait_ready()
        deployment.folder.announce(
            Running(
                pid=os.getpid(),
                shape="containers",
                web=deployment.web,
                addresses={service: deployment.address(service) for service in SERVICES},
                database="",
            )
        )
        yield deployment


def _publish(container: DockerContainer, port: int) -> None:
    # On the loopback address only, at a port the engine chooses. The library's own method knows no address.
    container.ports[f"{port}/tcp"] = ("127.0.0.1", None)  # type: ignore[assignment]  # the engine takes the pair


def _published(container: DockerContainer, port: int) -> str:
    """host:port of a container's port as seen from this machine."""
    return f"127.0.0.1:{container.get_exposed_port(port)}"


def _start(
    ending: contextlib.ExitStack, container: DockerContainer, deployment: Deployment, target: str
) -> None:
    ending.callback(container.stop)
    try:
        container.start()
    except TimeoutError as error:
        raise AssertionError(f"{target} ended at once:\n{deployment.logs(target)}") from error


def _provisioned(admin_url: str) -> dict[str, str]:
    """A schema and role per service; the URLs are those seen from inside the network."""
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(admin_url):
        assert time.monotonic() < deadline, "the database container does not answer"
        time.sleep(0.2)
    urls = provision(admin_url, SERVICES)
    outside = admin_url.rpartition("@")[2].removesuffix("/postgres")
    return {service: url.replace(outside, f"database:{_DATABASE_PORT}") for service, url in urls.items()}


def _answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
        return True
    return False


def _secrets(folder: DataFolder, target: str, urls: dict[str, str]) -> Path:
    """A folder with the files that the chart would mount into this target, and no others."""
    place = folder.path / "mounted" / target
    if place.exists():
        return place
    place.mkdir(parents=True)
    shutil.copy(folder.secrets / "verifying_keys.pem", place / "verifying_keys.pem")
    if target == "identity":
        shutil.copy(folder.secrets / "signing_key.pem", place / "signing_key.pem")
    else:
        shutil.copy(folder.secrets / f"component_{target}.token", place / "component.token")
    if target == "gateway":
        shutil.copy(folder.secrets / "cookie_secret", place / "cookie_secret")
    else:
        (place / "database_url").write_text(urls[target])
    for each in [place, *place.iterdir()]:
        each.chmod(0o555 if each.is_dir() else 0o444)
    for above in (place.parent, folder.path):
        above.chmod(0o755)
    return place


def _container(target: str, secrets: Path) -> DockerContainer:
    container = DockerContainer(IMAGE).with_command(f"serve --target={target}")
    container.with_volume_mapping(str(secrets), _SECRETS, "ro")
    container.with_kwargs(
        user=f"{_USER}:{_USER}",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
    )
    container.with_tmpfs_mount("/tmp", "size=64m")
    for name, value in _environment(target, secrets).items():
        container.with_env(name, value)
    return container


def _environment(target: str, secrets: Path) -> dict[str, str]:
    """The variables that the chart's templates set."""
    names = {
        "verifying_keys.pem": "VERIFYING_KEYS",
        "signing_key.pem": "SIGNING_KEY",
        "component.token": "COMPONENT_TOKEN",
        "cookie_secret": "COOKIE_SECRET",
        "database_url": "DATABASE_URL",
    }
    environment = {
        f"FOOTHOLD_{names[file.name]}_FILE": f"{_SECRETS}/{file.name}" for file in secrets.iterdir()
    }
    environment |= {
        f"FOOTHOLD_{peer.upper()}_ADDRESS": f"{peer}:{_GRPC_PORT}" for peer in SERVICES if peer != target
    }
    port = _WEB_PORT if target == "gateway" else _GRPC_PORT
    return environment | {"FOOTHOLD_LISTEN": f"0.0.0.0:{port}"}


def _migrate(service: str, secrets: Path, network: str) -> None:
    """What one container of the chart's Job does, to its end."""
    command = ["docker", "run", "--rm", "--network", network, "--read-only", "--cap-drop", "ALL"]
    command += [
        "--user",
        f"{_USER}:{_USER}",
        "--tmpfs",
        "/tmp:size=16m",
        "--volume",
        f"{secrets}:{_SECRETS}:ro",
    ]
    command += ["--env", f"FOOTHOLD_{service.upper()}_DATABASE_URL_FILE={_SECRETS}/database_url"]
    command += [IMAGE, "migrate", f"--target={service}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
