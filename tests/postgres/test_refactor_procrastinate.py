"""Refactorings declared upon a real project's chain: its own SQL and its own worker go on.

The release that declares them is made up; all that is under it is procrastinate's, and its server
is the published one, which knows none of the new forms.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import REPOSITORY, run_interlock
from tests.postgres.procrastinate_site import Site
from tests.postgres.test_procrastinate import bytecode, opened  # noqa: F401  (fixtures)
from toolchain.build.product import OpenProduct, open_product

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database

OLD, NEW = "3.10.0", "3.11.0"
STEPS = """\
  version: 14
  expand:
    - change: job-args
      split_table:
        table: procrastinate_jobs
        into: {procrastinate_job_args: {columns: [args], rename: [job_id]}}
    - change: seen-at
      rename_column: {table: procrastinate_workers, column: last_heartbeat, to: seen_at}
    - change: defers
      rename_table: {table: procrastinate_periodic_defers, to: procrastinate_periodic_jobs}
    - change: jobs-by-task
      add_index: {table: procrastinate_jobs, name: jobs_by_task, 'on': [task_name]}
  migrate:
    - change: job-args
    - change: seen-at
"""
FORMS = """\
server:
  forms: {job-args: old, seen-at: old, defers: old}
"""
STRAYS = """
SELECT count(*) FROM procrastinate_jobs AS old
FULL JOIN {part} AS new ON new.job_id = old.id
WHERE old.args IS DISTINCT FROM new.args
"""


@pytest.fixture(scope="module")
def refactored(opened: OpenProduct, tmp_path_factory: pytest.TempPathFactory) -> OpenProduct:  # noqa: F811
    """The chain with one release more."""
    root = tmp_path_factory.mktemp("refactored") / "procrastinate"
    shutil.copytree(opened.root, root, symlinks=True)
    spec = (root / f"{OLD}.yaml").read_text()
    spec = spec.replace(f"release: {OLD}", f"release: {NEW}").replace("2026-09-23", "2026-10-23")
    assert "  version: 13\nserver:\n" in spec
    spec = spec.replace("  version: 13\nserver:\n", STEPS + FORMS)
    (root / f"{NEW}.yaml").write_text(spec)
    return open_product(root, {})


def test_the_published_statements_work_on_every_state(
    refactored: OpenProduct, cluster: "Cluster"
) -> None:
    place = cluster.database("postgres").dsn
    run = run_interlock(
        REPOSITORY, "rehearse", refactored.root, "--release", OLD, "--release", NEW,
        "--dsn", place, "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    assert answer["false_promises"] == answer["broken"] == []
    half_way = {
        state["after"]
        for state in answer["states"]
        if state["release"] == NEW and state["half_way"]
    }
    assert half_way >= {"job-args.expand", "seen-at.expand", "defers.expand", "seen-at.migrate"}


@pytest.fixture
def site(
    refactored: OpenProduct,
    make_database: "Callable[[], Database]",
    tmp_path: Path,
    bytecode: Path,  # noqa: F811
) -> Iterator[Site]:
    made = Site(
        opened=refactored, database=make_database(), folder=tmp_path / "site", bytecode=bytecode
    )
    yield made
    made.close()


def test_the_published_worker_goes_on_while_its_table_is_split(site: Site) -> None:
    """Jobs of either form are done, and both forms say the same before, while and after they move."""
    site.package(OLD).done("apply", "--create")
    host, client = site.host("web1", OLD), site.client("old", OLD)
    host.start()
    site.until_at_work(OLD)
    package = site.package(NEW)

    package.done("apply", "--phase", "expand")
    site.until_at_work(OLD)
    site.database.execute(
        "DO $$ DECLARE job bigint; BEGIN"
        " INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', 'demo:note')"
        " RETURNING id INTO job;"
        " INSERT INTO procrastinate_job_args (job_id, args)"
        """ VALUES (job, '{"table": "notes", "text": "of the new form"}'); END $$"""
    )
    site.until(
        "a job of the new form",
        lambda: (1,) in site.database.rows("SELECT 1 FROM notes WHERE text = 'of the new form'"),
    )
    assert site.database.rows(STRAYS.format(part="procrastinate_job_args")) == [(0,)]

    package.done("apply")
    site.until_at_work(OLD)
    deferred = int(client.stop())
    site.until("the last jobs", lambda: not site.state().keys() & {"todo", "doing"})
    host.stop()
    client.require_clean()
    assert site.state() == {"succeeded": deferred + 1}
    for part in ("procrastinate_job_args", "procrastinate_job_args_next"):
        assert site.database.rows(STRAYS.format(part=part)) == [(0,)]
    package.done("verify")
