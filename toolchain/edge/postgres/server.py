"""A database server to rehearse on: its databases are made here, and dropped at the end."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolchain.edge.postgres.binaries import find_binaries
from toolchain.edge.postgres.cluster import scratch_cluster
from toolchain.errors import ToolError, UsageError

if TYPE_CHECKING:
    from psycopg import Connection

PREFIX = "interlock_rehearsal_"
OLDEST = 130000  # DROP DATABASE … WITH (FORCE)


@dataclass(slots=True, kw_only=True)
class DatabaseServer:
    """A server where databases may be made; `parameters` are libpq's, without any secret."""

    parameters: Mapping[str, str]
    version: str
    source: str
    _made: list[str] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=lambda: count(1))
    _token: str = field(default_factory=lambda: secrets.token_hex(4))

    def create(self, template: str = "template0") -> dict[str, str]:
        """A new database, empty or a copy, as libpq's parameters; raises ToolError.

        Nobody may be connected to a database that is copied.
        """
        import psycopg  # noqa: PLC0415

        name = f"{PREFIX}{self._token}_{next(self._names)}"
        try:
            with connected(self.parameters) as connection:
                connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        except psycopg.Error as error:
            raise ToolError(
                f"a database for the rehearsal cannot be made: {sentence(error)}",
                "the role needs CREATEDB",
            ) from error
        self._made.append(name)
        return {**self.parameters, "dbname": name}

    def drop(self, parameters: Mapping[str, str]) -> None:
        """Drop a database that `create` made, whoever is connected to it."""
        import psycopg  # noqa: PLC0415

        name = parameters["dbname"]
        with suppress(psycopg.Error, ToolError), connected(self.parameters) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            self._made.remove(name)

    def drop_all(self) -> None:
        """Drop whatever is still there."""
        for name in tuple(self._made):
            self.drop({"dbname": name})


@contextmanager
def embedded_server(
    postgres: Path | None, settings: Mapping[str, str] | None = None
) -> Iterator[DatabaseServer]:
    """A scratch server of binaries that are found, gone at the end; raises ToolError."""
    binaries = find_binaries(postgres)
    with scratch_cluster(binaries, settings) as parameters:
        yield _opened(parameters, binaries.source)


@contextmanager
def given_server(dsn: str) -> Iterator[DatabaseServer]:
    """A server that is named; its own databases stay as they are.

    Raises UsageError for what is no connection string or holds a password, ToolError where nobody
    answers.
    """
    opened = _opened(read_dsn(dsn), "--dsn")
    try:
        yield opened
    finally:
        opened.drop_all()


def read_dsn(dsn: str) -> dict[str, str]:
    """A connection string as libpq's parameters; raises UsageError."""
    from psycopg import ProgrammingError  # noqa: PLC0415
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        found = conninfo_to_dict(dsn)
    except ProgrammingError:
        raise UsageError(
            "--dsn is not a connection string",
            "write 'host=… dbname=…' or postgresql://USER@HOST/DATABASE",
        ) from None
    if "password" in found or "sslpassword" in found:
        raise UsageError(
            "--dsn holds a password, which every user of this machine could read",
            "put it into ~/.pgpass, a service file, or PGPASSWORD",
        )
    return {key: str(value) for key, value in found.items() if value is not None}


@contextmanager
def connected(parameters: Mapping[str, str]) -> "Iterator[Connection[Any]]":
    """A connection that commits each statement; raises ToolError where nobody answers."""
    import psycopg  # noqa: PLC0415

    try:
        connection = psycopg.connect(
            **{"connect_timeout": "10", **parameters},  # type: ignore[arg-type]
            autocommit=True,
            application_name="interlock",
            client_encoding="utf8",
        )
    except psycopg.OperationalError as error:
        raise ToolError(f"PostgreSQL cannot be reached: {sentence(error)}", "mend --dsn") from error
    try:
        yield connection
    finally:
        connection.close()


def sentence(error: Exception) -> str:
    """The first line of what PostgreSQL or libpq says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _opened(parameters: Mapping[str, str], source: str) -> DatabaseServer:
    with connected(parameters) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        number = connection.info.server_version
    version = str(row[0]) if row else str(number)
    if number < OLDEST:
        raise ToolError(
            f"PostgreSQL {version} is too old for a rehearsal",
            f"use {OLDEST // 10000} or later",
        )
    return DatabaseServer(parameters=parameters, version=version, source=source)
