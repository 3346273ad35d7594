"""A probe: a release's own program, run against a database."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlencode

from toolchain.matrix.measured.values import Failure, Means
from toolchain.model.statement import Probe

# libpq's variables, by the parameter that each stands for.
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
}
_LONGEST = 500


def run_probe(
    probe: Probe, root: Path, parameters: Mapping[str, str], facts: Mapping[str, str]
) -> Failure | None:
    """Run a probe to its end; what it says when it does not exit with 0, or takes too long.

    `facts` are added to its environment, which holds nothing else but libpq's variables.
    """
    directory = (root / probe.directory).absolute()
    program = probe.command[0]
    if "/" in program and not program.startswith("/"):
        program = str(directory / program)
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                (program, *probe.command[1:]),
                cwd=directory,
                env={**_environment(parameters), **facts},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            return _failure("", f"{probe.command[0]} cannot be run: {error.strerror}")
        try:
            code = process.wait(probe.timeout)
        except subprocess.TimeoutExpired:
            return _failure("", f"it was ended after {probe.timeout} s")
        finally:
            _end(process)
        if code == 0:
            return None
        errors.seek(0)
        lines = errors.read().decode(errors="backslashreplace").strip().splitlines()
    said = lines[-1].strip()[:_LONGEST] if lines else "it said nothing"
    return _failure(str(code), said)


def _failure(code: str, message: str) -> Failure:
    return Failure(means=Means.PROBE, statement=None, code=code, message=message)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the probe and whatever it has started in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment(parameters: Mapping[str, str]) -> dict[str, str]:
    own = {key: value for key, value in os.environ.items() if key.startswith("PG")}
    named = {_VARIABLES[key]: value for key, value in parameters.items() if key in _VARIABLES}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/nonexistent"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        **own,
        **named,
        "DATABASE_URL": database_url(parameters),
    }


def database_url(parameters: Mapping[str, str]) -> str:
    """The database as a URL; a socket's directory stands among its parameters."""
    database = quote(parameters.get("dbname", ""), safe="")
    rest = {key: value for key, value in sorted(parameters.items()) if key != "dbname"}
    return f"postgresql:///{database}" + (f"?{urlencode(rest, quote_via=quote)}" if rest else "")
