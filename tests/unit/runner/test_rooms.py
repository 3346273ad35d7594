"""A package carries of the runner what its command can reach: nothing is missing or superfluous."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from tests.verify_samples import FLEETDESK
from toolchain.build.product import open_product
from toolchain.build.targets import plan_packages
from toolchain.edge.resources import runner_files
from toolchain.plan.entry import File
from toolchain.plan.package import Role
from toolchain.render.island import island
from toolchain.render.templates import Templates

Files = Mapping[str, str]
ISLAND: Files = {name: content.decode() for name, content in runner_files()}
COMMANDS = (Role.DATABASE, Role.SERVER)


@dataclass(frozen=True, slots=True)
class Packed:
    """What a package has of the runner, by path below it, and the command that starts it."""

    launcher: str
    files: Files


@pytest.fixture(scope="module")
def packed() -> dict[Role, Packed]:
    opened = open_product(FLEETDESK)
    templates = Templates(opened.templates)
    chosen = opened.select(("4.1.0",))
    packages = plan_packages(opened.product, chosen, opened.listing(), opened.sql())
    found = {}
    for package in (planned.package for planned in packages):
        entries = island(package, templates, runner_files())
        files = {one.path: one.content for one in entries if isinstance(one, File)}
        place = f"/usr/lib/{package.name}/runner/"
        found[package.role] = Packed(
            launcher=(files[f"/usr/bin/{package.name}"] or b"").decode(),
            files={
                path.removeprefix(place): (content or b"").decode()
                for path, content in files.items()
                if path.startswith(place)
            },
        )
    return found


@pytest.mark.parametrize("role", COMMANDS)
def test_a_package_carries_what_its_command_can_reach(
    packed: dict[Role, Packed], role: Role
) -> None:
    package = packed[role]
    reach = reached(package.launcher)
    assert (reach - set(package.files), set(package.files) - reach) == (set(), set())


def test_every_file_of_the_runner_is_in_some_package(packed: dict[Role, Packed]) -> None:
    assert set(packed) == set(COMMANDS)
    assert {name for package in packed.values() for name in package.files} == set(ISLAND)


def reached(launcher: str) -> set[str]:
    """The files that a command's imports lead to, and theirs in turn, lazy ones included."""
    found: set[str] = set()
    waiting = list(wanted(launcher, PurePosixPath("../launcher")))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += wanted(ISLAND.get(name, ""), PurePosixPath(name))
    return found


def wanted(text: str, path: PurePosixPath) -> Iterator[str]:
    """The island's files that one file imports or reads; SQL is named by its file."""
    if path.suffix == ".sql":
        return
    for node in executed(ast.parse(text)):
        if isinstance(node, ast.Constant) and str(node.value).endswith(".sql"):
            yield str(path.with_name(str(node.value)))
        if not isinstance(node, ast.ImportFrom):
            continue
        steps = (node.module or "").split(".") if node.module else []
        if node.level:
            place = path.parents[node.level - 1].joinpath(*steps)
        elif steps[0] == "runner":
            place = PurePosixPath(*steps[1:])
        else:
            continue
        module = f"{place}.py" in ISLAND
        modules = [place] if module else [place / alias.name for alias in node.names]
        yield from (f"{one}.py" for one in modules)
        yield from (str(room / "__init__.py") for room in modules[0].parents)


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree without what only a type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from executed(child)
