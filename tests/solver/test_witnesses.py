"""apt, dose-debcheck and dnf, each asked alone about packages whose bytes were tampered with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.samples import write_product
from tests.verify_samples import (
    build,
    plain_deb,
    plain_rpm,
    quiet,
    read,
    repack,
    shelf,
)
from toolchain.build.product import open_product
from toolchain.edge.process import Processes
from toolchain.errors import ToolError
from toolchain.model.release import Format, Product
from toolchain.verify.finding import Finding
from toolchain.verify.gather import gather
from toolchain.verify.questions import ask_row, described, law_rows
from toolchain.verify.verdicts import verdict_findings
from toolchain.verify.witness import Witness
from toolchain.verify.witnesses import find_witnesses

FORMATS = {"apt": Format.DEB, "dose": Format.DEB, "dnf": Format.RPM}


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product with three releases: 1.0.0 on schema 10, 1.1.0 on 11, 1.2.0 on 12."""
    return write_product(tmp_path_factory.mktemp("specs") / "demo", 3)


@pytest.fixture(scope="module")
def product(specs: Path) -> Product:
    return open_product(specs).product


@pytest.fixture(scope="module")
def packages(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(specs, tmp_path_factory.mktemp("packages"))


Find = Callable[[str], Witness]


@pytest.fixture
def witness(tmp_path: Path) -> Find:
    work = tmp_path / "work"
    work.mkdir()

    def find(name: str) -> Witness:
        (found,) = (
            one
            for one in find_witnesses({FORMATS[name]}, (name,), (), Processes(), work, every=False)
            if one.name == name
        )
        return found

    return find


def asked(one: Witness, directory: Path, product: Product) -> list[Finding]:
    """What the witness alone says of every question."""
    (case,) = (case for case in gather(read(directory), product).cases if case.format is one.format)
    rows = law_rows(case)
    questions = [question for row in rows for question in ask_row(row)]
    assert len({described(case, question) for question in questions}) > 20
    return list(verdict_findings(case, one.ask(case, questions, quiet), one.label))


def tried(one: Witness, directory: Path, product: Product) -> tuple[int, tuple[Finding, ...]]:
    (case,) = (case for case in gather(read(directory), product).cases if case.format is one.format)
    done = one.transitions(case, law_rows(case), quiet)
    return done.count, done.findings


@pytest.mark.parametrize("name", FORMATS)
def test_a_witness_agrees_about_real_packages(
    name: str, witness: Find, packages: Path, product: Product
):
    one = witness(name)
    assert asked(one, packages, product) == []
    count, findings = tried(one, packages, product)
    assert findings == ()
    assert count > 30 or name == "dose"


@pytest.mark.parametrize("name", ["apt", "dose"])
@pytest.mark.parametrize(
    ("half", "edit", "kind"),
    [
        # Both halves refuse 1.2.0 beside 1.0.0; only the server refuses it beside 1.1.0.
        ("server", ("Conflicts: demo-schema (<< 12)\n", ""), "would-install"),
        ("server", ("(<< 12)", "(<< 11)"), "would-install"),
        ("server", ("(<< 12)", "(<< 13)"), "would-be-refused"),
        ("server", ("Conflicts: demo-schema", "Recommends: demo-schema"), "would-install"),
        (
            "server",
            ("Conflicts: demo-schema (<< 12)", "Conflicts: demo-scheme (<< 12)"),
            "would-install",
        ),
        ("database", ("Provides: demo-schema (= 12)\n", ""), None),
        ("database", ("demo-schema (= 12)", "demo-schema (= 11)"), "would-be-refused"),
        ("database", ("Provides: demo-schema (= 12)", "Provides: demo-schema"), None),
    ],
)
def test_a_tampered_deb_is_found(
    name: str,
    half: str,
    edit: tuple[str, str],
    kind: str | None,
    witness: Find,
    packages: Path,
    product: Product,
    tmp_path: Path,
):
    debs = shelf(packages, tmp_path / "debs")
    deb = debs / f"demo-{half}_1.2.0-1_all.deb"
    repack(deb, debs, lambda control: control.replace(*edit))
    kinds = {finding.kind.value for finding in asked(witness(name), debs, product)}
    # A schema that is too new for nobody is missed by nobody: its loss shows as a relation.
    assert kinds == ({kind} if kind else set())


def test_a_tampered_rpm_is_found(witness: Find, packages: Path, product: Product, tmp_path: Path):
    rpms = shelf(packages, tmp_path / "rpms", "*.rpm")
    (rpms / "demo-server-1.2.0-1.noarch.rpm").unlink()
    plain_rpm(rpms, "demo-server", "1.2.0", Conflicts="demo-schema < 11")
    findings = asked(witness("dnf"), rpms, product)
    assert {finding.kind.value for finding in findings} == {"would-install"}
    assert all("demo-server conflicts demo-schema < 12" in one.cure for one in findings)


def test_apt_removes_what_is_not_protected(witness: Find, product: Product, tmp_path: Path):
    for number in range(3):
        version, schema = f"1.{number}.0-1", 10 + number
        plain_deb(tmp_path / "d", "demo-server", version, Conflicts=f"demo-schema (<< {schema})")
        plain_deb(
            tmp_path / "d",
            "demo-database",
            version,
            Provides=f"demo-schema (= {schema})",
            Conflicts=f"demo-server (<< 1.{max(0, number - 1)}.0)",
        )
    one = witness("apt")
    assert asked(one, tmp_path / "d", product) == []
    _, findings = tried(one, tmp_path / "d", product)
    assert any("removes demo-" in finding.what for finding in findings)


def test_dnf_removes_what_is_not_protected(witness: Find, product: Product, tmp_path: Path):
    """Where the repository has no counterpart that fits, --allowerasing takes the old one away."""
    rpms = tmp_path / "rpms"
    for version, schema in (("1.0.0", 10), ("1.2.0", 12)):
        plain_rpm(rpms, "demo-server", version, Conflicts=f"demo-schema < {schema}")
    oldest = {"Provides": "demo-schema = 10", "Conflicts": "demo-server < 1.0.0"}
    plain_rpm(rpms, "demo-database", "1.0.0", **oldest)
    one = witness("dnf")
    _, findings = tried(one, rpms, product)
    assert findings
    for finding in findings:
        assert "removes demo-database" in finding.what
        assert all("--allowerasing" in command for command in finding.commands)


def test_one_shard_that_fits_satisfies_a_dependency_in_every_solver(
    witness: Find, product: Product, tmp_path: Path
):
    """Why the law is a conflict: the naive pair installs beside a shard that does not fit."""
    for number in range(3):
        version, schema = f"1.{number}.0", 10 + number
        oldest = f"1.{max(0, number - 1)}.0"
        plain_deb(
            tmp_path / "deb", "demo-server", f"{version}-1", Depends=f"demo-schema (>= {schema})"
        )
        plain_deb(
            tmp_path / "deb",
            "demo-database",
            f"{version}-1",
            Provides=f"demo-schema (= {schema})",
            Conflicts=f"demo-server (<< {oldest})",
        )
        plain_rpm(tmp_path / "rpm", "demo-server", version, Requires=f"demo-schema >= {schema}")
        plain_rpm(
            tmp_path / "rpm",
            "demo-database",
            version,
            Provides=f"demo-schema = {schema}",
            Conflicts=f"demo-server < {oldest}",
        )
    for name, format_ in FORMATS.items():
        findings = asked(witness(name), tmp_path / format_.value, product)
        installed = [one.what for one in findings if one.kind.value == "would-install"]
        assert any("shard" in what for what in installed), name


def test_a_witness_that_is_missing_is_named_with_its_package(tmp_path: Path):
    with pytest.raises(ToolError, match="holds no apt-get"):
        find_witnesses({Format.DEB}, (), (tmp_path,), Processes(), tmp_path, every=False)
