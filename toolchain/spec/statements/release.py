"""What a release's spec says of its server's statements and of its probe."""

from posixpath import join

from toolchain.model.statement import Probe, Statement
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Path
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.files import SqlFiles
from toolchain.spec.statements.reading import StatementFiles
from toolchain.spec.tree import KIND_WORDS, Tree
from toolchain.spec.values.paths import inside_product
from toolchain.spec.wording import show_path

_STATEMENTS: Path = ("server", "statements")
_PROBE: Path = ("server", "probe")
_COMMAND: Path = (*_PROBE, "command")
_SECONDS = 30


def statements_of(
    document: Document, tree: Tree, payload: str, sql: SqlFiles
) -> tuple[Statement, ...]:
    """The statements of a release; what is wrong inside their files is noted with other SQL's."""
    server = document.section("server")
    if not server.has("statements") or not document.sound(_STATEMENTS):
        return ()
    files = StatementFiles(tree)
    try:
        statements = files.read(join(payload, server.text("statements")))
    except Complaint as complaint:
        document.complain(complaint, _STATEMENTS)
        statements = ()
    known = set(sql.problems)  # two releases may name one file
    sql.problems.extend(problem for problem in files.problems if problem not in known)
    sql.texts.update(files.texts)
    return statements


def probe_of(document: Document, tree: Tree, payload: str) -> Probe | None:
    """The probe of a release, whose program is there; None where there is none."""
    server = document.section("server")
    if not server.has("probe") or not document.sound(_PROBE):
        return None
    table = server.table("probe")
    command = tuple(scalar.text for scalar in table.scalars("command"))
    complaint = _program(command[0], tree, payload)
    if complaint is not None:
        document.complain(complaint, (*_COMMAND, 0))
        return None
    return Probe(
        command=command,
        directory=payload or ".",
        timeout=table.number("timeout", _SECONDS),
        origin=document.place(_PROBE).origin,
    )


def _program(name: str, tree: Tree, payload: str) -> Complaint | None:
    """What is wrong with a program that lies in the payload; the system's own are not looked at."""
    if "/" not in name or name.startswith("/"):
        return None
    path = name.removeprefix("./")
    try:
        inside_product(path)
    except Complaint as complaint:
        return complaint
    entry = tree.look(join(payload, path))
    shown = show_path(tree.shown(join(payload, path)))
    if entry.kind != "file":
        return Complaint(
            Code.SOURCE_ESCAPE if entry.kind == "escaping" else Code.SOURCE_MISSING,
            f"the program {shown} is {KIND_WORDS[entry.kind]}",
            "write a path below the payload directory, or the name of a program of the system",
        )
    if not entry.mode & 0o111:
        return Complaint(
            Code.MODE, f"the program {shown} is not executable", "make it so: chmod +x"
        )
    return None
