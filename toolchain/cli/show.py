"""`interlock show`: a product at a glance, or one release with its packages."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from toolchain.cli.options import echo_json, json_option, product_argument, table_console
from toolchain.errors import UsageError


@click.command("show")
@product_argument
@click.argument("release", required=False)
@click.option("--sql", "wants_sql", is_flag=True, help="Show the SQL of the steps.")
@click.option("--change", metavar="NAME", help="With --sql: the steps of this change alone.")
@json_option
def command(
    product: Path, release: str | None, wants_sql: bool, change: str | None, as_json: bool
) -> None:
    """Show PRODUCT with its releases, or one RELEASE with its phases, packages and relations."""
    from toolchain.build.product import open_product  # noqa: PLC0415

    if change is not None and not wants_sql:
        raise UsageError("--change chooses what --sql shows", "add --sql")
    opened = open_product(product)
    if wants_sql:
        answer = _sql(opened, release, change)
        if as_json:
            echo_json(answer)
        else:
            _print_sql(answer)
        return
    if release is None:
        answer = _product(opened.product)
        if as_json:
            echo_json(answer)
        else:
            _print_product(answer)
        return
    answer = _release(opened, opened.release(release))
    if as_json:
        echo_json(answer)
    else:
        _print_release(answer)


def _sql(opened: Any, version: str | None, change: str | None) -> dict[str, Any]:
    releases = opened.product.releases if version is None else (opened.release(version),)
    read = opened.sql()
    every = [(release, step) for release in releases for step in release.database.steps]
    changes = sorted({step.change for _, step in every})
    if change is not None and change not in changes:
        where = f" in {version}" if version else ""
        raise UsageError(
            f"{opened.product.name} has no step of a change {change!r}{where}",
            f"it has {', '.join(changes)}" if changes else "there is no step at all",
        )
    return {
        "steps": [
            {
                "id": step.id,
                "release": str(release.version),
                "origin": str(step.origin),
                "file": step.sql.name if step.sql.text is None else None,
                "transaction": step.transaction,
                "batch": f"{step.batch.table}({step.batch.key})" if step.batch else None,
                "sql": read(step.sql).content.decode(),
                "undo": read(step.undo).content.decode() if step.undo else None,
                "undo_file": step.undo.name if step.undo and step.undo.text is None else None,
            }
            for release, step in every
            if change in (None, step.change)
        ]
    }


def _print_sql(answer: dict[str, Any]) -> None:
    for number, step in enumerate(answer["steps"]):
        source = step["file"] or "generated"
        how = f"in batches over {step['batch']}" if step["batch"] else "in one transaction"
        if not step["transaction"]:
            how = "outside of a transaction"
        lead = "\n" if number else ""
        click.echo(f"{lead}-- {step['release']} {step['id']} ({source}), {how}")
        click.echo(step["sql"].rstrip())
        if step["undo"]:
            source = step["undo_file"] or "generated"
            click.echo(f"\n-- {step['release']} undo of {step['id']} ({source})")
            click.echo(step["undo"].rstrip())


def _product(product: Any) -> dict[str, Any]:
    from toolchain.matrix.chain import product_chain  # noqa: PLC0415

    chain = product_chain(product)
    return {
        "product": product.name,
        "summary": product.summary,
        "rollout": product.rollout.value,
        "skew": product.skew,
        "releases": [
            {
                "release": str(release.version),
                "date": release.date.isoformat(),
                "schema": release.database.schema,
                "withdrawn": release.withdrawn,
                "server_schemas": str(release.server.schemas),
                "server_schemas_declared": release.server.schemas_declared,
                "server_peers": str(release.server.peers),
                "server_forms": {
                    change: form.value for change, form in sorted(chain.forms[at].items())
                },
                "database_package": release.database.packaged,
                "database_servers": str(release.database.servers),
                "database_servers_declared": release.database.servers_declared,
                "steps": [step.id for step in release.database.steps],
            }
            for at, release in enumerate(product.releases)
        ],
    }


def _print_product(answer: dict[str, Any]) -> None:
    from rich.table import Table  # noqa: PLC0415

    click.echo(f"{answer['product']}: {answer['summary']}")
    click.echo(f"rollout {answer['rollout']}, skew {answer['skew']}")
    table = Table()
    # In lines of their own, so that 80 columns hold names of a usual length unbroken.
    for heading in (
        "release",
        "date",
        "schema",
        "server on\nschema",
        "database\nfor servers",
        "steps",
    ):
        table.add_column(heading, overflow="fold")
    for row in answer["releases"]:
        schemas = "" if row["server_schemas_declared"] else "\n(derived)"
        servers = "" if row["database_servers_declared"] else "\n(derived)"
        table.add_row(
            row["release"] + ("\n(withdrawn)" if row["withdrawn"] else ""),
            row["date"],
            str(row["schema"]),
            f"{row['server_schemas']}{schemas}",
            f"{row['database_servers']}{servers}"
            if row["database_package"]
            else "as before\n(no package)",
            "\n".join(_phases(row["steps"])),
        )
    table_console().print(table)


def _phases(steps: Sequence[str]) -> Iterator[str]:
    """The steps of each phase on one line: `expand: split-host, os-present`."""
    changes: dict[str, list[str]] = {}
    for step in steps:
        change, _, phase = step.rpartition(".")
        changes.setdefault(phase, []).append(change)
    for phase, names in changes.items():
        yield f"{phase}: {', '.join(names)}"


def _release(opened: Any, release: Any) -> dict[str, Any]:
    from toolchain.build.targets import plan_packages  # noqa: PLC0415

    packages = plan_packages(opened.product, [release], opened.listing(), opened.sql())
    return {
        "release": str(release.version),
        "date": release.date.isoformat(),
        "schema": release.database.schema,
        "changelog": list(release.changelog),
        "steps": [
            {
                "id": step.id,
                "sql": step.sql.name if step.sql.text is None else None,
                "strategy": step.strategy.value if step.strategy else None,
                "why": step.why or None,
                "origin": str(step.origin),
            }
            for step in release.database.steps
        ],
        "packages": [
            {
                "file": planned.file_name,
                "compression": str(planned.compression),
                "relations": [str(item) for item in planned.package.all_relations(planned.format)],
                "contents": sorted(entry.path for entry in planned.package.entries),
            }
            for planned in packages
        ],
    }


def _print_release(answer: dict[str, Any]) -> None:
    click.echo(f"{answer['release']} of {answer['date']}, schema {answer['schema']}")
    for line in answer["changelog"]:
        click.echo(f"  * {line}")
    for step in answer["steps"]:
        source = step["sql"] or f"generated, strategy {step['strategy']}"
        click.echo(f"step {step['id']}: {source} ({step['origin']})")
        if step["why"] and step["id"].endswith(".expand"):
            click.echo(f"  {step['why']}")
    for package in answer["packages"]:
        click.echo(f"{package['file']} ({package['compression']})")
        for relation in package["relations"]:
            click.echo(f"  {relation}")
