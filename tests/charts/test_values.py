"""A mistake in the values is refused before anything is installed, and the message names the key."""

import json

import pytest
import yaml

from tests.charts.conftest import CHART, run_helm


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("components.goals.replcas=3", "replcas"),
        ("components.goals.replicas=0", "/components/goals/replicas"),
        ("components.goals=null", "goals"),
        ("components.reports.replicas=1", "reports"),
        ("defaults.resources.limit.cpu=1", "limit"),
        ("image.repository=", "/image/repository"),
        ("image.digest=sha256:short", "/image/digest"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("ingress.enabled=true", "/ingress/host"),
        ("networkPolicy.database.port=postgres", "/networkPolicy/database/port"),
        ("networkPolicy.database.cidrs[0]=everywhere", "/networkPolicy/database/cidrs/0"),
        ("secrets.signing=Not A Name", "/secrets/signing"),
        ("secrets.database=foothold", "database"),
        ("settings.DATABASE_URL=postgresql://u:p@h/d", "DATABASE_URL"),
        ("settings.log_level=INFO", "log_level"),
        ("replicaCount=3", "replicaCount"),
    ],
)
def test_a_wrong_value_is_refused_and_named(wrong: str, named: str) -> None:
    done = run_helm("template", "demo", str(CHART), "--set", wrong)
    assert done.returncode != 0
    assert named in done.stderr
    # Whatever was refused, a password in it is not printed back.
    assert "u:p@h" not in done.stderr


def test_every_value_is_described_and_every_default_allowed() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values.keys() == schema["properties"].keys() - {"global"}
    assert values["components"].keys() == schema["properties"]["components"]["properties"].keys()
    assert values["defaults"].keys() == schema["definitions"]["component"]["properties"].keys()
