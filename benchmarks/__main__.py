"""`python -m benchmarks [NAME ...] [--write]`: measure, print, and with --write keep in README.md.

Every module beside this one that has `measure() -> Iterator[Figure]` is a benchmark, by its name.
"""

import argparse
import importlib
import os
import platform
import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import grpc

from benchmarks.figures import Figure, table

_HERE = Path(__file__).parent
_NOT_BENCHMARKS = {"__init__", "__main__", "figures", "baselines"}


def _measure(names: list[str]) -> dict[str, list[Figure]]:
    known = sorted(path.stem for path in _HERE.glob("*.py") if path.stem not in _NOT_BENCHMARKS)
    rooms: dict[str, list[Figure]] = defaultdict(list)
    for name in names or known:
        module = importlib.import_module(f"benchmarks.{name}")
        if not hasattr(module, "measure"):
            continue
        for figure in module.measure():
            outcome = f"{figure.ratio:.2f} ({figure.goal}, {figure.verdict})"
            print(f"{figure.room}: {figure.claim}: {outcome}  {figure.detail}", flush=True)
            rooms[figure.room].append(figure)
    return rooms


def _keep(rooms: dict[str, list[Figure]]) -> None:
    """Replace the sections of the rooms measured; the others stay as they were."""
    readme = _HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    machine = (
        f"Measured on {datetime.now(UTC):%F}, {platform.system()} {platform.machine()}, {os.cpu_count()}"
        " cores shared by client, server and database,"
        f" Python {platform.python_version()}, grpcio {grpc.__version__}, embedded PostgreSQL 18, fsync on."
    )
    for room, figures in sorted(rooms.items()):
        section = f"<!-- begin {room} -->\n{machine}\n\n{table(figures)}\n<!-- end {room} -->"
        pattern = re.compile(f"<!-- begin {room} -->.*?<!-- end {room} -->", re.DOTALL)
        kept = pattern.search(text)
        if kept:
            text = text[: kept.start()] + section + text[kept.end() :]
        else:
            text += f"\n## {room}\n{section}\n"
    readme.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; all when none is named")
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/README.md")
    options = parser.parse_args()
    rooms = _measure(options.names)
    if options.write:
        _keep(rooms)


if __name__ == "__main__":
    main()
