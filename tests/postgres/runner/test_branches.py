"""A hotfix of an older branch on a shard: its step runs once, whichever package brought it first."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.postgres.runner.packages import Package, release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

TABLE = release("1.0.0", 1, step("base.expand", "CREATE TABLE public.t (id int)"))
INDEX = step("fix.expand", "CREATE INDEX t_id ON public.t (id)", undo="DROP INDEX public.t_id")
SPLIT = release("2.0.0", 2, step("split.expand", "CREATE VIEW public.v AS SELECT id FROM public.t"))
HOTFIX = (TABLE, release("1.0.1", 1, INDEX))
MAIN = (TABLE, SPLIT, release("2.0.1", 3, INDEX))


def packages(tmp_path: Path, database: "Database") -> dict[str, Package]:
    shards = {"north": database.dsn}
    return {
        "1.0.1": Package(tmp_path / "hotfix", HOTFIX, shards),
        "2.0.0": Package(tmp_path / "main", MAIN[:2], shards),
        "2.0.1": Package(tmp_path / "later", MAIN, shards),
    }


def test_the_main_line_goes_on_from_a_hotfix(tmp_path: Path, database: "Database") -> None:
    package = packages(tmp_path, database)
    assert package["1.0.1"].done("apply", "--json").shard["schema"] == 1
    plan = package["2.0.1"].done("plan").out
    assert "fix.expand" not in plan
    assert "base.expand" not in plan
    shard = package["2.0.1"].done("apply", "--json").shard
    assert (shard["ready"], shard["schema"]) == ("2.0.1", 3)
    assert package["2.0.1"].done("verify").out.startswith("north: in order")
    assert package["2.0.1"].done("apply").out.count("fix") == 0


def test_a_release_that_does_not_know_the_hotfix_is_refused(
    tmp_path: Path, database: "Database"
) -> None:
    package = packages(tmp_path, database)
    package["1.0.1"].done("apply")
    refused = package["2.0.0"].run("apply")
    assert refused.code == 5
    assert "its step fix.expand of 1.0.1 is unknown to this package" in refused.sentence
    assert database.rows("SELECT to_regclass('public.v')") == [(None,)]


def test_the_main_line_may_have_had_it_first(tmp_path: Path, database: "Database") -> None:
    """A backport, and a shard that is ahead of it already."""
    package = packages(tmp_path, database)
    package["1.0.1"].done("apply")
    package["2.0.1"].done("apply")
    older = package["1.0.1"].run("apply")
    assert older.code == 5
    assert "newer than this package (1.0.1)" in older.sentence


def test_another_step_of_that_name_is_found(tmp_path: Path, database: "Database") -> None:
    packages(tmp_path, database)["1.0.1"].done("apply")
    other = step("fix.expand", "CREATE INDEX t_id ON public.t (id DESC)")
    changed = Package(
        tmp_path / "changed", (*MAIN[:2], release("2.0.1", 3, other)), {"north": database.dsn}
    )
    refused = changed.run("apply")
    assert refused.code == 5
    assert "step fix.expand ran as expand of 1.0.1, and this package has it" in refused.sentence


def test_a_hotfix_step_can_be_undone_by_either(tmp_path: Path, database: "Database") -> None:
    package = packages(tmp_path, database)
    package["1.0.1"].done("apply")
    package["2.0.1"].done("apply")
    package["2.0.1"].done("undo", "--to", "2.0.0")
    assert database.rows("SELECT to_regclass('public.t_id')") == [(None,)]
    assert package["2.0.1"].done("apply", "--json").shard["schema"] == 3
    assert package["2.0.1"].done("verify").out.startswith("north: in order")
