"""`interlock explain pair`: the reasons for one pair."""

import sys
from pathlib import Path

import click

from toolchain.cli.options import echo_json, json_option, product_argument


@click.command("pair")
@product_argument
@click.argument("server")
@click.argument("schema", type=int)
@json_option
def command(product: Path, server: str, schema: int, as_json: bool) -> None:
    """Say why SERVER, a release's version, may or may not run on SCHEMA, and what would fit.

    Exits with 0 where the pair fits and with 1 where it is refused.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.errors import UsageError  # noqa: PLC0415
    from toolchain.matrix.compatibility import shard_states  # noqa: PLC0415
    from toolchain.matrix.explain import explain, state_of  # noqa: PLC0415

    opened = open_product(product)
    release = opened.release(server)
    state = state_of(opened.product, schema)
    if state is None:
        known = sorted({state.handshake.schema for state in shard_states(opened.product)})
        raise UsageError(
            f"no release of {opened.product.name} leaves a shard at schema {schema}",
            f"the schemas are {', '.join(map(str, known))}",
        )
    answer = explain(opened.product, release, state)
    if as_json:
        echo_json(
            {
                "server": str(answer.server),
                "schema": answer.schema,
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
                "schemas_that_fit": list(answer.schemas_that_fit),
            }
        )
    else:
        verdict = "may run" if answer.fits else "may not run"
        click.echo(f"Server {answer.server} {verdict} on schema {answer.schema}:")
        for reason in answer.reasons:
            click.echo(f"  - {reason.sentence}" + (f" ({reason.origin})" if reason.origin else ""))
        if not answer.fits:
            servers = ", ".join(map(str, answer.servers_that_fit)) or "none"
            schemas = ", ".join(map(str, answer.schemas_that_fit)) or "none"
            click.echo(f"Servers that fit schema {answer.schema}: {servers}.")
            click.echo(f"Schemas that fit server {answer.server}: {schemas}.")
    sys.exit(0 if answer.fits else 1)
