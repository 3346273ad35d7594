"""The command line: which releases, into which directory."""

import argparse
import fcntl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from procrastinate_product.errors import FetchError, WriteError
from procrastinate_product.payload import open_wheel
from procrastinate_product.product import Packaged, check_replaceable, write
from procrastinate_product.releases import CHAIN, choose
from procrastinate_product.specs import summary
from procrastinate_product.wheels import Pip, Wheels, run_pip

DEFAULT = Path(__file__).parents[2] / "build" / "procrastinate"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fetch-procrastinate",
        description="Fetch releases of procrastinate from PyPI and write an Interlock product.",
        epilog="The wheels are kept in DIRECTORY.cache and named, with their SHA-256, in"
        " DIRECTORY.lock.json; with both, a further run needs no network and gives the same bytes.",
    )
    parser.add_argument(
        "directory", nargs="?", type=Path, default=DEFAULT, help="default: build/procrastinate"
    )
    parser.add_argument(
        "--releases",
        metavar="VERSION,...",
        default=",".join(CHAIN),
        help=f"the releases to package (default: {len(CHAIN)} from {CHAIN[0]} to {CHAIN[-1]})",
    )
    parser.add_argument(
        "--date",
        metavar="VERSION=DAY",
        action="append",
        default=[],
        help="the day (YYYY-MM-DD) of a release that this script does not know",
    )
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"fetch-procrastinate: {text}\n")


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep a second run for the same directory waiting until this one has ended."""
    cache = _beside(directory, ".cache")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise WriteError(f"cannot write {cache}: {error.strerror}") from error


def _beside(directory: Path, suffix: str) -> Path:
    return directory.with_name(f"{directory.name}{suffix}")


def fetch(directory: Path, releases: Sequence[str], dates: Sequence[str], pip: Pip) -> str:
    """Fetch, write, and return the chain as a table; raises FetchError."""
    wanted = choose(releases, dates)
    check_replaceable(directory)
    with _alone(directory):
        wheels = Wheels(
            cache=_beside(directory, ".cache"),
            lock=_beside(directory, ".lock.json"),
            pip=pip,
            say=_say,
        )
        packaged = []
        for each in wanted:
            libraries = tuple(open_wheel(path) for path in wheels.of(each.number))
            packaged.append(Packaged(wanted=each, libraries=libraries))
        _say(f"writing {len(packaged)} releases")
        links, changed = write(packaged, directory)
    for link in links:
        if link.skipped:
            _say(
                f"{link.number} follows on skipped versions with migrations"
                f" ({', '.join(link.skipped)}), which no document promises to work"
            )
    _say(f"{directory} {'is written' if changed else 'was up to date'}")
    return summary(links)


def main(arguments: Sequence[str] | None = None, pip: Pip = run_pip) -> int:
    """Run the command; the result is the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        table = fetch(chosen.directory.absolute(), chosen.releases.split(","), chosen.date, pip)
    except FetchError as error:
        _say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    sys.stdout.write(table)
    return 0
