"""A sound product becomes the model it describes."""

from datetime import date
from pathlib import Path

import pytest

from tests.unit.spec.sample import SAMPLE, changed, told, write
from toolchain.edge.directory import Directory
from toolchain.errors import SpecError
from toolchain.model.change import Batch, Phase, Script
from toolchain.model.release import Architecture, Format, Product, RolloutPolicy
from toolchain.model.version import Version
from toolchain.spec import load_product


def load(directory: Path, files: dict[str, str], **environment: str) -> Product:
    return load_product(Directory(write(directory, files)), environment)


def test_the_product_is_what_its_file_says(tmp_path: Path) -> None:
    product = load(tmp_path, SAMPLE)
    assert product.name == "fleetdesk"
    assert product.rollout is RolloutPolicy.DATABASE_FIRST
    assert (product.skew, product.protect) == (1, True)
    deb, rpm = product.targets
    assert (deb.format, deb.architectures) == (Format.DEB, (Architecture.ALL,))
    assert (deb.distributions, deb.compression) == (("debian-12",), "zstd:3")
    assert (rpm.format, rpm.distributions, rpm.compression) == (Format.RPM, (), None)


def test_releases_come_in_version_order(tmp_path: Path) -> None:
    files = {
        **SAMPLE,
        "4.10.0.yaml": SAMPLE["4.0.0.yaml"]
        .replace("4.0.0", "4.10.0")
        .replace("version: 11", "version: 12")
        .replace("date: 2026-02-02", "date: 2026-08-03")
        .replace('schema: ">= 11"', 'schema: ">= 12"')
        .replace("  expand:\n", "")
        .replace(
            "    - {change: os-name, sql: sql/11-os-name.sql, undo: sql/11-os-name.undo.sql}\n", ""
        )
        .replace('">= 4.10.0"', '">= 4.1.0"'),
    }
    versions = [str(release.version) for release in load(tmp_path, files).releases]
    assert versions == ["4.0.0", "4.1.0", "4.10.0"]


def test_a_release_is_what_its_file_says(tmp_path: Path) -> None:
    release = load(tmp_path, SAMPLE).release(Version.parse("4.1.0"))
    assert (release.date, release.revision) == (date(2026, 5, 4), 2)
    assert release.changelog == ("Hosts are split into hardware and network tables.",)
    assert str(release.database.servers) == ">= 4.0.0, < 6.0.0"
    assert [step.id for step in release.database.steps] == [
        "split-host.expand", "audit-index.expand", "split-host.migrate", "os-name.contract",
    ]  # fmt: skip
    index, migrate = release.database.steps[1:3]
    assert index.sql == Script(name="sql/12-audit-index.sql")
    assert not index.transaction
    assert migrate.phase is Phase.MIGRATE
    assert migrate.batch == Batch(table="public.host", key="id")
    assert (index.origin.line, index.origin.column) == (11, 7)


def test_the_server_is_what_its_section_says(tmp_path: Path) -> None:
    server = load(tmp_path, SAMPLE).release(Version.parse("4.1.0")).server
    assert server.binaries[0].source.path(Architecture.AMD64) == "payload/web"
    assert server.binaries[0].mode == 0o755
    (service,) = server.services
    assert service.arguments == ("--port", "8080", "--label", "dev")
    assert service.environment == (("FLEETDESK_MODE", "web"), ("DEBUG", "no"))
    explicit, short = server.config
    assert (explicit.mode, explicit.group) == (0o640, "fleetdesk")
    assert (short.target, short.mode, short.group) == (
        "/etc/fleetdesk/logging.toml", 0o644, "root",
    )  # fmt: skip
    assert [str(relation) for relation in server.depends[Format.DEB]] == [
        "depends python3", "depends python3-psycopg2 >= 2.9",
    ]  # fmt: skip


def test_defaults_come_from_the_target_and_the_product(tmp_path: Path) -> None:
    (service,) = load(tmp_path, SAMPLE).release(Version.parse("4.0.0")).server.services
    assert service.name == "fleetdesk-web"
    assert service.description == "Systems management for fleets of hosts"


@pytest.mark.parametrize(
    "word", ["no", "12:30:45", "0o17", "1.10", "0x1F", "1_000", "on", "2026-05-04"]
)
def test_strings_stay_strings(tmp_path: Path, word: str) -> None:
    files = changed("4.1.0.yaml", "DEBUG: no", f"DEBUG: {word}")
    (service,) = load(tmp_path, files).release(Version.parse("4.1.0")).server.services
    assert service.environment[1] == ("DEBUG", word)


@pytest.mark.parametrize(
    "text",
    [
        "%(id) %{lua:os.execute()}",
        "{{ 7 * 7 }} {% raw %}",
        "<script>alert(1)</script>",
        "$(id) `id`",
    ],
)
def test_text_stays_text(tmp_path: Path, text: str) -> None:
    summary = "Systems management for fleets of hosts"
    product = load(tmp_path, changed("product.yaml", summary, f"'{text}'"))
    assert product.summary == text


def test_strange_names_are_payload_like_any_other(tmp_path: Path) -> None:
    names = ["a  b", "0000-[", "x*", "%d", "-rf", "#hash", "größe", "quote'\"", "back\\slash"]
    files = {**SAMPLE, **{f"payload/lib/{name}": "" for name in names}}
    assert load(tmp_path, files)


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    files = changed("product.yaml", "skew: 1", "skew: one")
    files["4.0.0.yaml"] = files["4.0.0.yaml"].replace("source: web", "source: wep")
    files["4.1.0.yaml"] = files["4.1.0.yaml"].replace("expand:", "expnad:")
    files["sql/11-os-name.sql"] = "ALTER TABEL host;"
    starts = [line.split(": ", 1)[0] for line in told(tmp_path, files)]
    assert starts == [
        "4.0.0.yaml:12 source-missing",
        "4.1.0.yaml:9 unknown-key",
        "product.yaml:10 wrong-type",
        "sql/11-os-name.sql:1 sql-syntax",
    ]


def test_the_error_carries_every_problem(tmp_path: Path) -> None:
    files = changed("product.yaml", "skew: 1", "skew: one\nprotect: maybe")
    with pytest.raises(
        SpecError, match="has 2 problems; the first is .*product.yaml:10:7"
    ) as caught:
        load(tmp_path, files)
    assert [problem.path for problem in caught.value.problems] == ["skew", "protect"]
    assert caught.value.exit_code == 3
