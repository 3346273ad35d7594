"""A site that runs procrastinate: a shard, database packages, hosts with workers, and clients."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2

from tests.postgres.runner.packages import Package, Server
from toolchain.build.product import OpenProduct
from toolchain.model.release import Release
from toolchain.model.version import Version
from toolchain.plan.entry import File
from toolchain.plan.handshake import release_json
from toolchain.plan.manifest import database_files

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

SHARD = "main"
INSTANCE = "procrastinate-worker"
PATIENCE = 90.0
STOP_SECONDS = 15.0
STALL_SECONDS = 30.0
CLIENT = Path(__file__).with_name("procrastinate_client.py")
_ON_PURPOSE = "\nRuntimeError: the first attempt fails on purpose\n"


@dataclass(kw_only=True)
class Program:
    """A process of one release, with its log in a file."""

    name: str
    process: "subprocess.Popen[str]"
    log: Path

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    @property
    def code(self) -> int | None:
        """Its exit code; the number of a signal is negative."""
        return self.process.returncode

    def stop(self) -> str:
        """Stop it as systemd does, if it has not ended by itself; returns what it answered."""
        self.process.terminate()
        try:
            return self.process.communicate(timeout=STOP_SECONDS)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.communicate(timeout=PATIENCE)[0]

    def require_clean(self) -> None:
        """Fail unless it has ended well, and without a complaint."""
        log = self.log.read_text()
        complaints = [
            line
            for line in log.splitlines()
            if line.startswith(("WARNING ", "ERROR ", "CRITICAL ")) and " demo:flaky[" not in line
        ]
        surplus = log.count("Traceback (most recent call last)") - log.count(_ON_PURPOSE)
        found = (self.code, complaints, surplus)
        assert found == (0, [], 0), f"{self.name}: {found[:2]}: {log[-5000:]}"


@dataclass(kw_only=True)
class Host:
    """A host with the server package of one release: its start-up check and its worker."""

    site: "Site"
    name: str
    version: str
    check: Server
    worker: Program | None = None

    def start(self) -> None:
        """Start the worker as its unit does: the check first, by which it registers."""
        registered = self.check.run("register", "--instance", INSTANCE)
        assert registered.code == 0, registered
        self.worker = self.site.launch(
            self.version, f"worker on {self.name}", self.site.payload(self.version) / INSTANCE
        )

    def stop(self) -> None:
        """Stop the worker as its unit does, and take the registration back."""
        assert self.worker is not None
        self.worker.stop()
        self._conclude()
        gone = self.check.run("deregister", "--instance", INSTANCE)
        assert (gone.code, gone.out) == (0, f"{SHARD}: deregistered\n")
        self.worker = None

    def restart(self) -> None:
        """Stop the worker, if there is one, and start another."""
        if self.worker is not None:
            self.stop()
            self.start()

    def keep(self) -> None:
        """What systemd does with `Restart=on-failure`; fails unless the site forgives it."""
        if self.worker is not None and not self.worker.alive:
            assert self.worker.code != 0, f"{self.worker.name} ended of its own accord"
            self.restart()

    def _conclude(self) -> None:
        """A worker ends well, but for two flaws of procrastinate that lose no job."""
        assert self.worker is not None
        log = self.worker.log.read_text()
        if self.worker.code == -signal.SIGKILL:
            # Before 3.10 a worker may miss that it has cancelled its own listener, and so never
            # ends; cancel_and_capture_errors in its utils.py says more.
            assert self.site.release(self.version).version < Version.parse("3.10.0")
            assert "Stop requested" in log
        elif self.worker.code == -signal.SIGTERM:
            assert "Starting worker" not in log, "it was told to stop, and ended at once"
        elif not any(reason in log for reason in self.site.forgiven):
            self.worker.require_clean()


@dataclass(kw_only=True)
class Site:
    """One shard, and whatever of any release works on it; `folder` is the site's own.

    In `bytecode` clients leave what programs of their release would otherwise compile once more.
    No worker may end before it is told to, unless its log gives a reason that is `forgiven`.
    """

    opened: OpenProduct
    database: "Database"
    folder: Path
    bytecode: Path
    forgiven: Collection[str] = ()
    hosts: list[Host] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the table in which jobs leave their trace, and a worker's settings."""
        self.folder.mkdir()
        self._watch = psycopg2.connect(self.database.dsn)
        self._watch.autocommit = True
        self.database.execute("CREATE TABLE notes (text text, server text)")
        self._settings.write_text(
            f"[worker]\nconcurrency = 2\n[shards]\n{SHARD} = {self.database.dsn}\n"
            "[tasks]\ndemo = procrastinate_demo:tasks\n"
        )

    @property
    def _settings(self) -> Path:
        return self.folder / "worker.ini"

    def release(self, version: str) -> Release:
        """The release as its spec declares it."""
        return self.opened.release(version)

    def payload(self, version: str) -> Path:
        """What the release's server package is made from."""
        return self.opened.root / "payload" / version

    def package(self, version: str) -> Package:
        """The release's database package, with the files that the builder gives it."""
        product, folder = self.opened.product, self.folder / f"database-{version}"
        root = f"/usr/share/{product.database_package}"
        for entry in database_files(product, self.release(version), self.opened.sql()):
            assert isinstance(entry, File)
            assert isinstance(entry.content, bytes)
            path = folder / Path(entry.path).relative_to(root)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content)
        return Package(folder, (), {SHARD: self.database.dsn}, settings="", product=product.name)

    def host(self, name: str, version: str) -> Host:
        """A host with the release's server package, which has not run yet."""
        folder = self.folder / f"{name}-{version}"
        check = Server(folder, version, {SHARD: self.database.dsn}, host=name)
        content = release_json(self.opened.product, self.release(version))
        (folder / "release.json").write_bytes(content)
        self.hosts.append(Host(site=self, name=name, version=version, check=check))
        return self.hosts[-1]

    def client(self, name: str, version: str) -> Program:
        """Start a client of that release, which defers jobs until it is stopped."""
        return self.launch(version, name, CLIENT, name)

    def launch(self, version: str, name: str, *command: str | Path) -> Program:
        """Start a program of that release."""
        log = self.folder / f"{len(self.programs)}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                (sys.executable, "-I", "-X", f"pycache_prefix={self.bytecode}", *map(str, command)),
                env={
                    "PATH": os.defpath,
                    "PROCRASTINATE_LIBRARY": str(self.payload(version) / "lib"),
                    "PROCRASTINATE_SETTINGS": str(self._settings),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        self.programs.append(Program(name=f"{name} ({version})", process=process, log=log))
        return self.programs[-1]

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds, and look after the workers meanwhile."""
        began = time.monotonic()
        shaken = not self.forgiven
        while True:
            for host in self.hosts:
                host.keep()
            if condition():
                return
            waited = time.monotonic() - began
            assert waited < PATIENCE, f"waited in vain for {what}: {self.state()}"
            if not shaken and waited > STALL_SECONDS:
                # A worker that ends for a forgiven reason may never come to its end; see _conclude.
                shaken = True
                for host in self.hosts:
                    host.restart()
            time.sleep(0.05)

    def until_at_work(self, *versions: str, jobs: int = 5) -> None:
        """Wait until the workers of each of these releases have done some more jobs."""
        before = self.done()

        def more() -> bool:
            now = self.done()
            return all(now.get(each, 0) >= before.get(each, 0) + jobs for each in versions)

        self.until(f"work by {' and '.join(versions)}", more)

    def done(self) -> dict[str, int]:
        """How many jobs the workers of each release have done."""
        return dict(self._rows("SELECT server, count(*) FROM notes GROUP BY server"))

    def state(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        return dict(
            self._rows("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")
        )

    def close(self) -> None:
        """End what a failed test has left running."""
        self._watch.close()
        for program in self.programs:
            with program.process as process:
                process.kill()

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._watch.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
