"""The chart as helm renders it. Without helm on this system these tests skip."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "foothold"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))

Manifest = dict[str, Any]


def run_helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the helm that `make tools` unpacked, else the one on the PATH."""
    path = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ["PATH"]])
    helm = shutil.which("helm", path=path)
    if helm is None:
        pytest.skip("helm is absent on this system")
    return subprocess.run([helm, *arguments], capture_output=True, text=True, check=False, timeout=60)


def render(values: Path, *more: str) -> list[Manifest]:
    """The manifests of a release named `demo` with the given values, as parsed YAML."""
    done = run_helm("template", "demo", str(CHART), "--namespace", "sales", "--values", str(values), *more)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


@pytest.fixture(params=VALUES, ids=lambda path: path.stem.removesuffix("-values"))
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """The rendered manifests, once per file in charts/foothold/ci."""
    return render(request.param)
