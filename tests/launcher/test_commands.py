"""The command line itself: help, exit codes, configuration, keys. No platform runs here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from access.tokens import TokenVerifier, load_public
from launcher.main import _COMMANDS, main
from tests.platform import environment, foothold

_GROUPS = {
    "seed": ["demo"],
    "import": ["people", "crm"],
    "token": ["issue", "sign-in", "password", "grant", "operator", "component", "keys"],
}
_ALL = [[name] for name in _COMMANDS] + [[group, name] for group, names in _GROUPS.items() for name in names]


@pytest.mark.parametrize("command", _ALL, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    told = CliRunner().invoke(main, [*command, "--help"], prog_name="foothold", catch_exceptions=False).output
    assert told.startswith("Usage: foothold " + " ".join(command))
    assert "\\b" not in told


def test_help_lists_every_command_and_every_exit_code() -> None:
    told = CliRunner().invoke(main, ["--help"], catch_exceptions=False).output
    assert all(f"  {name} " in told for name in _COMMANDS)
    assert all(f"\n  {code}  " in told for code in ("  0", "  1", "  2", "  3", "  4", "  5", "130"))


def test_help_loads_no_service_and_no_grpc() -> None:
    probe = (
        "import sys, launcher.main, launcher.commands.serve, launcher.commands.imports;"
        "print([name for name in ('grpc', 'sqlalchemy', 'rich', 'services', 'google') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout.strip() == "[]"


def test_a_command_that_asks_a_platform_loads_no_database_and_no_exporter() -> None:
    """They would take longer than the question."""
    asked = ["metrics", "--metric=revenue", "--address=goals=127.0.0.1:1", "--token=some"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "launcher.main", *asked],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert done.returncode == 3
    assert "grpc" in loaded
    assert not loaded & {
        "alembic",
        "jwt",
        "opentelemetry.sdk",
        "psycopg",
        "pydantic",
        "services",
        "sqlalchemy",
    }


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "says"),
    [
        (["nonsense"], {}, 2, "No such command"),
        (["import", "crm", "missing.csv", "--mapping", "missing.toml"], {}, 2, "does not exist"),
        (["serve", "--target=goals", "--demo"], {}, 2, "go with --target=all"),
        (
            ["check-config"],
            {"FOOTHOLD_TELEMETRY_ENDPONT": "x"},
            2,
            "did you mean FOOTHOLD_TELEMETRY_ENDPOINT?",
        ),
        (["check-config", "--target=goals"], {}, 2, "database_url"),
        (["metrics", "--metric=revenue", "--address=goals=127.0.0.1:1"], {}, 5, "FOOTHOLD_TOKEN"),
        (
            ["metrics", "--metric=revenue", "--address=nonsense"],
            {"FOOTHOLD_TOKEN": "x"},
            2,
            "SERVICE=HOST:PORT",
        ),
        (["token", "component", "goals"], {}, 2, "--signing-key"),
        (["doctor"], {}, 4, "nothing runs on"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line_with_its_exit_code(
    arguments: list[str], environ: dict[str, str], code: int, says: str, tmp_path: Path
) -> None:
    done = foothold(*arguments, data=tmp_path / "data", check=False, environ=environ)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_check_config_prints_what_holds_and_no_secret(tmp_path: Path) -> None:
    config = tmp_path / "foothold.toml"
    config.write_text("[common]\nlog_level = 'warning'\n[goals]\ndatabase_connections = 5\n", "utf-8")
    environ = {"FOOTHOLD_COOKIE_SECRET": "never-to-be-shown-" * 3}
    done = foothold(
        "check-config", "--config", str(config), "--format", "json", data=tmp_path, environ=environ
    )
    told = {
        target: {each["name"]: (each["value"], each["source"]) for each in settings}
        for target, settings in json.loads(done.stdout).items()
    }
    assert told["goals"]["database_connections"] == ("5", "file")
    assert told["training"]["log_level"] == ("warning", "file")
    assert told["goals"]["database_url"] == ("***", "launcher")
    assert "never-to-be-shown" not in done.stdout
    assert "PRIVATE KEY" not in done.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[goals]\npool = 3\n", "[goals] pool is not a setting"),
        ("[common]\nlog_levle = 'info'\n", "[common] log_levle is not a setting of any target"),
        ("[gaols]\nlog_level = 'info'\n", "gaols"),
        ("[gateway]\ncookie_secret = 'x'\n", "cookie_secret is a secret; give it as FOOTHOLD_COOKIE_SECRET"),
        ("[goals\n", "TOML"),
    ],
)
def test_a_configuration_file_with_a_fault_names_it(text: str, says: str, tmp_path: Path) -> None:
    config = tmp_path / "foothold.toml"
    config.write_text(text, "utf-8")
    done = foothold("check-config", "--config", str(config), data=tmp_path, check=False)
    assert done.returncode == 2
    assert says in done.stderr


def test_keys_for_a_cluster_fit_each_other(tmp_path: Path) -> None:
    out = tmp_path / "keys"
    foothold("token", "keys", "--out", str(out), data=tmp_path)
    again = foothold("token", "keys", "--out", str(out), data=tmp_path, check=False)
    assert again.returncode == 2
    verifier = TokenVerifier(load_public((out / "verifying_keys.pem").read_text()))
    made = foothold(
        "token", "component", "training", "--signing-key", str(out / "signing_key.pem"), data=tmp_path
    )
    assert verifier.verify(made.stdout.strip()).subject == "training"
    assert verifier.verify((out / "component_gateway.token").read_text()).subject == "gateway"
    assert len((out / "cookie_secret").read_text()) >= 32
