"""What libsolv is told, where its own reading would differ from Debian's, and how fast it is."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.conftest import REPOSITORY
from tests.verify_samples import with_relations
from toolchain.model.carried import Carried, Clause, Field, PackageFile
from toolchain.model.relation import Operator
from toolchain.model.release import Format
from toolchain.verify.pool import SolverPool


def package(name: str, format_: Format, *relations: Carried) -> PackageFile:
    own = Clause(name=name, operator=Operator.EQUAL, version="1-1")
    provided = Carried(field=Field.PROVIDES, clauses=(own,))
    return PackageFile(
        path=f"/{name}",
        format=format_,
        name=name,
        version="1-1",
        architecture="all",
        relations=relations if format_ is Format.DEB else (provided, *relations),
        protected=False,
        sha256="",
        size=1,
    )


def relation(field: Field, name: str, bound: str = "") -> Carried:
    operator, _, version = bound.partition(" ")
    clause = Clause(
        name=name,
        operator=Operator(operator) if operator else None,
        version=version or None,
    )
    return Carried(field=field, clauses=(clause,))


def installs(format_: Format, *packages: PackageFile) -> bool:
    """Whether libsolv lets all of them stand together."""
    pool = SolverPool(format_)
    repository = pool.repository("packages")
    known = frozenset(("v", *(one.name for one in packages)))
    jobs = [pool.install(pool.add(repository, one, known)) for one in packages]
    pool.pool.createwhatprovides()
    return not pool.pool.Solver().solve(jobs)


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("bound", ["", "< 5", "<= 5", "= 5", ">= 5", "> 5"])
@pytest.mark.parametrize("provided", ["", "= 4", "= 5", "= 6"])
def test_provides_and_conflicts_mean_what_dpkg_and_rpm_take_them_for(
    format_: Format, bound: str, provided: str
):
    """Unversioned, a Provides matches no range in dpkg and every range in rpm."""
    one = package("a", format_, relation(Field.CONFLICTS, "v", bound))
    two = package("b", format_, relation(Field.PROVIDES, "v", provided))
    if not bound:
        conflicts = True
    elif not provided:
        conflicts = format_ is Format.RPM
    else:
        operator, number = bound.split(maxsplit=1)[0], int(provided[2:])
        conflicts = {
            "<": number < 5,
            "<=": number <= 5,
            "=": number == 5,
            ">=": number >= 5,
            ">": number > 5,
        }[operator]
    assert installs(format_, one, two) is not conflicts


def test_alternatives_and_what_the_world_provides():
    needs = Carried(field=Field.DEPENDS, clauses=(Clause(name="x"), Clause(name="b")))
    one, two = package("a", Format.DEB, needs), package("b", Format.DEB)
    assert installs(Format.DEB, one, two)
    assert installs(Format.DEB, package("a", Format.DEB, relation(Field.DEPENDS, "python3")))
    assert not installs(Format.DEB, package("a", Format.DEB, relation(Field.DEPENDS, "v", ">= 1")))
    breaks = with_relations(one, [replace(needs, field=Field.BREAKS)])
    assert not installs(Format.DEB, breaks, two)


def test_a_hundred_servers_against_a_hundred_schemas():
    argv = (sys.executable, "scripts/bench", "verify", "--runs", "1", "--sample", "2")
    run = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    rows = re.findall(r"^\| (\w+) .*?\| ([0-9.]+) \| .* \| ([0-9]+) \|$", run.stdout, re.M)
    assert [name for name, _, _ in rows] == ["libsolv", "apt", "dnf"]
    assert all(wrong == "0" for _, _, wrong in rows)
