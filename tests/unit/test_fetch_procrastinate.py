"""scripts/fetch-procrastinate: what it makes of releases; only the last test needs a network."""

import importlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

chain = importlib.import_module("procrastinate_product.chain")
command = importlib.import_module("procrastinate_product.command")
errors = importlib.import_module("procrastinate_product.errors")
measured = importlib.import_module("procrastinate_product.measured")
payload = importlib.import_module("procrastinate_product.payload")
product = importlib.import_module("procrastinate_product.product")
releases = importlib.import_module("procrastinate_product.releases")
wheels = importlib.import_module("procrastinate_product.wheels")

NUMBER = releases.Number.parse
LICENCE = "MIT License\n\nCopyright (c) 2019-2021, Someone\nCopyright (c) 2024-, Someone Else\n"

# Each migration of the real chain, with the packaged release that first brings it.
BROUGHT = {
    "02.00.03_01_add_job_priority.sql": "2.5.0",
    "02.05.00_01_add_periodic_job_priority.sql": "2.6.0",
    "02.06.00_01_add_cancel_states.sql": "2.8.0",
    "02.08.00_01_add_additional_params_to_retry_job.sql": "2.9.2",
    "02.14.01_01_add_indexes_for_fetch_job.sql": "2.15.1",
    "03.00.00_01_pre_cancel_notification.sql": "3.0.0",
    "03.00.00_50_post_cancel_notification.sql": "3.0.0",
    "03.01.00_01_pre_add_heartbeat.sql": "3.1.0",
    "03.01.00_50_post_add_heartbeat.sql": "3.1.0",
    "03.02.00_01_pre_batch_defer_jobs.sql": "3.2.2",
    "03.02.00_50_post_batch_defer_jobs.sql": "3.2.2",
    "03.03.00_01_pre_priority_lock_fetch_job.sql": "3.3.0",
    "03.04.00_01_pre_add_retry_failed_job_procedure.sql": "3.4.0",
    "03.04.00_50_post_add_retry_failed_job_procedure.sql": "3.4.0",
}

# Release: schema, oldest schema of its server, oldest peer, oldest server of its database, steps.
EXPECTED = {
    "2.0.0": (1, 1, "2.0.0", "2.0.0", "initial.expand"),
    "2.0.3": (1, 1, "2.0.0", "2.0.0", ""),
    "2.5.0": (2, 2, "2.0.0", "2.0.0", "add-job-priority.expand"),
    "2.6.0": (3, 3, "2.0.0", "2.0.0", "add-periodic-job-priority.expand"),
    "2.8.0": (4, 4, "2.0.0", "2.0.0", "add-cancel-states.expand"),
    "2.9.2": (5, 5, "2.0.0", "2.0.0", "add-additional-params-to-retry-job.expand"),
    "2.14.1": (5, 5, "2.0.0", "2.0.0", ""),
    "2.15.1": (6, 6, "2.0.0", "2.0.0", "add-indexes-for-fetch-job.expand"),
    "3.0.0": (7, 7, "2.15.1", "2.15.1", "cancel-notification.expand"),
    "3.0.2": (8, 7, "2.15.1", "3.0.0", "cancel-notification.contract"),
    "3.1.0": (9, 9, "3.0.0", "3.0.0", "add-heartbeat.expand"),
    "3.2.2": (10, 10, "3.1.0", "3.1.0", "batch-defer-jobs.expand add-heartbeat.contract"),
    "3.3.0": (11, 11, "3.2.2", "3.2.2", "priority-lock-fetch-job.expand batch-defer-jobs.contract"),
    "3.4.0": (12, 12, "3.3.0", "3.3.0", "add-retry-failed-job-procedure.expand"),
    "3.5.3": (13, 12, "3.3.0", "3.4.0", "add-retry-failed-job-procedure.contract"),
    "3.10.0": (13, 12, "3.3.0", "3.4.0", ""),
}


def upstream(version: str, migrations: Mapping[str, bytes]) -> Any:
    return chain.Upstream(number=NUMBER(version), migrations=migrations, schema=b"SELECT 1;")


def upstreams(versions: Sequence[str], brought: Mapping[str, str] = BROUGHT) -> list[Any]:
    return [
        upstream(
            version,
            {file: b"SELECT 2;" for file, by in brought.items() if NUMBER(by) <= NUMBER(version)},
        )
        for version in versions
    ]


def row(link: Any) -> tuple[object, ...]:
    return (
        link.schema,
        link.oldest_schema,
        str(link.oldest_peer),
        str(link.oldest_server),
        " ".join(f"{step.change}.{step.phase}" for step in link.steps),
    )


class TestChain:
    def test_the_default_chain_has_the_windows_that_procrastinate_documents(self) -> None:
        links = chain.build(upstreams(releases.CHAIN))
        assert {str(link.number): row(link) for link in links} == EXPECTED

    def test_a_post_migration_waits_for_the_next_release(self) -> None:
        *_, last = chain.build(upstreams(["2.15.1", "3.0.0"]))
        assert [step.phase for step in last.steps] == ["expand"]

    def test_post_migrations_of_skipped_versions_wait_together(self) -> None:
        _, second, third = chain.build(upstreams(["2.15.1", "3.2.2", "3.3.0"]))
        assert second.skipped == ("03.00.00", "03.01.00")
        assert [step.change for step in third.of("contract")] == [
            "cancel-notification", "add-heartbeat", "batch-defer-jobs",
        ]  # fmt: skip
        assert str(third.oldest_server) == "3.2.2"

    def test_nothing_is_skipped_within_2(self) -> None:
        assert not any(link.skipped for link in chain.build(upstreams(["2.0.0", "2.15.1"])))

    def test_a_migration_that_was_mended_later_is_taken_as_mended(self) -> None:
        file = "03.00.00_01_pre_cancel_notification.sql"
        broken, mended = {file: b"broken"}, {file: b"mended"}
        links = chain.build(
            [
                upstream("2.15.1", {}),
                upstream("3.0.0", broken),
                upstream("3.0.2", mended),
                upstream("3.1.0", mended),
            ]
        )
        (step,) = links[1].steps
        assert step.sql == b"mended"
        assert step.rewritten_by == NUMBER("3.0.2")

    def test_two_changes_of_one_name_are_told_apart(self) -> None:
        brought = {
            "03.00.00_01_pre_same.sql": "3.0.0",
            "03.01.00_01_pre_same.sql": "3.1.0",
            "03.01.00_50_post_same.sql": "3.1.0",
        }
        links = chain.build(upstreams(["2.15.1", "3.0.0", "3.1.0", "3.2.2"], brought))
        assert [row(link)[-1] for link in links[1:]] == [
            "same.expand", "same-03-01-00.expand", "same-03-01-00.contract",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("files", "sentence"),
        [
            (["03.00.00_50_post_lonely.sql"], "no pre migration"),
            (["03.00.00_01_pre_twin.sql", "03.00.00_02_pre_twin.sql"], "second migration"),
        ],
    )
    def test_migrations_that_make_no_pair_are_refused(
        self, files: list[str], sentence: str
    ) -> None:
        brought = dict.fromkeys(files, "3.0.0")
        with pytest.raises(errors.SourceError, match=sentence):
            chain.build(upstreams(["2.15.1", "3.0.0", "3.0.2"], brought))

    @pytest.mark.parametrize(
        "file",
        ["03.05.00_01_add_something.sql", "02.15.00_01_unknown.sql", "readme.sql", "03_pre_x.sql"],
    )
    def test_a_migration_that_nobody_has_judged_is_refused(self, file: str) -> None:
        with pytest.raises(errors.SourceError, match="neither pre nor post"):
            chain.build([upstream("2.15.1", {}), upstream("3.0.0", {file: b""})])

    def test_a_dropped_migration_is_refused(self) -> None:
        file = "02.00.03_01_add_job_priority.sql"
        with pytest.raises(errors.SourceError, match="dropped the migration 02"):
            chain.build([upstream("2.5.0", {file: b""}), upstream("2.6.0", {})])

    def test_every_migration_of_the_chain_was_measured(self) -> None:
        assert set(measured.MEASURED) == {file.removesuffix(".sql") for file in BROUGHT}


class TestReleases:
    def test_the_chain_is_in_order_and_its_days_are_known(self) -> None:
        wanted = releases.choose(releases.CHAIN)
        assert [str(each.number) for each in wanted] == list(releases.CHAIN)
        assert [each.date for each in wanted] == sorted(each.date for each in wanted)
        assert len(wanted) >= 10

    def test_releases_are_sorted_as_versions_and_named_once(self) -> None:
        wanted = releases.choose(["3.10.0", "3.2.2", "3.10.0"])
        assert [str(each.number) for each in wanted] == ["3.2.2", "3.10.0"]

    def test_a_day_can_be_given(self) -> None:
        *_, last = releases.choose(["3.10.0", "3.99.0"], ["3.99.0=2027-01-02"])
        assert last.date == date(2027, 1, 2)

    @pytest.mark.parametrize(
        ("versions", "dates", "sentence"),
        [
            (["3.10.0"], [], "at least two releases"),
            (["1.1.2", "2.0.0"], [], "too old"),
            (["2.0.0", "3.0.0b1"], [], "'3.0.0b1' is not a final release"),
            (["2.0.0", "03.1.0"], [], "is not a final release"),
            (["2.0.0", ""], [], "is not a final release"),
            (["2.0.0", "3.99.0"], [], "--date 3.99.0=YYYY-MM-DD"),
            (["2.0.0", "3.99.0"], ["3.99.0=soon"], "'soon' is not a day"),
            (["2.0.0", "3.0.0"], ["new=2026-01-01"], "'new' is not a final release"),
        ],
    )
    def test_what_cannot_be_packaged(
        self, versions: list[str], dates: list[str], sentence: str
    ) -> None:
        with pytest.raises(errors.RequestError, match=sentence):
            releases.choose(versions, dates)


def make_wheel(directory: Path, name: str, version: str, files: Mapping[str, str]) -> Path:
    path = directory / f"{name}-{version}-py3-none-any.whl"
    metadata = f"{name}-{version}.dist-info"
    everything = {
        **files,
        f"{metadata}/METADATA": f"Name: {name}\nVersion: {version}\n",
        f"{metadata}/RECORD": "",
        f"{metadata}/licenses/LICENSE.md": LICENCE,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in everything.items():
            archive.writestr(zipfile.ZipInfo(file), text)
    return path


class FakePip:
    """A pip whose index has the releases of EXPECTED, each with one library."""

    def __init__(self, versions: Sequence[str] = tuple(EXPECTED)) -> None:
        self.versions = versions
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, arguments: Sequence[str]) -> Any:
        self.calls.append(tuple(arguments))
        target = Path(arguments[arguments.index("--dest") + 1])
        if "-r" in arguments:
            lines = Path(arguments[arguments.index("-r") + 1]).read_text().splitlines()
            wanted = [line.split(" ")[0] for line in lines]
        else:
            wanted = [arguments[-1], "library==1.0"]
        for requirement in wanted:
            name, _, version = requirement.partition("==")
            if name == "library":
                make_wheel(target, name, version, {"library/__init__.py": "#!/bin/sh\nx = 1\n"})
            elif version in self.versions:
                self._procrastinate(target, version)
            else:
                known = ", ".join(self.versions) or "none"
                return wheels.Answer(
                    code=1,
                    output="WARNING: something\nERROR: Could not find a version that satisfies"
                    f" the requirement procrastinate=={version} (from versions: {known})\n"
                    f"ERROR: No matching distribution found for procrastinate=={version}\n",
                )
        return wheels.Answer(code=0, output="")

    @staticmethod
    def _procrastinate(target: Path, version: str) -> None:
        migrations = {
            f"procrastinate/sql/migrations/{file}": "SELECT 2;\n"
            for file, by in BROUGHT.items()
            if NUMBER(by) <= NUMBER(version)
        }
        files = {
            "procrastinate/__init__.py": "",
            "procrastinate/sql/schema.sql": "CREATE TABLE job (id integer);\n",
            "procrastinate/sql/migrations/00.00.00_01_initial.sql": "SELECT 0;\n",
            "procrastinate/tests/test_it.py": "",
            **migrations,
        }
        make_wheel(target, "procrastinate", version, files)


def refusing_pip(_arguments: Sequence[str]) -> Any:
    raise AssertionError("pip was called")


@pytest.fixture
def store(tmp_path: Path) -> Callable[[Any], Any]:
    def make(pip: Any) -> Any:
        return wheels.Wheels(cache=tmp_path / "cache", lock=tmp_path / "lock.json", pip=pip)

    return make


class TestWheels:
    def test_a_second_run_asks_nobody(self, store: Callable[[Any], Any]) -> None:
        first = store(FakePip()).of(NUMBER("2.0.0"))
        assert [path.name for path in first] == [
            "library-1.0-py3-none-any.whl", "procrastinate-2.0.0-py3-none-any.whl",
        ]  # fmt: skip
        assert store(refusing_pip).of(NUMBER("2.0.0")) == first

    def test_pip_fetches_pure_wheels_by_name_and_version(self, store: Callable[[Any], Any]) -> None:
        pip = FakePip()
        store(pip).of(NUMBER("2.0.0"))
        (call,) = pip.calls
        assert call[-1] == "procrastinate==2.0.0"
        assert "--only-binary :all: --platform any --python-version 3.11" in " ".join(call)
        assert not any("://" in argument for argument in call)

    def test_what_the_cache_lost_is_fetched_by_hash(
        self, store: Callable[[Any], Any], tmp_path: Path
    ) -> None:
        _, own = store(FakePip()).of(NUMBER("2.0.0"))
        before = own.read_bytes()
        own.write_bytes(b"damaged")
        pip = FakePip()
        assert store(pip).of(NUMBER("2.0.0"))[1].read_bytes() == before
        (call,) = pip.calls
        assert "--require-hashes" in call
        assert "--no-deps" in call
        assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [
            "library-1.0-py3-none-any.whl", "procrastinate-2.0.0-py3-none-any.whl",
        ]  # fmt: skip

    def test_the_lock_names_each_file_and_its_hash(
        self, store: Callable[[Any], Any], tmp_path: Path
    ) -> None:
        store(FakePip()).of(NUMBER("3.10.0"))
        store(FakePip()).of(NUMBER("3.2.2"))
        lock = json.loads((tmp_path / "lock.json").read_text())
        assert list(lock) == ["3.2.2", "3.10.0"]
        for name, sha256 in lock["3.2.2"].items():
            assert wheels.digest(tmp_path / "cache" / name) == sha256

    def test_a_lock_that_is_none(self, store: Callable[[Any], Any], tmp_path: Path) -> None:
        (tmp_path / "lock.json").write_text("[1, 2")
        with pytest.raises(errors.WriteError, match="is not a lock of this script"):
            store(refusing_pip)

    @pytest.mark.parametrize(
        ("output", "kind", "sentence"),
        [
            (
                "ERROR: Could not find a version that satisfies the requirement"
                " procrastinate==2.0.0 (from versions: 1.0.0, 3.0.0)",
                "RequestError",
                "PyPI has no release 2.0.0",
            ),
            (
                "ERROR: Could not find a version that satisfies the requirement"
                " procrastinate==2.0.0 (from versions: none)",
                "DownloadError",
                "reaches no package index",
            ),
            ("/usr/bin/python3: No module named pip", "DownloadError", "has no pip"),
            (
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
                "DownloadError",
                "are not those that the lock names",
            ),
            ("ERROR: first\nERROR: the disk is full", "DownloadError", "the disk is full"),
            ("", "DownloadError", "gave no reason"),
        ],
    )
    def test_pips_many_lines_become_one(
        self, store: Callable[[Any], Any], output: str, kind: str, sentence: str
    ) -> None:
        pip = store(lambda _: wheels.Answer(code=1, output=output))
        with pytest.raises(getattr(errors, kind), match=sentence) as caught:
            pip.of(NUMBER("2.0.0"))
        assert "\n" not in str(caught.value)


class TestPayload:
    def test_what_a_worker_does_not_need_is_left_out(self, tmp_path: Path) -> None:
        library = payload.open_wheel(
            make_wheel(
                tmp_path,
                "some_thing",
                "1.0",
                {
                    "some_thing/__init__.py": "#!/usr/bin/python\nx = 1\n",
                    "some_thing/testing.py": "",
                    "some_thing/data.txt": "#!/kept",
                    "some_thing/README.md": "",
                    "some_thing/tests/test_x.py": "",
                    "some_thing/__pycache__/x.cpython-311.pyc": "",
                    "some_thing-1.0.dist-info/direct_url.json": "",
                },
            )
        )
        assert sorted(library.files) == [
            "some_thing-1.0.dist-info/METADATA",
            "some_thing/__init__.py",
            "some_thing/data.txt",
            "some_thing/testing.py",
        ]
        assert library.files["some_thing/__init__.py"] == b"#\nx = 1\n"
        assert library.files["some_thing/data.txt"] == b"#!/kept"
        assert list(payload.licence_files([library])) == [
            ("some_thing-LICENSE.md", LICENCE.encode())
        ]

    @pytest.mark.parametrize(
        "name", ["x/fast.so", "x/fast.cpython-311.so", "../x.py", "/etc/x", "x-1.data/scripts/x"]
    )
    def test_what_no_package_could_hold_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(errors.SourceError, match="holds"):
            payload.open_wheel(make_wheel(tmp_path, "x", "1.0", {name: ""}))

    def test_what_is_no_wheel(self, tmp_path: Path) -> None:
        path = tmp_path / "x-1.0-py3-none-any.whl"
        path.write_bytes(b"no archive")
        with pytest.raises(errors.SourceError, match=r"^x-1\.0-py3-none-any\.whl is not a wheel"):
            payload.open_wheel(path)

    def test_two_libraries_with_one_file_are_refused(self) -> None:
        one, two = (
            payload.Library(name=name, version="1", files={"same.py": b""}, licences={})
            for name in ("one", "two")
        )
        with pytest.raises(errors.SourceError, match=r"one and two both hold same\.py"):
            list(payload.library_files([one, two]))

    def test_the_copyright_is_the_licences(self) -> None:
        line = payload.copyright_line(LICENCE)
        assert line == "2019-2021, Someone; 2024-present, Someone Else"
        with pytest.raises(errors.SourceError):
            payload.copyright_line("no names")


def snapshot(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(directory)): (
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(directory.rglob("*"))
    }


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


class TestCommand:
    def test_the_product_is_one_that_interlock_accepts(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        target = tmp_path / "made" / "procrastinate"
        assert command.main([str(target)], pip=FakePip()) == 0
        result = capsys.readouterr()
        assert len(result.out.splitlines()) == len(EXPECTED) + 1
        assert "writing 16 releases" in result.err
        assert problems_of(target) == []
        assert {path.name for path in target.glob("*.yaml")} == {
            "product.yaml", *(f"{version}.yaml" for version in EXPECTED)
        }  # fmt: skip
        assert (target / "sql/schema-2.0.0.sql").read_text().startswith("CREATE TABLE")
        assert sorted(path.name for path in target.parent.iterdir()) == [
            "procrastinate", "procrastinate.cache", "procrastinate.lock.json",
        ]  # fmt: skip

    def test_programs_are_executable_and_pages_carry_the_release(self, tmp_path: Path) -> None:
        target = tmp_path / "p"
        command.main([str(target), "--releases", "3.0.0,3.0.2"], pip=FakePip())
        directory = target / "payload/3.0.2"
        for name, mode in (("procrastinate-worker", 0o755), ("procrastinate", 0o755)):
            assert (directory / name).stat().st_mode & 0o7777 == mode
            assert (directory / name).read_text().startswith("#!/usr/bin/python3 -I\n")
        page = (directory / "procrastinate-worker.1").read_text()
        assert '"2025-01-28" "procrastinate 3.0.2"' in page
        assert "@" not in page
        assert (directory / "lib/procrastinate_host.py").stat().st_mode & 0o7777 == 0o644

    def test_the_same_bytes_whatever_the_umask(
        self, tmp_path: Path, umask: Callable[[int], int]
    ) -> None:
        taken = []
        for mask in (0o022, 0o077, 0o000):
            umask(mask)
            target = tmp_path / f"{mask}" / "p"
            assert command.main([str(target)], pip=FakePip()) == 0
            taken.append(snapshot(target))
        assert taken[0] == taken[1] == taken[2]

    def test_a_second_run_leaves_the_product_alone(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        target = tmp_path / "p"
        command.main([str(target)], pip=FakePip())
        inode, first = target.stat().st_ino, capsys.readouterr().out
        assert command.main([str(target)], pip=refusing_pip) == 0
        result = capsys.readouterr()
        assert target.stat().st_ino == inode
        assert result.out == first
        assert "was up to date" in result.err

    def test_other_releases_replace_the_product(self, tmp_path: Path) -> None:
        target = tmp_path / "p"
        command.main([str(target)], pip=FakePip())
        assert command.main([str(target), "--releases", "3.3.0,3.4.0"], pip=FakePip()) == 0
        assert sorted(path.name for path in (target / "payload").iterdir()) == ["3.3.0", "3.4.0"]
        assert problems_of(target) == []

    def test_skipped_versions_are_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        target = tmp_path / "p"
        assert command.main([str(target), "--releases", "2.15.1,3.4.0,3.5.3"], pip=FakePip()) == 0
        assert "no document promises" in capsys.readouterr().err
        comment = (target / "3.4.0.yaml").read_text().replace("\n  #", "")
        assert "(03.00.00, 03.01.00, 03.02.00, 03.03.00), which no document promises" in comment

    def test_a_directory_of_somebody_else_is_kept(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine/letter").write_text("dear")
        assert command.main([str(tmp_path / "mine")], pip=refusing_pip) == 5
        assert "was not made by this script" in capsys.readouterr().err
        assert (tmp_path / "mine/letter").read_text() == "dear"
        assert [path.name for path in tmp_path.iterdir()] == ["mine"]

    @pytest.mark.parametrize(
        ("versions", "offered", "code"),
        [
            ("2.0.0,3.0.1", tuple(EXPECTED), 2),
            ("2.0.0,2.1.0", tuple(EXPECTED), 2),
            ("2.0.0,2.0.3", (), 4),
        ],
    )
    def test_a_failure_is_one_sentence_and_leaves_no_product(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        versions: str,
        offered: tuple[str, ...],
        code: int,
    ) -> None:
        target = tmp_path / "p"
        assert command.main([str(target), "--releases", versions], pip=FakePip(offered)) == code
        result = capsys.readouterr()
        assert result.out == ""
        (line,) = [text for text in result.err.splitlines() if "error: " in text]
        assert line.startswith("fetch-procrastinate: error: ")
        assert not target.exists()
        assert not list(tmp_path.glob(".p~*"))

    def test_what_a_killed_run_left_is_removed(self, tmp_path: Path) -> None:
        for left in (".p~1/new", ".q~1/new", "p.cache/~1"):
            (tmp_path / left).mkdir(parents=True)
        assert command.main([str(tmp_path / "p")], pip=FakePip()) == 0
        assert not (tmp_path / ".p~1").exists()
        assert not (tmp_path / "p.cache/~1").exists()
        assert (tmp_path / ".q~1").exists()

    def test_a_place_that_cannot_be_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "file").write_text("")
        assert command.main([str(tmp_path / "file" / "p")], pip=FakePip()) == 5
        assert "cannot write" in capsys.readouterr().err

    def test_it_runs_as_a_script(self) -> None:
        script = SCRIPTS / "fetch-procrastinate"
        assert os.access(script, os.X_OK)
        done = subprocess.run(
            [sys.executable, str(script), "--releases", "2.0.0,nonsense", "unused"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr == (
            "fetch-procrastinate: error: 'nonsense' is not a final release X.Y.Z of procrastinate\n"
        )


def problems_of(directory: Path) -> list[str]:
    from toolchain.edge.directory import Directory
    from toolchain.spec.load import check_product

    return [str(problem) for problem in check_product(Directory(directory), {}).problems]


# Everything that a schema consists of, apart from the order of columns.
SCHEMA = """
SELECT 'column', table_name, column_name, udt_name, column_default, is_nullable
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'function', proname, pg_get_function_identity_arguments(oid), prosrc, '', ''
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid), '', '', ''
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'index', indexname, indexdef, '', '', ''
  FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid), '', '', ''
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'label', typname, enumlabel, '', '', ''
  FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
ORDER BY 1, 2, 3
"""


def work(directory: Path, version: str, dsn: str, scratch: Path) -> None:
    """Defer a job with one release's command and run it with its worker; raises on failure."""
    settings = scratch / "worker.ini"
    settings.write_text(
        f"[worker]\n[shards]\nmain = {dsn}\n[tasks]\ndemo = procrastinate_demo:tasks\n"
    )
    settings.chmod(0o600)
    place = directory / "payload" / version
    environment = {
        "PATH": os.defpath,
        "PROCRASTINATE_LIBRARY": str(place / "lib"),
        "PROCRASTINATE_SETTINGS": str(settings),
    }
    job = json.dumps({"table": "notes", "text": version})
    for arguments in (
        ("procrastinate", "defer", "demo:note", job),
        ("procrastinate-worker", "--once"),
    ):
        done = subprocess.run(
            [sys.executable, "-I", str(place / arguments[0]), *arguments[1:]],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{version} {arguments}: {done.stderr}"


@pytest.mark.postgres
def test_the_real_releases_work_where_their_windows_say_so(tmp_path: Path) -> None:
    """Fetches from PyPI; walks a real PostgreSQL through the chain, and lets real workers work."""
    from tests.postgres.conftest import running_cluster
    from toolchain.edge.directory import Directory
    from toolchain.model.law import compatible
    from toolchain.spec.load import load_product

    directory = command.DEFAULT
    assert command.main([]) == 0
    chained = load_product(Directory(directory), {}).releases
    assert len(chained) >= 10
    with running_cluster() as cluster:
        database = cluster.create_database()
        database.execute("CREATE TABLE notes (text text, server text)")
        applied: set[str] = set()
        compared = []
        for at, release in enumerate(chained):
            for step in release.database.steps:
                database.execute((directory / step.sql.name).read_text())
                applied.add(Path(step.sql.name).name)
            for server in chained[max(at - 1, 0) : at + 1]:
                assert compatible(server.server_handshake, release.shard_handshake)
                work(directory, str(server.version), database.dsn, tmp_path)
            noted = database.rows("SELECT server FROM notes")
            database.execute("DELETE FROM notes")
            assert {row for (row,) in noted} == {
                str(server.version) for server in chained[max(at - 1, 0) : at + 1]
            }
            own = directory / "payload" / str(release.version) / "lib/procrastinate/sql"
            if applied.issuperset(path.name for path in own.glob("migrations/*_post_*.sql")):
                compared.append(str(release.version))
                fresh = cluster.create_database()
                fresh.execute((own / "schema.sql").read_text())
                fresh.execute("CREATE TABLE notes (text text, server text)")
                assert database.rows(SCHEMA) == fresh.rows(SCHEMA), str(release.version)
    assert compared[-3:] == ["3.3.0", "3.5.3", "3.10.0"]
