"""The systemd services of a release, and whom they run as."""

from posixpath import basename

from toolchain.model.release import Health, Service
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.duplicates import check_duplicates
from toolchain.spec.located.node import Path, Table
from toolchain.spec.problem import Complaint
from toolchain.spec.values import names
from toolchain.spec.wording import show


def service_of(
    document: Document, table: Table, path: Path, *, target: str, summary: str
) -> Service:
    """The service of a binary; the target's base name and the product's summary are defaults."""
    name = table.text("name", basename(target))
    try:
        names.service(name)
    except Complaint as complaint:
        named = Complaint(complaint.code, complaint.message, "give the service a 'name'")
        document.complain(named, path)
    for key in ("after", "writable"):
        items = enumerate(table.scalars(key))
        check_duplicates(document, ((item.text, (*path, key, at)) for at, item in items))
    environment = table.table("environment")
    return Service(
        name=name,
        description=table.text("description", summary),
        user=table.text("user"),
        arguments=tuple(item.text for item in table.scalars("arguments")),
        environment=tuple((key, environment.text(key)) for key in environment.nodes),
        after=tuple(item.text for item in table.scalars("after")),
        writable=tuple(item.text for item in table.scalars("writable")),
        health=_health(table.table("health")),
    )


def _health(table: Table) -> Health:
    return Health(
        url=table.text("url") if table.has("url") else None,
        command=tuple(item.text for item in table.scalars("command")),
        timeout=table.number("timeout", Health().timeout),
    )


def check_owner(
    document: Document, table: Table, path: Path, key: str, owners: frozenset[str]
) -> None:
    """Note a user or group under `key` that is not among the `owners` that will exist."""
    name = table.text(key, "root")
    if name not in owners:
        document.complain(
            Complaint(
                Code.UNKNOWN_USER,
                f"the {key} {show(name)} is not declared",
                f"add {name} to 'users', or write one of {', '.join(sorted(owners))}",
            ),
            (*path, key),
        )
