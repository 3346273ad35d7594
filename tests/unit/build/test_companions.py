"""SBOM and provenance beside each package: valid by the official schemas, true, reproducible."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.statement_pb2 import Statement
from packageurl import PackageURL

from tests.conftest import Interlock, run_interlock
from tests.samples import write_product, write_release
from tests.verify_samples import FLEETDESK, build

SUFFIXES = (".cdx.json", ".provenance.json")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fleetdesk, whose releases use all that a spec can say."""
    return build(FLEETDESK, tmp_path_factory.mktemp("built"))


def of(directory: Path, *endings: str) -> list[Path]:
    found = (path for path in sorted(directory.iterdir()) if path.name.endswith(endings))
    return [path for path in found if not path.name.startswith(".")]


def packages_in(directory: Path) -> list[Path]:
    return of(directory, ".deb", ".rpm")


def load(package: Path, ending: str) -> Any:
    return json.loads(package.with_name(package.name + ending).read_text())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_package_has_both(built: Path):
    names = {path.name for path in packages_in(built)}
    assert len(names) == 28
    for ending in SUFFIXES:
        assert {path.name.removesuffix(ending) for path in of(built, ending)} == names


def test_every_sbom_is_valid_by_the_schema_of_cyclonedx(built: Path):
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for path in of(built, ".cdx.json"):
        assert validator.validate_str(path.read_text()) is None, path.name


def test_every_statement_is_one_of_in_toto_and_slsa(built: Path):
    """The official protocol buffers refuse unknown fields and wrong types."""
    for path in of(built, ".provenance.json"):
        document = json.loads(path.read_text())
        ParseDict(document["predicate"], Provenance())
        ParseDict(document, Statement())
        statement = Statement()
        ParseDict(document, statement)
        assert statement.type == "https://in-toto.io/Statement/v1"
        assert statement.predicate_type == "https://slsa.dev/provenance/v1"
        assert isinstance(statement.predicate, Struct)


def test_an_sbom_says_which_package_it_is_about(built: Path):
    for package in packages_in(built):
        document = load(package, ".cdx.json")
        main = document["metadata"]["component"]
        assert main["hashes"] == [{"alg": "SHA-256", "content": sha256(package)}]
        url = PackageURL.from_string(main["purl"])
        assert url.to_string() == main["purl"]
        assert url.type == package.suffix[1:]
        assert (url.namespace, url.name, url.version) == (
            "fleetdesk",
            main["name"],
            main["version"],
        )
        assert main["licenses"] == [{"expression": "Apache-2.0"}]
        assert main["supplier"]["contact"][0]["email"] == "fleetdesk@example.com"


def test_an_sbom_names_dependencies_without_versions(built: Path):
    server = built / "fleetdesk-server_4.1.0-1_all.deb"
    document = load(server, ".cdx.json")
    main = document["metadata"]["component"]["bom-ref"]
    (row,) = (row for row in document["dependencies"] if row["ref"] == main)
    assert row["dependsOn"][1:] == [
        f"pkg:deb/debian/{name}" for name in ("python3", "python3-psycopg2", "systemd")
    ]
    components = {row["bom-ref"]: row for row in document["components"] if "bom-ref" in row}
    assert set(row["dependsOn"]) == set(components)
    python = components["pkg:deb/debian/python3"]
    assert "version" not in python
    assert python["properties"][0]["value"] == "depends python3 >= 3.9"


def contained(package: Path) -> dict[str, str]:
    """Files and digests by the SBOM, those of the runner included."""
    components = load(package, ".cdx.json")["components"]
    inner = [row for each in components for row in each.get("components", ())]
    return {
        row["name"]: row["hashes"][0]["content"]
        for row in (*components, *inner)
        if row["type"] == "file"
    }


def test_the_files_of_an_sbom_are_those_of_the_rpm(built: Path):
    for package in of(built, ".rpm"):
        argv = ("rpm", "-qp", "--nosignature", "--qf", r"[%{FILEDIGESTS} %{FILENAMES}\n]", package)
        lines = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
        rows = (line.partition(" ") for line in lines)
        assert contained(package) == {path: digest for digest, _, path in rows if digest}


@pytest.mark.parametrize("role", ["server", "database"])
def test_the_files_of_an_sbom_are_those_of_the_deb(built: Path, tmp_path: Path, role: str):
    package = built / f"fleetdesk-{role}_4.1.0-1_all.deb"
    subprocess.run(("dpkg-deb", "-x", package, tmp_path), check=True)
    files = (path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink())
    assert contained(package) == {f"/{path.relative_to(tmp_path)}": sha256(path) for path in files}


def inputs(package: Path) -> dict[str, str]:
    definition = load(package, ".provenance.json")["predicate"]["buildDefinition"]
    rows = definition["resolvedDependencies"]
    return {row["uri"]: row["digest"]["sha256"] for row in rows if "sha256" in row["digest"]}


def test_a_statement_names_every_input_with_its_digest(built: Path):
    for package in packages_in(built):
        found = inputs(package)
        assert {"product.yaml", "3.9.0.yaml"} <= set(found)
        for path, digest in found.items():
            assert sha256(FLEETDESK / path) == digest
    server = inputs(built / "fleetdesk-server-4.1.0-1.noarch.rpm")
    assert {"4.1.0.yaml", "payload/4.1.0/store.py", "man/fleetdesk-web.8"} <= set(server)
    assert not [path for path in server if path.startswith(("sql/", "4.2", "4.3"))]
    database = inputs(built / "fleetdesk-database_4.1.0-1_all.deb")
    assert {"sql/12-os-present.sql", "sql/12-os-present.undo.sql"} <= set(database)
    assert not [path for path in database if path.startswith("payload/")]


def test_a_statement_names_parameters_builder_and_sbom(built: Path):
    package = built / "fleetdesk-database-4.1.0-1.noarch.rpm"
    predicate = load(package, ".provenance.json")["predicate"]
    definition, details = predicate["buildDefinition"], predicate["runDetails"]
    assert definition["externalParameters"] == {
        "product": "fleetdesk",
        "release": "4.1.0",
        "role": "database",
        "format": "rpm",
        "architecture": "noarch",
        "spec": "4.1.0.yaml",
        "environment": {},
    }
    assert details["builder"]["version"]["rpmbuild"].startswith("4.")
    (sbom,) = details["byproducts"]
    assert sbom["digest"]["sha256"] == sha256(package.with_name(sbom["name"]))


def test_the_products_own_templates_and_licence_are_inputs(product: Path, interlock: Interlock):
    own = product / "packaging"
    for name in ("deb/copyright.j2", "rpm/spec.j2", "common/service.j2"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        source = Path(__file__).parents[3] / "packaging" / name
        (own / name).write_text(source.read_text())
    (product / "LICENSE").write_text("Do what you like.\n")
    assert interlock("build", product, "1.0.0").returncode == 0
    dist = product.parent / "dist"
    of_deb, of_rpm = (
        {path for path in inputs(dist / name) if path.startswith(("packaging/", "LICENSE"))}
        for name in ("demo-server_1.0.0-1_all.deb", "demo-server-1.0.0-1.noarch.rpm")
    )
    assert of_deb == {"LICENSE", "packaging/deb/copyright.j2", "packaging/common/service.j2"}
    assert of_rpm == {"LICENSE", "packaging/rpm/spec.j2", "packaging/common/service.j2"}


def test_adding_a_release_changes_nothing_of_an_earlier_one(
    product: Path, interlock: Interlock, tmp_path: Path
):
    interlock("build", product)
    before = {path.name: path.read_bytes() for path in of(tmp_path / "dist", *SUFFIXES)}
    write_release(product, 2)
    run = interlock("build", product, "--json")
    made = {row["release"] for row in json.loads(run.stdout)["packages"] if row["made"]}
    assert made == {"1.2.0"}
    after = {path.name: path.read_bytes() for path in of(tmp_path / "dist", *SUFFIXES)}
    assert before.items() < after.items()


def test_variables_are_parameters_of_the_releases_that_name_them(
    product: Path, interlock: Interlock, tmp_path: Path
):
    shape = product / "product.yaml"
    shape.write_text(f"{shape.read_text()}environment:\n  LABEL: {{}}\n  OTHER: {{default: x}}\n")
    spec = product / "1.1.0.yaml"
    spec.write_text(spec.read_text().replace("Release 1.1.0.", '"Built as ${LABEL}."'))
    run = interlock("build", product, LABEL="night 7")
    assert run.returncode == 0, run.stderr

    def environment(release: str) -> dict[str, str]:
        package = tmp_path / f"dist/demo-server_{release}-1_all.deb"
        predicate = load(package, ".provenance.json")["predicate"]
        found: dict[str, str] = predicate["buildDefinition"]["externalParameters"]["environment"]
        return found

    assert environment("1.0.0") == {}
    assert environment("1.1.0") == {"LABEL": "night 7"}


@pytest.mark.parametrize("ending", SUFFIXES)
@pytest.mark.parametrize("how", ["missing", "tampered"])
def test_a_lost_or_changed_companion_is_made_again(
    product: Path, interlock: Interlock, tmp_path: Path, ending: str, how: str
):
    interlock("build", product, "--format", "deb")
    path = tmp_path / f"dist/demo-server_1.0.0-1_all.deb{ending}"
    before = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(before.replace(b"1.0.0", b"1.0.1"))
    again = interlock("build", product, "--format", "deb", "--json")
    made = [row["file"] for row in json.loads(again.stdout)["packages"] if row["made"]]
    assert made == ["demo-server_1.0.0-1_all.deb"]
    assert path.read_bytes() == before


def test_an_output_of_an_earlier_interlock_gets_them_at_the_next_build(
    product: Path, interlock: Interlock, tmp_path: Path
):
    interlock("build", product)
    dist = tmp_path / "dist"
    before = {path.name: path.read_bytes() for path in packages_in(dist)}
    for path in of(dist, *SUFFIXES):
        path.unlink()
    manifest = dist / "manifest.json"
    document = json.loads(manifest.read_text())
    for row in document["packages"]:
        del row["sbom"], row["provenance"]
    manifest.write_text(json.dumps(document))
    run = interlock("build", product)
    assert run.returncode == 0, run.stderr
    assert len(of(dist, *SUFFIXES)) == 2 * len(before)
    assert {path.name: path.read_bytes() for path in packages_in(dist)} == before


def test_companions_go_with_their_package_and_stand_in_the_manifest(
    product: Path, interlock: Interlock, tmp_path: Path
):
    interlock("build", product)
    dist = tmp_path / "dist"
    for row in json.loads((dist / "manifest.json").read_text())["packages"]:
        assert row["sbom"] == sha256(dist / f"{row['file']}.cdx.json")
        assert row["provenance"] == sha256(dist / f"{row['file']}.provenance.json")
    (product / "1.1.0.yaml").unlink()
    interlock("build", product)
    assert {path.name for path in of(dist, *SUFFIXES)} == {
        path.name + ending for path in packages_in(dist) for ending in SUFFIXES
    }


def test_thousands_of_files_are_all_there(tmp_path: Path):
    root = write_product(tmp_path / "demo", releases=1)
    for number in range(3000):
        (root / f"payload/lib/sub/{number:04d}").write_text(f"{number}\n")
    run = run_interlock(tmp_path, "build", root, "--format", "deb")
    assert run.returncode == 0, run.stderr
    package = tmp_path / "dist/demo-server_1.0.0-1_all.deb"
    assert sum("/sub/" in path for path in contained(package)) == 3001
    assert sum("/sub/" in path for path in inputs(package)) == 3001


def test_names_of_any_kind_are_relative_uris(tmp_path: Path):
    root = write_product(tmp_path / "demo", releases=1)
    for name in ("a b", "%41", "ü", "x:y", "q?#", "~home"):
        (root / "payload/lib" / name).write_text(name)
    run = run_interlock(tmp_path, "build", root)
    assert run.returncode == 0, run.stderr
    for package in packages_in(tmp_path / "dist"):
        validator = JsonStrictValidator(SchemaVersion.V1_6)
        assert (
            validator.validate_str(package.with_name(f"{package.name}.cdx.json").read_text())
            is None
        )
    found = inputs(tmp_path / "dist/demo-server_1.0.0-1_all.deb")
    assert "payload/lib/x%3Ay" in found
    assert "payload/lib/%2541" in found
    assert "/usr/lib/demo/a b" in contained(tmp_path / "dist/demo-server-1.0.0-1.noarch.rpm")


def test_an_input_that_changes_during_the_build_is_never_attested(product: Path, tmp_path: Path):
    from toolchain.build.product import open_product
    from toolchain.build.run import Builder
    from toolchain.build.targets import plan_packages
    from toolchain.edge.process import Processes
    from toolchain.errors import SpecError

    opened = open_product(product)

    def changing(done: int, _total: int, _name: str) -> None:
        (product / "payload/lib/module.py").write_text(f"VALUE = {done + 100}\n")

    builder = Builder(
        product=product,
        output=tmp_path / "dist",
        templates=opened.templates,
        licence_text=opened.licence_text,
        licence_file=opened.licence_file,
        processes=Processes(),
        progress=changing,
    )
    chosen = opened.select(("1.0.0",))
    packages = list(plan_packages(opened.product, chosen, opened.listing(), opened.sql()))
    with pytest.raises(SpecError, match=r"payload/lib/module\.py changed during the build"):
        builder.build(packages, whole=False)
    assert packages_in(tmp_path / "dist") == []
