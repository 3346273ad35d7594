"""`interlock schema`: the JSON Schema of a spec, for editors."""

from importlib.resources import files

import click


@click.command("schema")
@click.argument("kind", type=click.Choice(["product", "release", "inventory"]))
def command(kind: str) -> None:
    """Write the JSON Schema (draft-07) of product.yaml, a release's spec or an inventory.

    The schema is JSON as it stands, so there is no --json; give it to an editor or a validator.
    """
    text = files("toolchain.spec").joinpath(f"{kind}.schema.json").read_text(encoding="utf-8")
    click.echo(text, nl=False)
