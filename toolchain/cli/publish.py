"""`interlock publish`: signed apt and yum repositories."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import echo_json, json_option, verbose_option
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.model.release import Product
    from toolchain.model.version import Version
    from toolchain.publish.run import Outcome, Publisher

    # What was asked for, ready to be done by a publisher whose key is open.
    Act = Callable[[Publisher], Outcome]

_file = click.Path(dir_okay=False, path_type=Path)


@click.command("publish")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PACKAGE]...")
@click.option(
    "--repository",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The directory that a web server shows to customers.",
)
@click.option("--channel", "channels", multiple=True, help="Into this channel (may be repeated).")
@click.option("--url", help="The address of the repository; remembered from then on.")
@click.option("--key", "keys", multiple=True, help="A signing key by fingerprint (repeatable).")
@click.option("--key-file", type=_file, help="Sign with the secret key of this file.")
@click.option("--passphrase-file", type=_file, help="The file with the key's passphrase.")
@click.option("--valid", default="14d", show_default=True, help="How long to believe the indexes.")
@click.option("--allow", "allowed", multiple=True, help="Let in packages of this other name.")
@click.option(
    "--product",
    "specs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the law from this product's specs instead of the packages.",
)
@click.option("--promote", help="Offer this release of --from in --channel too.")
@click.option("--from", "source", help="The channel that has the release to promote.")
@click.option("--withdraw", "withdrawn", help="Take this release out of --channel at once.")
@click.option("--reason", help="Why it is withdrawn.")
@click.option("--force", is_flag=True, help="Let go what others need, or bring back.")
@click.option("--prune", is_flag=True, help="Take out what none of the next options keeps.")
@click.option("--keep", type=click.IntRange(min=1), help="The newest N releases.")
@click.option("--keep-from", help="This release and all later ones.")
@click.option("--keep-days", type=click.IntRange(min=1), help="What came within N days.")
@click.option("--supported", help="The oldest release that customers may still run.")
@click.option("--plan", "plans", type=_file, multiple=True, help="What this rollout plan names.")
@click.option("--refresh", is_flag=True, help="Sign the indexes anew, without any package.")
@click.option("--drop-key", "dropped", multiple=True, help="Trust this former key no more.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what would be, sign nothing.")
@verbose_option
@json_option
def command(
    paths: tuple[Path, ...],
    repository: Path,
    channels: tuple[str, ...],
    url: str | None,
    keys: tuple[str, ...],
    key_file: Path | None,
    passphrase_file: Path | None,
    valid: str,
    allowed: tuple[str, ...],
    specs: Path | None,
    promote: str | None,
    source: str | None,
    withdrawn: str | None,
    reason: str | None,
    force: bool,
    prune: bool,
    keep: int | None,
    keep_from: str | None,
    keep_days: int | None,
    supported: str | None,
    plans: tuple[Path, ...],
    refresh: bool,
    dropped: tuple[str, ...],
    dry_run: bool,
    verbose: bool,  # noqa: ARG001  (read where errors are reported)
    as_json: bool,
) -> None:
    """Publish packages in an apt and a yum repository, or change what its channels offer.

    PACKAGE is a deb, an rpm, or a directory with such. Everything is proved as by 'interlock
    verify' first, and customers see the old indexes or the new ones, never a mixture. What is
    published stays as it is: the same version with other bytes is refused.

    Exits with 1 where the packages are not proved or a promise to customers would be broken.
    """
    from toolchain.cli.publish_run import publisher  # noqa: PLC0415
    from toolchain.cli.publish_text import outcome_json, print_outcome  # noqa: PLC0415

    given = {
        "packages": bool(paths),
        "--promote": promote is not None,
        "--withdraw": withdrawn is not None,
        "--prune": prune,
        "--refresh": refresh,
    }
    chosen = [name for name, there in given.items() if there]
    if len(chosen) != 1:
        raise UsageError(
            f"{' and '.join(chosen) or 'nothing'} is asked for",
            "name packages, or give one of --promote, --withdraw, --prune and --refresh",
        )
    (action,) = chosen
    _require_fitting(
        action,
        {
            "--from": source,
            "--reason": reason,
            "--keep": keep,
            "--keep-from": keep_from,
            "--keep-days": keep_days,
            "--supported": supported,
            "--plan": plans or None,
            "--allow": allowed or None,
            "--drop-key": dropped or None,
        },
    )
    if not channels and action in ("packages", "--promote", "--withdraw"):
        raise UsageError("no channel is named", "give --channel, for example --channel stable")
    wanted = tuple(dict.fromkeys(map(_channel, channels)))
    act: Act
    if promote is not None:
        act = _promoting(promote, source, wanted)
    elif withdrawn is not None:
        act = _withdrawing(withdrawn, reason, wanted)
    elif prune:
        act = _pruning(keep, keep_from, keep_days, supported, plans, wanted)
    elif refresh:
        act = _refreshing(wanted, dropped)
    else:
        act = _publishing(paths, wanted, frozenset(allowed))
    with publisher(
        repository=repository,
        url=url,
        keys=keys,
        key_file=key_file,
        passphrase_file=passphrase_file,
        valid=valid,
        product=_product(specs),
        force=force,
        dry_run=dry_run,
    ) as made:
        outcome = act(made)
    if as_json:
        echo_json(outcome_json(outcome, dry_run=dry_run))
    else:
        print_outcome(outcome, dry_run=dry_run)


def _promoting(release: str, source: str | None, channels: tuple[str, ...]) -> "Act":
    if source is None:
        raise UsageError("--promote takes a release from a channel", "name it with --from")
    version, origin = _version(release), _channel(source)
    return lambda publisher: publisher.promote(version, origin, channels)


def _withdrawing(release: str, reason: str | None, channels: tuple[str, ...]) -> "Act":
    if not reason or not reason.isprintable():
        raise UsageError("a withdrawal has a reason", "give it in one line with --reason")
    version = _version(release)
    return lambda publisher: publisher.withdraw(version, channels, reason)


def _pruning(
    keep: int | None,
    keep_from: str | None,
    keep_days: int | None,
    supported: str | None,
    plans: tuple[Path, ...],
    channels: tuple[str, ...],
) -> "Act":
    from toolchain.publish.prune import Rule, read_plan  # noqa: PLC0415

    rule = Rule(
        newest=keep,
        since=None if keep_from is None else _version(keep_from),
        days=keep_days,
        supported=None if supported is None else _version(supported),
        plans=tuple(named for plan in plans for named in read_plan(plan)),
    )
    return lambda publisher: publisher.prune(rule, channels)


def _refreshing(channels: tuple[str, ...], dropped: tuple[str, ...]) -> "Act":
    keys = tuple(key.replace(" ", "").upper() for key in dropped)
    return lambda publisher: publisher.refresh(channels, keys)


def _publishing(
    paths: tuple[Path, ...], channels: tuple[str, ...], allowed: frozenset[str]
) -> "Act":
    from toolchain.cli.publish_run import read_all  # noqa: PLC0415

    files = read_all(paths)
    return lambda publisher: publisher.publish(files, channels, allowed)


def _require_fitting(action: str, options: dict[str, object]) -> None:
    of = {
        "--from": "--promote",
        "--reason": "--withdraw",
        "--allow": "packages",
        "--drop-key": "--refresh",
    }
    for name, value in options.items():
        needed = of.get(name, "--prune")
        if value is not None and needed != action:
            raise UsageError(f"{name} belongs to {needed}", f"name {needed} too, or leave it out")


def _channel(text: str) -> str:
    from toolchain.plan.repository.layout import require_channel  # noqa: PLC0415

    try:
        return require_channel(text)
    except ValueError as error:
        raise UsageError(str(error), "small letters, digits and hyphens make a name") from error


def _version(text: str) -> "Version":
    from toolchain.model.version import Version  # noqa: PLC0415

    try:
        return Version.parse(text)
    except ValueError as error:
        raise UsageError(str(error), "name a release as its spec does") from error


def _product(directory: Path | None) -> "Product | None":
    if directory is None:
        return None
    from toolchain.build.product import open_product  # noqa: PLC0415

    return open_product(directory).product
