"""A scratch cluster: made for one rehearsal, reached by a unix socket alone, gone at its end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolchain.edge.postgres.binaries import Binaries
from toolchain.errors import ToolError

SUPERUSER = "interlock"
# The file of the socket is named after it; no port is opened.
_PORT = "5432"
_START_SECONDS = 60.0
_MEMORY = Path("/dev/shm")  # noqa: S108  (mkdtemp makes the name, 0700)
_MEMORY_WANTED = 2 << 30
# A socket's path holds 107 bytes, name and all.
_LONGEST_PLACE = 60
# Nothing here outlives the rehearsal, so nothing needs to survive a crash.
_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "lc_messages": "C",
    "listen_addresses": "",
    "max_connections": "50",
    "shared_buffers": "64MB",
    "synchronous_commit": "off",
    "timezone": "UTC",
}


@contextmanager
def scratch_cluster(
    binaries: Binaries, settings: Mapping[str, str] | None = None
) -> Iterator[dict[str, str]]:
    """A running cluster as libpq's parameters; stopped and removed whatever happens.

    PostgreSQL refuses to run as root. Root runs it as `postgres`, or as `nobody` where there is no
    such account; none is made. Raises ToolError.
    """
    account = _account()
    directory = Path(tempfile.mkdtemp(prefix="interlock-pg-", dir=_place()))
    process: subprocess.Popen[bytes] | None = None
    try:
        if account is not None:
            os.chown(directory, account.pw_uid, account.pw_gid)
        identity = _identity(account, directory)
        _initialise(binaries, directory, identity, {**_SETTINGS, **(settings or {})})
        log = directory / "postgres.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                (str(binaries.directory / "postgres"), "-D", str(directory / "data")),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **identity,
            )
        parameters = {
            "host": str(directory), "port": _PORT, "user": SUPERUSER, "dbname": "postgres",
        }  # fmt: skip
        _wait(process, parameters, log)
        yield parameters
    finally:
        with _undisturbed():
            if process is not None:
                _stop(process)
            shutil.rmtree(directory, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """Whom root lets run PostgreSQL; None for everybody else, who runs it themselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ToolError(
        "PostgreSQL refuses to run as root, and there is no account postgres or nobody",
        "run the rehearsal as an ordinary user",
    )


def _place() -> str:
    """A directory in memory where it has room, else the usual one; a socket's path is short."""
    try:
        roomy = shutil.disk_usage(_MEMORY).free > _MEMORY_WANTED
    except OSError:
        roomy = False
    if roomy and os.access(_MEMORY, os.W_OK | os.X_OK):
        return str(_MEMORY)
    usual = tempfile.gettempdir()
    return usual if len(usual) < _LONGEST_PLACE else "/tmp"  # noqa: S108


def _identity(account: pwd.struct_passwd | None, directory: Path) -> dict[str, Any]:
    """Keywords of subprocess: a scrubbed environment, a session of its own, and for root a user."""
    keywords: dict[str, Any] = {
        "cwd": directory,
        "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(directory), "TZ": "UTC"},
        "start_new_session": True,
    }
    if account is not None:
        keywords |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}
    return keywords


def _initialise(
    binaries: Binaries, directory: Path, identity: dict[str, Any], settings: Mapping[str, str]
) -> None:
    try:
        done = subprocess.run(
            (
                str(binaries.directory / "initdb"), "--no-sync", "--no-instructions",
                "-D", str(directory / "data"), "-U", SUPERUSER, "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C.UTF-8",
            ),
            check=False,
            capture_output=True,
            **identity,
        )  # fmt: skip
    except OSError as error:
        raise ToolError(
            f"initdb of {binaries.source} cannot be run: {error.strerror}",
            "as root, the account postgres or nobody must be able to read it",
        ) from error
    if done.returncode != 0:
        output = (done.stdout + done.stderr).decode(errors="backslashreplace")
        raise ToolError(f"initdb failed: {_last(output)}", "see it with --verbose", output=output)
    own = {**settings, "unix_socket_directories": str(directory), "port": _PORT}
    with (directory / "data" / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in sorted(own.items()))


def _wait(process: "subprocess.Popen[bytes]", parameters: Mapping[str, str], log: Path) -> None:
    import psycopg  # noqa: PLC0415  (its import costs 0.1 s)

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(**parameters, connect_timeout=5).close()  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                output = log.read_text(errors="backslashreplace")
                raise ToolError(
                    f"PostgreSQL does not start: {_last(output) or error}",
                    "see it with --verbose",
                    output=output,
                ) from error
            time.sleep(0.02)
        else:
            return


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop at once: nothing of it is kept, so no last checkpoint."""
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let a second Ctrl-C wait until everything is put away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
