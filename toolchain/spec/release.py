"""One release spec: checked by itself, and built once everything is found sound."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from toolchain.model.release import DatabaseSpec, Release, ServerSpec
from toolchain.model.version import Version
from toolchain.spec.chain.forms import check_left_out
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.facts import Facts, facts_of, steps_of
from toolchain.spec.payload.server import server_of
from toolchain.spec.payload.sources import Sources
from toolchain.spec.problem import Complaint
from toolchain.spec.product import ProductFacts
from toolchain.spec.sql.files import SqlFiles
from toolchain.spec.sql.steps import check_steps
from toolchain.spec.statements.release import probe_of, statements_of
from toolchain.spec.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRelease:
    """A release spec after its own checks; None for a half that is not sound."""

    document: Document
    facts: Facts | None
    server: ServerSpec | None


def check_release(
    document: Document, product: ProductFacts, tree: Tree, sql: SqlFiles, names: frozenset[str]
) -> CheckedRelease:
    """Check all that a release names, as far as its structure is sound.

    `names` are the names of all release specs of the product.
    """
    _check_file_name(document, names)
    check_steps(document, steps_of(document), sql)
    facts = facts_of(document)
    if facts is not None:
        document.problems.extend(check_left_out(facts))
    server = None
    if document.sound(("payload",)):
        payload = document.top.text("payload")
        sources = Sources(document, tree, payload, product.architectures)
        if sources.has_payload():
            server = replace(
                server_of(document, facts, product, sources),
                statements=statements_of(document, tree, payload, sql),
                probe=probe_of(document, tree, payload),
            )
    return CheckedRelease(document=document, facts=facts, server=server)


def _check_file_name(document: Document, names: frozenset[str]) -> None:
    """A release and its file have one name, so no two files are one release."""
    if not document.sound(("release",)):
        return
    version = document.top.text("release")
    name = f"{version}.yaml"
    if name == document.name:
        return
    stem = document.name.removesuffix(".yaml")
    if name in names:
        complaint = Complaint(
            Code.DUPLICATE_RELEASE,
            f"the release {version} has a file of its own, {name}",
            f"write {stem}, as this file's name says",
        )
    else:
        complaint = Complaint(
            Code.RELEASE_FILE,
            f"the file of the release {version} is named {document.name}",
            f"write {stem}, or rename the file {name}",
        )
    document.complain(complaint, ("release",))


def release_of(checked: CheckedRelease, settled: Mapping[Version, Facts]) -> Release | None:
    """The release of a spec; None when anything in it is not sound.

    `settled` holds the facts of all releases with every window declared or derived.
    """
    document, server = checked.document, checked.server
    if checked.facts is None or server is None or not document.sound():
        return None
    root, facts = document.top, settled[checked.facts.version]
    return Release(
        version=facts.version,
        date=facts.date,
        revision=root.number("revision", 1),
        changelog=tuple(entry.text for entry in root.scalars("changelog")),
        server=replace(
            server,
            schemas=facts.schemas,
            schemas_declared=facts.schemas_declared,
            schemas_origin=facts.schemas_place.origin,
        ),
        database=DatabaseSpec(
            schema=facts.schema,
            servers=facts.servers,
            servers_declared=facts.servers_declared,
            steps=tuple(placed.step for placed in facts.steps),
            packaged=facts.packaged,
            origin=root.table("schema").origin,
            servers_origin=facts.servers_place.origin,
        ),
        withdrawn=facts.withdrawn,
        origin=root.origin,
    )
