"""Database packages as the builder writes them, small and made up for a test."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from toolchain.edge.resources import runner_files
from toolchain.plan.package import Role
from toolchain.render.island import carried
from toolchain.runner.database import commands
from toolchain.runner.server import commands as server_commands

PRODUCT = "fleetdesk"
# Another interpreter for the island, such as the oldest that it supports, with its psycopg2.
PYTHON = os.environ.get("INTERLOCK_TEST_PYTHON", sys.executable)


@dataclass(frozen=True, slots=True)
class Result:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))

    @property
    def shard(self) -> dict[str, Any]:
        (only,) = self.document["shards"]
        return dict(only)

    @property
    def sentence(self) -> str:
        """The one line on stderr of a command that failed at once."""
        (line,) = self.err.splitlines()
        return line


def step(
    ident: str,
    sql: str,
    *,
    undo: str | None = None,
    transaction: bool = True,
    batch: dict[str, Any] | None = None,
    readies: bool = True,
) -> dict[str, Any]:
    """One step; `ident` is `change.phase`, `sql` its text."""
    change, _, phase = ident.rpartition(".")
    return {
        "id": ident,
        "change": change,
        "phase": phase,
        "transaction": transaction,
        "text": sql,
        "undo_text": undo,
        "batch": batch,
        "readies": readies,
    }


def release(
    version: str,
    schema: int,
    *steps: dict[str, Any],
    oldest: str = "1.0.0",
    below: str | None = None,
) -> dict[str, Any]:
    """One release of a manifest."""
    return {
        "release": version,
        "schema": schema,
        "servers": {"oldest": oldest, "below": below},
        "steps": list(steps),
    }


@dataclass
class Package:
    """A database package unpacked into a folder, with its shards file."""

    folder: Path
    releases: Sequence[dict[str, Any]]
    shards: dict[str, str] = field(default_factory=dict)
    settings: str = "lock_timeout = 200ms\nlock_patience = 2s\nreconnect_patience = 20s\n"
    product: str = PRODUCT

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write()

    @classmethod
    def installed(cls, folder: Path, shards: dict[str, str]) -> "Package":
        """A package whose manifest and SQL lie in the folder already."""
        return cls(folder, (), shards)

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def config(self) -> Path:
        return self.folder / "shards.ini"

    def write(self) -> None:
        if self.releases:
            self._write_manifest()
        sections = "".join(f"[{name}]\ndsn = {dsn}\n" for name, dsn in self.shards.items())
        self.config.write_text(f"[*]\n{self.settings}\n{sections}")
        self.config.chmod(0o640)

    def _write_manifest(self) -> None:
        document = {
            "format": 1,
            "product": self.product,
            "release": self.releases[-1]["release"],
            "releases": [
                {**past, "steps": [self._carry(past, item) for item in past["steps"]]}
                for past in self.releases
            ],
        }
        self.manifest.write_text(json.dumps(document))

    def _carry(self, past: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
        base = f"sql/{past['release']}/{item['id']}"
        carried = {key: item[key] for key in ("id", "change", "phase", "transaction", "batch")}
        carried |= {} if item["readies"] else {"readies": False}
        carried |= self._file(f"{base}.sql", item["text"])
        undo = item["undo_text"]
        carried["undo"] = None if undo is None else self._file(f"{base}.undo.sql", undo)
        return carried

    def _file(self, path: str, text: str) -> dict[str, str]:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return {"sql": path, "sha256": hashlib.sha256(text.encode()).hexdigest()}

    def run(self, *arguments: str, connect: Any = psycopg2.connect) -> Result:
        """Run the package's command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = commands.main(
                program=f"{self.product}-database",
                manifest=str(self.manifest),
                config=str(self.config),
                arguments=arguments,
                connect=connect,
            )
        return Result(int(code), out.getvalue(), err.getvalue())

    def quietly(self, *arguments: str, connect: Any = psycopg2.connect) -> int:
        """Run it in a thread, where standard output cannot be caught for one caller alone."""
        return int(
            commands.main(
                program=f"{self.product}-database",
                manifest=str(self.manifest),
                config=str(self.config),
                arguments=(*arguments, "--quiet"),
                connect=connect,
            )
        )

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start the command as the builder installs it: a copy of the island and a launcher."""
        return launch(
            self.folder,
            Role.DATABASE,
            "from runner.database.commands import main\n"
            f"sys.exit(main(program='{self.product}-database',"
            f" manifest={str(self.manifest)!r}, config={str(self.config)!r}))\n",
            arguments,
            **options,
        )

    def done(self, *arguments: str) -> Result:
        """Run it, and it must succeed."""
        result = self.run(*arguments)
        assert result.code == 0, result
        return result


@dataclass
class Server:
    """A server package's start-up check with its own state, on one pretended host."""

    folder: Path
    version: str
    shards: dict[str, str]
    host: str = "web1"
    oldest_schema: int = 0
    schema_below: int | None = None
    oldest_peer: str = "0.0.0"
    settings: str = ""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write()

    def write(self) -> None:
        document = {
            "format": 1,
            "product": PRODUCT,
            "release": self.version,
            "server": {
                "schema": {"oldest": self.oldest_schema, "below": self.schema_below},
                "peers": {"oldest": self.oldest_peer, "below": None},
            },
            "database": {"schema": 1, "servers": {"oldest": "0.0.0", "below": None}},
        }
        (self.folder / "release.json").write_text(json.dumps(document))
        sections = "".join(f"[{name}]\ndsn = {dsn}\n" for name, dsn in self.shards.items())
        (self.folder / "shards.ini").write_text(f"[*]\n{self.settings}\n{sections}")
        (self.folder / "shards.ini").chmod(0o640)

    def run(self, command: str, *arguments: str) -> Result:
        """Run the start-up check in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = self.quietly(command, *arguments)
        return Result(code, out.getvalue(), err.getvalue())

    def quietly(self, command: str, *arguments: str) -> int:
        """Run it in a thread, where standard output cannot be caught for one caller alone."""
        return int(
            server_commands.main(
                program="interlock-check",
                release=str(self.folder / "release.json"),
                config=str(self.folder / "shards.ini"),
                state=str(self.folder / "state"),
                arguments=(command, "--host", self.host, *arguments),
            )
        )

    def start(self, command: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start the check as the builder installs it: a copy of the island and a launcher."""
        return launch(
            self.folder,
            Role.SERVER,
            "from runner.server.commands import main\n"
            "sys.exit(main(program='interlock-check',"
            f" release={str(self.folder / 'release.json')!r},"
            f" config={str(self.folder / 'shards.ini')!r}, state={str(self.folder / 'state')!r}))\n",
            (command, "--host", self.host, *arguments),
        )


def launch(
    folder: Path, role: Role, script: str, arguments: Sequence[str], **options: Any
) -> "subprocess.Popen[str]":
    """Copy the island into a folder, as such a package has it, and run a launcher beside it."""
    library = folder / "lib"
    if not library.exists():
        for name, content in carried(role, runner_files()):
            path = library / "runner" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    launcher = folder / "launcher"
    launcher.write_text(f"import sys\nsys.path.insert(0, {str(library)!r})\n{script}")
    return subprocess.Popen(
        (PYTHON, "-I", str(launcher), *arguments),
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options},
    )


# A chain with every kind of step: a plain expand, an index outside transactions, a batched
# migrate over an integer key, a migrate without batches, a gate, a contract.
ROWS = 950
# Twice over the same row would show.
MOVE = "UPDATE host SET os_name = coalesce(os_name, '') || os WHERE id BETWEEN $1 AND $2"

CHAIN = (
    release(
        "1.0.0",
        1,
        step(
            "base.expand",
            "CREATE TABLE host (id bigint PRIMARY KEY, os text NOT NULL);\n"
            f"INSERT INTO host SELECT n, 'os ' || n FROM generate_series(1, {ROWS}) AS n;\n",
        ),
    ),
    release(
        "1.1.0",
        2,
        step(
            "os.expand",
            "ALTER TABLE host ADD COLUMN os_name text;\n",
            undo="ALTER TABLE host DROP COLUMN os_name;\n",
        ),
        step(
            "os-index.expand",
            "-- while it is written to\nCREATE INDEX CONCURRENTLY host_os_name ON host (os_name);\n",
            undo="DROP INDEX CONCURRENTLY IF EXISTS host_os_name;\n",
            transaction=False,
        ),
        step(
            "os.migrate",
            f"{MOVE};\n",
            batch={"table": "host", "key": "id", "statements": [MOVE]},
        ),
        step("tidy.migrate", "ANALYZE host;\n"),
    ),
    release(
        "1.2.0",
        2,
        step("os.contract", "ALTER TABLE host DROP COLUMN os;\n"),
        oldest="1.1.0",
    ),
)

# The same chain, whose schema is ready before its data is moved. The walk has a begin and a finish
# of its own, and either would show if it ran twice, as MOVE would.
BEGIN = ("INSERT INTO host VALUES (0, 'begun')",)
FINISH = (
    "LOCK TABLE host IN ACCESS EXCLUSIVE MODE",
    "UPDATE host SET os_name = os_name || ' and finished' WHERE id = 0",
)
FRAMED = "SELECT os_name FROM host WHERE id = 0"


def framed(
    *, begin: Sequence[str] = BEGIN, finish: Sequence[str] = FINISH, readies: bool = False
) -> dict[str, Any]:
    """The step that moves the data, between what is to run before and after it."""
    return step(
        "os.migrate",
        "".join(f"{text};\n" for text in (*begin, MOVE, *finish)),
        undo="DELETE FROM host WHERE id = 0;\nUPDATE host SET os_name = NULL;\n",
        batch={
            "table": "host",
            "key": "id",
            "begin": list(begin),
            "statements": [MOVE],
            "finish": list(finish),
        },
        readies=readies,
    )


TRAILING = (CHAIN[0], release("1.1.0", 2, CHAIN[1]["steps"][0], framed()), CHAIN[2])
