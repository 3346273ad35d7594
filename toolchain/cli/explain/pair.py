"""`interlock explain pair`: the reasons for one pair."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolchain.cli.options import echo_json, json_option, product_argument
from toolchain.errors import UsageError
from toolchain.spec.wording import printable

if TYPE_CHECKING:
    from toolchain.matrix.explain import Explanation

# How many reasons people read; a server may need hundreds of changes.
_REASONS = 8


class _SchemaVersion(click.types.IntParamType):
    """A schema version; who gives a release's is told that this is another number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and "." in value:
            raise UsageError(
                f"{printable(value)} is a release", "give its schema; 'interlock show' lists them"
            )
        return super().convert(value, param, ctx)


@click.command("pair")
@product_argument
@click.argument("server")
@click.argument("schema", type=_SchemaVersion())
@json_option
def command(product: Path, server: str, schema: int, as_json: bool) -> None:
    """Say why SERVER, a release's version, may or may not run on SCHEMA, and what would fit.

    Exits with 0 where the pair fits and with 1 where it is refused, on any shard of that schema.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.matrix.compatibility import shard_states  # noqa: PLC0415
    from toolchain.matrix.explain import explain, states_of  # noqa: PLC0415

    opened = open_product(product)
    release = opened.release(server)
    states = states_of(opened.product, schema)
    if not states:
        known = sorted({state.handshake.schema for state in shard_states(opened.product)})
        raise UsageError(
            f"no release of {opened.product.name} leaves a shard at schema {schema}",
            f"the schemas are {', '.join(map(str, known))}",
        )
    answers = [explain(opened.product, release, state) for state in states]
    if as_json:
        echo_json(_json(answers))
    else:
        for line in _lines(answers):
            click.echo(line)
    sys.exit(0 if all(answer.fits for answer in answers) else 1)


def _json(answers: "list[Explanation]") -> dict[str, Any]:
    first = answers[0]
    return {
        "server": str(first.server),
        "schema": first.schema,
        "fits": all(answer.fits for answer in answers),
        "states": [
            {
                "database": str(answer.database),
                "fits": answer.fits,
                "reasons": [
                    {
                        "sentence": reason.sentence,
                        "allows": reason.allows,
                        "origin": str(reason.origin) if reason.origin else None,
                    }
                    for reason in answer.reasons
                ],
                "servers_that_fit": [str(version) for version in answer.servers_that_fit],
            }
            for answer in answers
        ],
        "schemas_that_fit": list(first.schemas_that_fit),
    }


def _lines(answers: "list[Explanation]") -> Iterator[str]:
    """Each state of a shard with that schema by itself: a contract narrows it without a number."""
    for answer in answers:
        verdict = "may run" if answer.fits else "may not run"
        state = f" of database {answer.database}" if len(answers) > 1 else ""
        yield f"Server {answer.server} {verdict} on schema {answer.schema}{state}:"
        for reason in answer.reasons[:_REASONS]:
            yield f"  - {reason.sentence}" + (f" ({reason.origin})" if reason.origin else "")
        if len(answer.reasons) > _REASONS:
            yield f"  and {len(answer.reasons) - _REASONS} more reasons; --json lists them"
        if not answer.fits:
            servers = ", ".join(map(str, answer.servers_that_fit)) or "none"
            yield f"Servers that fit schema {answer.schema}{state}: {servers}."
    if not all(answer.fits for answer in answers):
        schemas = ", ".join(map(str, answers[0].schemas_that_fit)) or "none"
        yield f"Schemas that fit server {answers[0].server}: {schemas}."
