"""Broken configurations, packages, ledgers and databases: one sentence each, nothing changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import CHAIN, Package, release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

SECRET = "correct-horse"
Break = Callable[[Package], None]


def config(text: str, mode: int = 0o640) -> Break:
    def change(package: Package) -> None:
        package.config.write_text(text)
        package.config.chmod(mode)

    return change


def password_file(mode: int, text: str = SECRET) -> Break:
    def change(package: Package) -> None:
        secret = package.folder / "secret"
        secret.write_text(text)
        secret.chmod(mode)
        package.config.write_text("[north]\ndsn = host=/nowhere\npassword_file = secret\n")

    return change


# name: how it is broken, then the sentence ({folder} and {config} stand for paths).
CONFIGURATIONS: dict[str, tuple[Break, str]] = {
    "missing": (
        lambda package: package.config.unlink(),
        "cannot read the configuration {config}: No such file or directory",
    ),
    "a directory": (
        lambda package: (package.config.unlink(), package.config.mkdir())[1],
        "cannot read the configuration {config}: Is a directory",
    ),
    "writable by all": (
        config("[north]\nservice = x\n", 0o666),
        "the configuration {config} is writable by others (mode 0666); run: chmod 0644 {config}",
    ),
    "readable password": (
        config(f"[north]\ndsn = host=x password={SECRET}\n", 0o644),
        "the configuration {config} holds a password and is readable by others (mode 0644);"
        " run: chmod 0640 {config}",
    ),
    "readable password in a URL": (
        config(f"[north]\ndsn = postgresql://u:{SECRET}@h/d\n", 0o644),
        "the configuration {config} holds a password and is readable by others (mode 0644);"
        " run: chmod 0640 {config}",
    ),
    "readable password file": (
        password_file(0o644),
        "the password file {folder}/secret holds a password and is readable by others (mode 0644);"
        " run: chmod 0640 {folder}/secret",
    ),
    "empty password file": (
        password_file(0o600, "\n"),
        "the password file {folder}/secret must hold one line, the password",
    ),
    "no shard": (
        config("[*]\nlock_timeout = 1s\n"),
        "{config} names no shard; add a section such as [north]",
    ),
    "no section": (
        config("dsn = host=x\n"),
        "{config}: line 1: a section such as [north] must come first",
    ),
    "a shard twice": (
        config("[north]\nservice = x\n[north]\nservice = y\n"),
        "{config}: line 3: the section [north] stands there twice",
    ),
    "an option twice": (
        config("[north]\nservice = x\nservice = y\n"),
        "{config}: line 3: 'service' stands twice in [north]",
    ),
    "no option at all": (
        config(f"[north]\n{SECRET}\n"),
        "{config}: line 2 is neither a section, an option nor a comment",
    ),
    "an unknown option": (
        config("[north]\nservice = x\nlock_timout = 1s\n"),
        "{config} [north]: there is no option 'lock_timout'; did you mean 'lock_timeout'?",
    ),
    "a bare number": (
        config("[north]\nservice = x\nlock_timeout = 1000\n"),
        "{config} [north]: lock_timeout: '1000' is not a duration: write it like 200ms, 10s, 5min,"
        " 2h or 1d",
    ),
    "out of range": (
        config("[north]\nservice = x\nlock_timeout = 1h\n"),
        "{config} [north]: lock_timeout: '1h' is out of range: 0.01s to 60s",
    ),
    "a roll call in which nobody answers": (
        config("[north]\nservice = x\nroll_call = 2min\n"),
        "{config} [north]: roll_call: it must be longer than refresh, or off",
    ),
    "neither dsn nor service": (
        config("[north]\nlock_timeout = 1s\n"),
        "{config} [north] needs either a dsn or a service; give one of the two",
    ),
    "a broken dsn": (
        config(f"[north]\ndsn = host=x {SECRET}\n"),
        "{config} [north]: the dsn is not a connection string; write it like host=db1 dbname=app"
        " user=app",
    ),
    "a shard's name": (
        config("[North; DROP]\nservice = x\n"),
        "{config}: 'North; DROP' is not the name of a shard; use up to 40 lower-case letters,"
        " digits and dashes",
    ),
    "a dsn for all": (
        config("[*]\ndsn = host=x\n[north]\n"),
        "{config} [*]: dsn belongs to one shard; move it to the shard's section",
    ),
    "not UTF-8": (
        lambda package: (package.config.write_bytes(b"[north]\n\xff"), None)[1],
        "the configuration {config} is not UTF-8",
    ),
    "a symbolic link to a device": (
        lambda package: (package.config.unlink(), package.config.symlink_to("/dev/zero"))[1],
        "the configuration {config} is not a regular file",
    ),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations(package: Package, database: "Database", name: str) -> None:
    change, sentence = CONFIGURATIONS[name]
    change(package)
    result = package.run("apply")
    assert result.code == 3
    wanted = sentence.format(folder=package.folder, config=package.config)
    assert result.sentence == f"fleetdesk-database: {wanted}"
    assert SECRET not in result.err
    untouched(database)


def untouched(database: "Database") -> None:
    assert database.rows("SELECT to_regnamespace('interlock'), to_regclass('host')") == [
        (None, None)
    ]


def manifest(**changes: Any) -> Break:
    def change(package: Package) -> None:
        document = json.loads(package.manifest.read_text())
        for place, value in changes.items():
            target = document
            *path, last = [int(key) if key.isdigit() else key for key in place.split("__")]
            for key in path:
                target = target[key]
            if value is ...:
                del target[last]
            else:
                target[last] = value
        package.manifest.write_text(json.dumps(document))

    return change


def text(content: str) -> Break:
    return lambda package: (package.manifest.write_text(content), None)[1]


SQL = "sql/1.0.0/base.expand.sql"
MANIFESTS: dict[str, tuple[Break, str]] = {
    "not JSON": (text("{"), "the manifest {manifest} is damaged: Expecting property name enclosed"),
    "a key twice": (text('{"format": 1, "format": 1}'), "the key 'format' stands there twice"),
    "nested": (text("[" * 100_000), "the manifest {manifest} is damaged: nested too deeply"),
    "an array": (text("[]"), "{manifest}: an object is expected here"),
    "a newer format": (manifest(format=2), "{manifest}: its format is not 1, the one that"),
    "an unknown key": (manifest(extra=1), "{manifest}: the key 'extra' is unknown here"),
    "a missing key": (
        manifest(releases__0__schema=...),
        "{manifest} at releases[0]: the key 'schema' is missing",
    ),
    "a schema in words": (
        manifest(releases__0__schema="1"),
        "{manifest} at releases[0].schema: a whole number is expected here",
    ),
    "a schema that goes back": (
        manifest(releases__1__schema=0),
        "{manifest} at releases: the schema of 1.1.0 goes back to 0",
    ),
    "releases out of order": (
        manifest(releases__1__release="0.9.0"),
        "{manifest} at releases: 0.9.0 stands after 1.0.0",
    ),
    "a window that is empty": (
        manifest(releases__2__servers={"oldest": "0.5.0", "below": "0.9.0"}),
        "{manifest} at releases: 1.2.0 accepts no server that an earlier release left",
    ),
    "another release": (
        manifest(release="9.9.9"),
        "{manifest} at releases: the last release is not 9.9.9, the package's own",
    ),
    "a version of another grammar": (
        manifest(releases__0__servers__oldest="1.0"),
        "{manifest} at releases[0].servers.oldest: '1.0' is not a version of the form",
    ),
    "phases out of order": (
        manifest(releases__1__steps__0__phase="contract"),
        "the steps do not stand in the order expand, migrate, contract",
    ),
    "an id twice": (
        manifest(releases__1__steps__0__id="base.expand"),
        "{manifest} at releases: the step base.expand stands there twice",
    ),
    "a path that leads out": (
        manifest(releases__0__steps__0__sql="../../etc/passwd"),
        "'../../etc/passwd' leads out of the package",
    ),
    "a changed file": (
        lambda package: ((package.folder / SQL).write_text("DROP TABLE x;"), None)[1],
        f"{SQL} is not the file that the package was built with; install the package again",
    ),
    "a missing file": (
        lambda package: (package.folder / SQL).unlink(),
        f"cannot read {SQL}: No such file or directory; install the package again",
    ),
    "a batch outside migrate": (
        manifest(releases__0__steps__0__batch={"table": "t", "key": "k", "statements": ["S"]}),
        "only a migrate step in transactions has batches",
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(package: Package, database: "Database", name: str) -> None:
    change, sentence = MANIFESTS[name]
    change(package)
    result = package.run("apply")
    assert result.code == 3
    assert sentence.format(manifest=package.manifest) in result.sentence
    untouched(database)


def test_an_index_without_a_name(make_package: MakePackage) -> None:
    index = step("i.expand", "CREATE INDEX CONCURRENTLY ON host (os)", transaction=False)
    result = make_package(release("1.0.0", 1, index)).run("apply")
    assert result.code == 3
    assert "an index that is created concurrently needs a name of its own" in result.sentence


# name: SQL that breaks the ledger of a shard at 1.1.0, exit code, sentence.
LEDGERS: dict[str, tuple[str, int, str]] = {
    "a newer ledger": (
        "UPDATE interlock.ledger SET format = 2",
        5,
        "its ledger has format 2, and this runner reads up to 1; install the newer database package"
        " that wrote it",
    ),
    "no format": (
        "DELETE FROM interlock.ledger",
        5,
        "its ledger is damaged: interlock.ledger has lost its row",
    ),
    "a missing table": (
        "DROP TABLE interlock.ledger",
        5,
        "its schema 'interlock' is not a ledger; rename that schema, or drop it if nobody needs it",
    ),
    "another checksum": (
        "UPDATE interlock.steps SET checksum = repeat('0', 64) WHERE id = 'os.expand'",
        5,
        "step os.expand (1.1.0) has run with other SQL than this package carries (checksum"
        " 000000000000, here ",
    ),
    "a gap": (
        "DELETE FROM interlock.steps WHERE id = 'os.expand'",
        5,
        "step os-index.expand (1.1.0) has run before os.expand (1.1.0): there is a gap",
    ),
    "an unknown step": (
        "UPDATE interlock.steps SET id = 'strange.migrate' WHERE id = 'tidy.migrate'",
        5,
        "its step strange.migrate of 1.1.0 is unknown to this package",
    ),
    "a step of a newer release": (
        "INSERT INTO interlock.steps (product, id, release, phase, position, checksum, state,"
        " operator, host, runner, package) VALUES ('fleetdesk', 'new.expand', '2.0.0', 'expand', 9,"
        " '', 'running', '', '', '', '')",
        5,
        "it has steps of release 2.0.0, newer than this package (1.2.0); install"
        " fleetdesk-database 2.0.0 or later",
    ),
    "a newer release": (
        "UPDATE interlock.handshake SET ready_release = '2.0.0'",
        5,
        "it has steps of release 2.0.0, newer than this package (1.2.0); install"
        " fleetdesk-database 2.0.0 or later",
    ),
    "an older release than the baseline": (
        "UPDATE interlock.handshake SET ready_release = '0.9.0'",
        5,
        "it is at release 0.9.0, older than this package's baseline 1.0.0; first apply a package"
        " that still carries the steps from 0.9.0 to 1.0.0",
    ),
    "another phase": (
        "UPDATE interlock.steps SET phase = 'contract' WHERE id = 'os.expand'",
        5,
        "step os.expand ran as contract of 1.1.0, and this package has it as expand of 1.1.0",
    ),
    "another walk": (
        "UPDATE interlock.steps SET batch_walk = 'host(name)' WHERE id = 'os.migrate'",
        5,
        "step os.migrate (1.1.0) has walked host(name), and this package walks host(id)",
    ),
    "a vanished product": (
        "DELETE FROM interlock.handshake",
        1,
        "the database holds 1 table, but no ledger of fleetdesk; adopt an existing fleetdesk",
    ),
}
CONTENT = (
    "SELECT * FROM interlock.steps ORDER BY id",
    "SELECT * FROM interlock.handshake",
    "SELECT * FROM interlock.events ORDER BY id",
)


@pytest.mark.parametrize("name", LEDGERS)
def test_ledgers(package: Package, database: "Database", name: str) -> None:
    change, code, sentence = LEDGERS[name]
    package.done("apply", "--to", "1.1.0")
    database.execute(change)
    before = [database.rows(query) for query in CONTENT]
    result = package.run("apply", "--phase", "contract")
    assert result.code == code
    assert result.sentence.startswith(f"north: {sentence}")
    assert [database.rows(query) for query in CONTENT] == before
    told = 0 if name == "a vanished product" else code
    assert [package.run(command).code for command in ("status", "plan", "verify")] == [
        told, code, code,
    ]  # fmt: skip


def test_somebody_elses_schema(package: Package, database: "Database") -> None:
    database.execute("CREATE SCHEMA interlock; CREATE TABLE interlock.mine (id int)")
    result = package.run("apply")
    assert result.code == 5
    assert result.sentence.startswith("north: its schema 'interlock' is not a ledger; rename")


# name: the step's SQL, and what the sentence says of it.
STEPS: dict[str, tuple[str, str]] = {
    "a syntax error": (
        "SELECT 1;\n\nSELEC 2;",
        "step bad.expand (1.1.0) failed at sql/1.1.0/bad.expand.sql:3: syntax error at or near"
        ' "SELEC" [42601]; nothing of it remains',
    ),
    "an error in a function": (
        "DO $$ BEGIN RAISE 'not\nnow' USING HINT = 'try later'; END $$;",
        "step bad.expand (1.1.0) failed at sql/1.1.0/bad.expand.sql: not now (try later) [P0001]",
    ),
    "a commit of its own": (
        "CREATE TABLE left_over (id int); COMMIT;",
        "the SQL of step bad.expand (1.1.0) ended the transaction by itself (COMMIT or ROLLBACK);"
        " a step's SQL must leave that to the runner",
    ),
    "a commit and an error": (
        "COMMIT; SELECT 1/0;",
        "division by zero [22012]; its SQL had ended the transaction by itself, so look what of it"
        " is there",
    ),
    "outside transactions only": (
        "VACUUM host;",
        "VACUUM cannot run inside a transaction block [25001]; nothing of it remains",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_steps(make_package: MakePackage, database: "Database", name: str) -> None:
    sql, sentence = STEPS[name]
    package = make_package(CHAIN[0], release("1.1.0", 2, step("bad.expand", sql)))
    package.done("apply", "--to", "1.0.0")
    result = package.run("apply")
    assert result.code == 4
    assert sentence in result.sentence
    assert database.rows("SELECT schema FROM interlock.handshake") == [(1,)]
    if "commit" in name:
        again = package.run("apply")
        assert again.code == 5
        assert "ended its own transaction" in again.sentence
    else:
        assert database.rows("SELECT id FROM interlock.steps") == [("base.expand",)]


BATCHES: dict[str, tuple[dict[str, Any], str]] = {
    "no table": (
        {"table": "public.nothing", "key": "id", "statements": ["SELECT 1"]},
        "there is no column id in a table public.nothing",
    ),
    "no column": (
        {"table": "host", "key": 'i"d; --', "statements": ["SELECT 1"]},
        'there is no column i"d; -- in a table host',
    ),
    "no unique key": (
        {"table": "host", "key": "os", "statements": ["SELECT 1"]},
        "the batch key host(os) needs NOT NULL and a unique index of its own",
    ),
    "two parameters at most": (
        {"table": "host", "key": "id", "statements": ["SELECT $3::int"]},
        "(Expected 3 parameters but got 2.) [42601]",
    ),
    "no statement that can be prepared": (
        {"table": "host", "key": "id", "statements": ["LOCK TABLE host"]},
        "syntax error",
    ),
}


@pytest.mark.parametrize("name", BATCHES)
def test_batches(make_package: MakePackage, name: str) -> None:
    batch, sentence = BATCHES[name]
    package = make_package(CHAIN[0], release("1.1.0", 2, step("bad.migrate", "", batch=batch)))
    package.done("apply", "--to", "1.0.0")
    result = package.run("apply")
    assert result.code == 4
    assert sentence in result.sentence


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("apply", "--to", "1.1.1"), "this package carries no release 1.1.1; it carries 1.0.0 to"),
        (("apply", "--shard", "nort"), "there is no shard 'nort' in the configuration; did you"),
        (("apply", "--phase", "later"), "argument --phase: invalid choice"),
        (("apply", "--wait", "soon"), "'soon' is not a number of seconds up to a day"),
        (("aply",), "there is no command 'aply'; did you mean 'apply'?"),
        (("wipe",), "there is no command 'wipe'; see 'fleetdesk-database --help'"),
        (
            ("--json", "status"),
            "options stand behind the command, and '--json' stands before it;"
            " write 'fleetdesk-database COMMAND --json ...'",
        ),
        (("apply", "--to", "1.1"), "no release 1.1; it carries 1.0.0 to 1.2.0; nearest: 1.1.0"),
        ((), "the following arguments are required: COMMAND"),
        (("undo",), "the following arguments are required: --to"),
        (("retire", "a/b/c"), "'a/b/c' is not HOST or HOST/INSTANCE"),
        (("apply", "--jobs", "0"), "'0' is not a whole number above 0"),
    ],
)
def test_usage(
    package: Package, database: "Database", arguments: tuple[str, ...], words: str
) -> None:
    result = package.run(*arguments)
    assert result.code == 2
    assert words in result.sentence
    untouched(database)


def test_an_internal_error_is_one_sentence(package: Package) -> None:
    def faulty(**_: object) -> object:
        raise LookupError("nobody\nexpected \x1b[31mthis")

    result = package.run("apply", connect=faulty)
    assert result.code == 4
    assert result.sentence == (
        "north: internal error: LookupError: nobody expected ?[31mthis; run it with --debug and"
        " report it"
    )
    assert "Traceback" in package.run("apply", "--debug", connect=faulty).err


def test_a_folder_in_place_of_the_manifest(package: Package, tmp_path: Path) -> None:
    package.manifest.unlink()
    assert package.run("status").sentence == (
        f"fleetdesk-database: cannot read the manifest {package.manifest}: No such file or"
        " directory; install the package again"
    )
