"""What every way to publish is told: where, by whose key, and how to answer."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolchain.cli.options import json_option, verbose_option
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.model.version import Version

_UNITS = {"h": 3600, "d": 86400}
FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The values of the options that every deed takes; `validity` is in seconds."""

    repository: Path
    keys: tuple[str, ...]
    key_file: Path | None
    passphrase_file: Path | None
    validity: int
    dry_run: bool
    as_json: bool


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,3})([hd])", text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 3600 <= seconds <= 400 * 86400:
        raise UsageError(
            f"--valid {text} is no time between an hour and 400 days", "write 14d, or 36h"
        )
    return seconds


_SHARED = (
    click.option(
        "--repository",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        help="The directory that a web server shows to customers.",
    ),
    click.option("--key", "keys", multiple=True, help="A signing key by fingerprint (repeatable)."),
    click.option("--key-file", type=FILE, help="Sign with the secret key of this file."),
    click.option("--passphrase-file", type=FILE, help="The file with the key's passphrase."),
    click.option(
        "--valid",
        "validity",
        type=_seconds,
        metavar="TIME",
        default="14d",
        show_default=True,
        help="How long to believe the indexes.",
    ),
    click.option(
        "--dry-run", is_flag=True, help="Check everything, say what would be, sign nothing."
    ),
    verbose_option,
    json_option,
)


def shared_options(deed: Callable[..., None]) -> Callable[..., None]:
    """Have a command take the options that all take, and give them to it as `shared`."""

    @functools.wraps(deed)
    def told(*, verbose: bool, **values: Any) -> None:  # noqa: ARG001  (read where errors end)
        mine = {field.name: values.pop(field.name) for field in fields(Shared)}
        deed(shared=Shared(**mine), **values)

    for option in reversed(_SHARED):
        told = option(told)
    return told


def channel(text: str) -> str:
    """A name that may be a channel's; raises UsageError."""
    from toolchain.plan.repository.layout import require_channel  # noqa: PLC0415

    try:
        return require_channel(text)
    except ValueError as error:
        raise UsageError(str(error), "small letters, digits and hyphens make a name") from error


def release(text: str) -> "Version":
    """A version as a release's spec writes it; raises UsageError."""
    from toolchain.model.version import Version  # noqa: PLC0415

    try:
        return Version.parse(text)
    except ValueError as error:
        raise UsageError(str(error), "name a release as its spec does") from error


release_argument = click.argument("release", type=release)
product_option = click.option(
    "--product",
    "specs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the law from this product's specs instead of the packages.",
)


def address_option(about: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`--url`, for what may be the first that a repository hears of its address, or another one."""
    return click.option("--url", callback=_address, help=about)


def _address(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from toolchain.plan.client import require_url  # noqa: PLC0415

    try:
        return require_url(value)
    except ValueError as error:
        what, _, cure = str(error).rpartition(": ")
        raise UsageError(what, cure) from error


def channels_option(about: str, *, required: bool) -> Callable[..., Any]:
    """`--channel`, which may be repeated; a channel that is named twice is one."""
    return click.option(
        "--channel",
        "channels",
        type=channel,
        multiple=True,
        required=required,
        callback=lambda _ctx, _param, named: tuple(dict.fromkeys(named)),
        help=f"{about} (repeatable).",
    )
