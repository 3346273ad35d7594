"""Specs against packages that customers have already."""

from dataclasses import replace
from pathlib import Path

from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import write
from toolchain.edge.directory import Directory
from toolchain.model.published import Published, PublishedDatabase, PublishedServer
from toolchain.model.version import Version
from toolchain.model.window import Window, schema_window, version_window
from toolchain.spec import check_product

RELEASES = {
    "1.0.0": R(schema=1, steps=("expand:start",)),
    "2.0.0": R(schema=2, steps=("expand:split",)),
    "3.0.0": R(schema=3, steps=("contract:split",)),
}
ANY = Window(Version(0, 0, 0))


def server(version: str, schemas: str, peers: str | None = None) -> Published:
    return Published(
        product="demo",
        version=Version.parse(version),
        file=f"demo-server_{version}-1_all.deb",
        server=PublishedServer(
            schemas=schema_window(schemas), peers=version_window(peers) if peers else None
        ),
    )


def database(version: str, schema: int, servers: str, **steps: str) -> Published:
    return Published(
        product="demo",
        version=Version.parse(version),
        file=f"demo-database_{version}-1_all.deb",
        database=PublishedDatabase(
            schema=schema,
            servers=version_window(servers),
            steps={name.replace("_", "."): sha for name, sha in steps.items()} or None,
        ),
    )


def told(
    tmp_path: Path, releases: dict[str, R], *published: Published, **options: int
) -> list[str]:
    files = chain(releases, **options)  # type: ignore[arg-type]
    checked = check_product(Directory(write(tmp_path, files)), {}, lambda _name: published)
    return [
        f"{Path(problem.origin.file).name}:{problem.origin.line} {problem.code.value}:"
        f" {problem.message}; {problem.cure}"
        for problem in checked.problems
    ]


def test_what_is_published_as_the_specs_say(tmp_path: Path) -> None:
    published = (
        server("1.0.0", ">= 1"), database("1.0.0", 1, ">= 1.0.0"),
        server("2.0.0", ">= 2", ">= 0.0.0"), database("2.0.0", 2, ">= 1.0.0"),
    )  # fmt: skip
    assert told(tmp_path, RELEASES, *published) == []


def test_windows_that_have_changed_since(tmp_path: Path) -> None:
    found = told(
        tmp_path, RELEASES, server("2.0.0", ">= 1", ">= 1.0.0"), database("3.0.0", 4, ">= 2.1.0")
    )
    assert all(" published-differs: " in line or "window" in line for line in found)
    found = [line for line in found if " published-differs: " in line]
    assert [line.split(":")[0] + line.split("with ")[1].split(",")[0] for line in found] == [
        "2.0.0.yamlcompatibility.server.peers '>= 1.0.0'",
        "2.0.0.yamlcompatibility.server.schema '>= 1'",
        "3.0.0.yamlschema.version '4'",
        "3.0.0.yamlcompatibility.database.servers '>= 2.1.0'",
    ]
    # What is derived stands nowhere, so the key is named.
    assert "'>= 2' follows from the specs; write '>= 1' as compatibility.server.schema" in found[1]


def test_steps_that_have_changed_since(tmp_path: Path) -> None:
    other = "0" * 64
    found = told(
        tmp_path, RELEASES, database("2.0.0", 2, ">= 1.0.0", split_expand=other, more_expand=other)
    )
    assert [line.split(" published-step: ")[0] for line in found] == [
        "2.0.0.yaml:6",
        "2.0.0.yaml:8",
    ]
    assert "published with the step more.expand, which the spec lacks" in found[0]
    assert "split.expand is published with other SQL (checksum 000000000000" in found[1]
    (line,) = told(tmp_path, RELEASES, database("2.0.0", 2, ">= 1.0.0", none_such=other))[1:]
    assert "2.0.0 is published without the step split.expand; move it to a new release" in line


def test_a_new_release_that_an_old_package_forbids(tmp_path: Path) -> None:
    """Without the shelf the old spec is told to change; with it, the new release is."""
    releases = {**RELEASES, "2.0.0": replace(RELEASES["2.0.0"], schemas=">= 2, < 3")}
    (line,) = told(tmp_path, releases)
    assert line.startswith("2.0.0.yaml:12 window-too-narrow")
    published = (server("2.0.0", ">= 2, < 3"), database("2.0.0", 2, ">= 1.0.0"))
    (line,) = told(tmp_path, releases, *published)
    assert line.startswith("3.0.0.yaml:1 published-window: 3.0.0 needs another window of 2.0.0,")
    assert "keep 3.0.0 within it, or release a version between" in line
    # Servers first would do, were it not for what 3.0.0 needs.
    assert told(tmp_path, releases, *published, skew=0) == []
    releases["3.0.0"] = R(schema=3, steps=("expand:more",))
    (line,) = told(tmp_path, releases, *published, skew=0)
    assert line.startswith("3.0.0.yaml:1 published-window: 3.0.0 needs another window of 2.0.0,")
    assert "no order of steps leads from 2.0.0 to 3.0.0" in line


def test_a_published_release_whose_spec_is_gone(tmp_path: Path) -> None:
    """2.5.0 is known by its packages alone, and 3.0.0 has to reach it all the same."""
    ceiling = (server("2.5.0", ">= 2, < 3"), database("2.5.0", 2, ">= 1.0.0"))
    (line,) = told(tmp_path, RELEASES, *ceiling)
    assert line.startswith("3.0.0.yaml:1 published-window: 3.0.0 needs another window of 2.5.0,")
    half = told(tmp_path, RELEASES, ceiling[0])
    assert half == []


def test_the_newer_of_two_of_one_day_is_told(tmp_path: Path) -> None:
    releases = {
        **RELEASES,
        "2.0.1": R(schema=2, forms={"split": "old"}, day=60),
        "3.0.0": replace(RELEASES["3.0.0"], day=60),
    }
    published = (database("3.0.0", 3, ">= 2.0.0"),)
    releases["3.0.0"] = replace(releases["3.0.0"], servers=">= 2.0.0")
    found = told(tmp_path, releases, *published)
    assert found[0].startswith("2.0.1.yaml:10 window-too-wide: the server of 2.0.1 uses the old")


def test_packages_that_contradict_each_other(tmp_path: Path) -> None:
    other = replace(server("2.0.0", ">= 1"), file="demo-server_2.0.0-2_all.deb")
    found = told(tmp_path, RELEASES, server("2.0.0", ">= 2"), other)
    assert "two packages of 2.0.0 are published that do not say the same" in found[-1]
    assert found[-1].startswith("demo-server_2.0.0-2_all.deb:1 published-differs:")
    silent = replace(server("2.0.0", ">= 2", ">= 0.0.0"), file="demo-server_2.0.0-2_all.deb")
    assert told(tmp_path, RELEASES, server("2.0.0", ">= 2"), silent) == []


def test_a_published_database_package_that_the_spec_leaves_out(tmp_path: Path) -> None:
    releases = {**RELEASES, "3.0.1": R(schema=3, package=False)}
    (line,) = told(tmp_path, releases, database("3.0.1", 3, ">= 2.0.0"))
    assert line.startswith("3.0.1.yaml:6 published-differs: 3.0.1 is published with a database")
