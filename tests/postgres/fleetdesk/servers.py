"""Each release's server, as its package installs it: its store, its messages, all that it does."""

import importlib.util
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras
import pytest

from tests.postgres.fleetdesk.chain import CHAIN, PRODUCT, Release

if TYPE_CHECKING:
    from tests.postgres.conftest import Database


OWNER, APPLICATION = "fleetdesk_owner", "fleetdesk_app"
HARDWARE = ("cpu_model", "cpu_count", "memory_mb")
NETWORK = ("fqdn", "ipv4", "ipv6")
FULL = {
    "os": "Debian GNU/Linux 12",
    "cpu_model": "EPYC 9354",
    "cpu_count": 32,
    "memory_mb": 131072,
    "fqdn": "host.example.com",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
}


@dataclass(frozen=True, eq=False)
class Server:
    """One release's server: its store and its messages, imported from what it installs."""

    release: Release
    store: ModuleType
    messages: ModuleType
    tree: Path

    def statements(self) -> dict[str, str]:
        """All SQL of the release by name."""
        return {
            name: value
            for name, value in vars(self.store).items()
            if name.isupper() and isinstance(value, str)
        }

    def facts(self, wide: dict[str, Any]) -> dict[str, Any]:
        """Facts as this release knows them, from those of 3.9."""
        facts = dict(wide)
        if "os" not in self.store.FACTS and "os" in facts:
            facts["os_name"], facts["os_version"] = split_os(facts.pop("os"))
        return facts

    def facts_of(self, host: dict[str, Any]) -> dict[str, Any]:
        """The facts in a host that this release has read."""
        return {fact: host[fact] for fact in self.store.FACTS}


def split_os(text: str) -> tuple[str, str]:
    """The name and the version in one text."""
    match = re.search(r"\s+([0-9].*)$", text, re.DOTALL)
    return (text[: match.start()], match[1]) if match else (text, "")


def install(release: Release, tree: Path) -> None:
    """Lay out what the server package of a release installs, below `tree`."""
    server = release.spec["server"]
    for entry in (*server["binaries"], *server["files"], *server["config"]):
        source, target = PRODUCT / entry["source"], tree / entry["target"].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def _module(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def installed(make: Callable[[str], Path]) -> Iterator[dict[str, Server]]:
    """The servers of all releases, installed side by side, each in a directory that `make` makes."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for number, release in enumerate(CHAIN):
            tree = make(f"fleetdesk-{release}")
            install(release, tree)
            library = tree / "usr" / "lib" / "fleetdesk"
            if number == 0:
                patch.syspath_prepend(library)  # for the facts of the common part
            own = library / "fleetdesk_release"
            store = _module(own / "store.py", f"store_{number}")
            messages = _module(own / "messages.py", f"messages_{number}")
            found[str(release)] = Server(release, store, messages, tree)
        yield found
        for name in [name for name in sys.modules if name.partition(".")[0] == "fleetdesk"]:
            del sys.modules[name]


@contextmanager
def application(database: "Database") -> Iterator[Any]:
    """A connection as a server has it; whoever uses it commits."""
    connection = psycopg2.connect(
        database.dsn_as(APPLICATION), cursor_factory=psycopg2.extras.RealDictCursor
    )
    with closing(connection):
        yield connection


def exercise(server: Server, database: "Database", name: str) -> dict[str, psycopg2.Error]:
    """Do all that a server ever does, each in its own transaction; what failed, and how."""
    store, facts, failed = server.store, server.facts(FULL), {}
    with application(database) as connection:

        def attempt(operation: str, work: Callable[[Any], Any], expected: object = None) -> Any:
            try:
                with connection, connection.cursor() as cursor:
                    answer = work(cursor)
            except psycopg2.Error as problem:
                failed[operation] = problem
                return None
            if expected is not None:
                assert answer == expected, operation
            return answer

        def read(operation: str, wanted: dict[str, Any]) -> None:
            row = attempt(operation, lambda cursor: store.get_host(cursor, name))
            assert operation in failed or server.facts_of(row) == server.facts(wanted)

        attempt("put", lambda cursor: store.put_host(cursor, name, facts))
        if "put" not in failed:
            read("get", FULL)
            other = {**dict.fromkeys(FULL), "os": "Arch Linux", "cpu_count": 1}
            attempt("put again", lambda c: store.put_host(c, name, server.facts(other)))
            read("get again", other)
        scanned = attempt("scan", lambda c: store.record_scan(c, name, {"memory_mb": 5}))
        assert "put" in failed or "scan" in failed or scanned is True
        attempt("scan of nothing", lambda c: store.record_scan(c, "nobody", facts), False)
        rows = attempt("list", store.list_hosts)
        assert "list" in failed or "put" in failed or name in [row["name"] for row in rows]
        payload = server.messages.encode(facts)
        job = attempt("enqueue", lambda c: store.enqueue(c, name, "scan", payload, 0))
        taken = attempt("take", store.take_job)
        while taken is not None and job is not None and taken["id"] != job:
            number = taken["id"]
            attempt("finish", partial(store.finish_job, number=number, state="done", error=None))
            taken = attempt("take", store.take_job)
        if taken is not None:
            assert taken["payload"] == payload
            attempt("finish", lambda c: store.finish_job(c, taken["id"], "failed", "why"))
        attempt("log", lambda c: store.log(c, actor="t", action="a", host=name, detail=facts))
        history = attempt("history", lambda c: store.history(c, name))
        assert "history" in failed or history[0]["detail"] == facts
        attempt("delete", lambda c: store.delete_host(c, name), None if "put" in failed else True)
    return failed
