"""Generates contracts/foothold from proto/, or checks that what is committed is what would be generated.

`python tools/proto.py` writes; `python tools/proto.py --check` writes nothing and exits 1 naming every file
that is missing, stale or left over.
"""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
CONTRACTS = ROOT / "contracts"
INCLUDES = (PROTO, ROOT / "third_party" / "googleapis", Path(protoc.__file__).parent / "_proto")


def generate(into: Path) -> None:
    """Writes the package `foothold` into the given folder."""
    sources = sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))
    with_services = [source for source in sources if "\nservice " in (PROTO / source).read_text("utf-8")]
    _protoc(into, ["--python_out=", "--mypy_out=quiet:"], sources)
    _protoc(into, ["--grpc_python_out=", "--mypy_grpc_out=quiet:"], with_services)
    package = into / "foothold"
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    (package / "py.typed").touch()


def _protoc(into: Path, outputs: list[str], sources: list[str]) -> None:
    arguments = [
        "protoc",
        *(f"-I{include}" for include in INCLUDES),
        *(f"{output}{into}" for output in outputs),
    ]
    if sources and protoc.main([*arguments, *sources]) != 0:
        sys.exit("protoc failed; its message is above")


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted((folder / "foothold").rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def check(fresh: Path) -> int:
    """Tells every difference between the fresh files and the committed ones; 0 when there is none."""
    wanted, present = _files(fresh), _files(CONTRACTS)
    complaints = [f"missing   contracts/{name}" for name in sorted(wanted.keys() - present.keys())]
    complaints += [f"left over contracts/{name}" for name in sorted(present.keys() - wanted.keys())]
    complaints += [
        f"stale     contracts/{name}"
        for name in sorted(wanted.keys() & present.keys())
        if wanted[name] != present[name]
    ]
    if complaints:
        print(*complaints, sep="\n", file=sys.stderr)
        print("contracts/ is not what proto/ says: run `make proto` and commit the result", file=sys.stderr)
        return 1
    print(f"contracts/ is fresh ({len(wanted)} files, grpcio-tools {version('grpcio-tools')})")
    return 0


def replace(fresh: Path) -> None:
    """Puts the fresh files in place; an unchanged file keeps its time, so that nothing rebuilds for it."""
    wanted, present = _files(fresh), _files(CONTRACTS)
    for name in present.keys() - wanted.keys():
        (CONTRACTS / name).unlink()
    for name, content in wanted.items():
        target = CONTRACTS / name
        if present.get(name) != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    for folder in sorted((path for path in CONTRACTS.rglob("*") if path.is_dir()), reverse=True):
        if not any(path for path in folder.iterdir() if path.name != "__pycache__"):
            shutil.rmtree(folder)
    print(f"contracts/ holds {len(wanted)} files")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where the files are not fresh"
    )
    arguments = parser.parse_args()
    # protoc looks on the PATH for its plug-ins (protoc-gen-mypy, protoc-gen-mypy_grpc): beside this Python.
    os.environ["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    )
    with contextlib.ExitStack() as stack:
        fresh = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        generate(fresh)
        if arguments.check:
            return check(fresh)
        replace(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
