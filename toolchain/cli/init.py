"""`interlock init`: a commented, working skeleton of a product."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from toolchain.errors import UsageError

# Each file of the skeleton: its template, its place, and its mode.
_FILES = (
    ("product.yaml.j2", "product.yaml", 0o644),
    ("release.yaml.j2", "1.0.0.yaml", 0o644),
    ("note-table.sql.j2", "sql/1-note-table.sql", 0o644),
    ("note-table.undo.sql.j2", "sql/1-note-table.undo.sql", 0o644),
    ("web.j2", "payload/NAME-web", 0o755),
    ("config.ini.j2", "payload/NAME.ini", 0o644),
    ("manual.1.j2", "payload/NAME-web.1", 0o644),
)
_USER_LENGTH = 31


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--name", help="The product's name; the directory's name when left out.")
def command(directory: Path, name: str | None) -> None:
    """Write a commented, working skeleton of a product to DIRECTORY, which must not exist yet."""
    from toolchain.edge.directory import NewFile, create_directory  # noqa: PLC0415
    from toolchain.edge.resources import TemplateFiles, packaging_directory  # noqa: PLC0415
    from toolchain.render.templates import Templates  # noqa: PLC0415
    from toolchain.spec.shape.schema import SpecKind, schema_text  # noqa: PLC0415

    product = _checked(name or directory.resolve().name)
    templates = Templates(TemplateFiles((packaging_directory(),)))
    values = {
        "product": product,
        "title": product.replace("-", " ").title(),
        "user": product[:_USER_LENGTH].rstrip("-"),
        "date": datetime.now(tz=UTC).date(),
    }
    files = [
        NewFile(
            path=path.replace("NAME", product),
            text=templates.render(f"common/init/{template}", **values),
            mode=mode,
        )
        for template, path, mode in _FILES
    ]
    # Beside the specs, so that editors need no network and the schema is the one of this version.
    files.extend(
        NewFile(path=f".interlock/{kind.value}.schema.json", text=schema_text(kind))
        for kind in SpecKind
    )
    create_directory(directory, files)
    click.echo(f"{directory} holds the product {product}")
    click.echo(f"try: interlock check {shlex.quote(str(directory))}", err=True)


def _checked(name: str) -> str:
    """The name, when packages can have it; raises UsageError."""
    from toolchain.spec.problem import Complaint  # noqa: PLC0415
    from toolchain.spec.values import names  # noqa: PLC0415

    try:
        names.product(name)
    except Complaint as complaint:
        raise UsageError(complaint.message, f"give one with --name: {complaint.cure}") from None
    return name
