"""`interlock explain change`: a change's life, and why its old form may not be dropped yet."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolchain.cli.options import echo_json, json_option, product_argument
from toolchain.model.change import Form, Phase

if TYPE_CHECKING:
    from toolchain.matrix.life import Life, Use

_PHASES = {Phase.EXPAND: "expands", Phase.MIGRATE: "migrates", Phase.CONTRACT: "contracts"}
_FORMS = {Form.OLD: "the old form alone", Form.NEW: "the new form alone", Form.BOTH: "both forms"}


@click.command("change")
@product_argument
@click.argument("change")
@json_option
def command(product: Path, change: str, as_json: bool) -> None:
    """Say which releases expand, migrate and contract CHANGE, and which servers use what of it.

    Exits with 0 where its old form is gone or the next release may remove it, and with 1 where
    a server in reach still needs it or the new form is not ready.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.errors import UsageError  # noqa: PLC0415
    from toolchain.matrix.chain import product_chain  # noqa: PLC0415
    from toolchain.matrix.life import life_of  # noqa: PLC0415

    opened = open_product(product).product
    try:
        life = life_of(opened, change)
    except KeyError as error:
        known = ", ".join(product_chain(opened).changes) or "none"
        raise UsageError(
            f"{opened.name} has no change {change!r}", f"its changes are {known}"
        ) from error
    if as_json:
        echo_json(_json(life))
    else:
        for line in _lines(life, opened.database_package):
            click.echo(line)
    sys.exit(1 if life.blocking or life.ready is None else 0)


def _json(life: "Life") -> dict[str, Any]:
    def use(one: "Use") -> dict[str, Any]:
        return {
            "server": str(one.release),
            "form": one.form.value,
            "declared": one.declared,
            "origin": str(one.origin),
        }

    return {
        "change": life.change,
        "phases": [
            {
                "phase": moment.phase.value,
                "release": str(moment.release),
                "schema": moment.schema,
                "origin": str(moment.origin),
            }
            for moment in life.moments
        ],
        "servers": [use(one) for one in life.uses],
        "ready": str(life.ready) if life.ready else None,
        "contracted": str(life.contracted) if life.contracted else None,
        "blocking": [use(one) for one in life.blocking],
        "releases_to_wait": life.wait,
    }


def _lines(life: "Life", command_name: str) -> list[str]:
    lines = [f"{life.change}:"]
    for moment in life.moments:
        verb = _PHASES[moment.phase]
        lines.append(f"  - {moment.release} {verb} it, schema {moment.schema} ({moment.origin})")
    for form in Form:
        users = life.users(form)
        if users:
            listed = ", ".join(
                f"{use.release}{' (by its spec)' if use.declared else ''}" for use in users
            )
            lines.append(f"  - {_FORMS[form]}: server{'s' if len(users) > 1 else ''} {listed}")
    return [*lines, *_verdict(life, command_name)]


def _verdict(life: "Life", command_name: str) -> list[str]:
    if life.contracted is not None:
        return [
            f"Its old form is gone from shards at {life.contracted} or later; on a live shard the"
            f" contract waits for every server that needs it ('{command_name} plan' names them)."
        ]
    if life.ready is None:
        return ["Its new form is not ready yet: a release has to migrate its data first."]
    if not life.users(Form.OLD):
        return ["No server uses an old form of it, so there is nothing to contract."]
    if life.blocking:
        needs = [
            f"  - server {use.release} uses the old form alone ({use.origin})"
            for use in life.blocking
        ]
        later = "one more release" if life.wait == 1 else f"{life.wait} more releases"
        return [
            f"Its old form may not be dropped by the next release, which must bear (skew"
            f" {life.skew}):",
            *needs,
            f"It may be dropped after {later}.",
        ]
    return [
        "Its old form may be dropped by the next release: no server in its reach (skew"
        f" {life.skew}) uses the old form alone."
    ]
