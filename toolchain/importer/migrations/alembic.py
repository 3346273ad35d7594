"""Alembic's revisions, read from their Python without running any of it.

What `op.execute` gets as a plain text is taken. Every other operation has its SQL from SQLAlchemy,
which only Alembic itself can ask; see `alembic_offline`.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.importer.facts import Note
from toolchain.importer.migrations.migration import Folder, Migration
from toolchain.importer.texts import inside, read_text, refuse

_VERSION = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})\b")
_UNTITLED = "empty message"  # what Alembic writes where nobody says what a revision is for


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision: its place in the graph, and what its two functions hold."""

    name: str
    down: tuple[str, ...]
    path: Path
    title: str
    upgrade: tuple[str, ...]
    downgrade: tuple[str, ...]
    hand: tuple[str, ...]


def versions_of(folder: Path) -> Path | None:
    """The folder with the revisions: this one, or `versions` in it or one below; None without."""
    for candidate in (folder / "versions", *sorted(folder.glob("*/versions")), folder):
        if candidate.is_dir() and inside(folder, candidate) and any(_revisions(candidate)):
            return candidate
    return None


def read_alembic(folder: Path, offline: Mapping[str, tuple[str, str]] | None = None) -> Folder:
    """The revisions in order; raises UsageError for several heads, a cycle or a gap.

    `offline` holds the SQL of upgrade and downgrade by revision, as Alembic writes it.
    """
    versions = versions_of(folder)
    if versions is None:
        raise UsageError(
            f"{folder} has no revision of Alembic", "name the folder with env.py and versions/"
        )
    revisions = {each.name: each for each in _revisions(versions)}
    notes, migrations = [], []
    for revision in ordered(revisions, versions):
        hand, sql = "", "".join(f"{text.strip().rstrip(';')};\n" for text in revision.upgrade)
        undo: str | None = "".join(f"{text.strip().rstrip(';')};\n" for text in revision.downgrade)
        if offline is not None:
            sql, undo = offline.get(revision.name, ("", ""))
        elif revision.hand:
            hand = (
                f"Alembic makes the SQL of {', '.join(revision.hand)}: import again with --alembic"
            )
            sql, undo = "", None
        if not sql.strip() and not hand:
            notes.append(Note(text="it does nothing; not taken", where=str(revision.path)))
            continue
        migrations.append(
            Migration(
                key=revision.name,
                path=str(revision.path.relative_to(folder)),
                where=str(revision.path),
                title=revision.title or revision.name,
                numbers=_numbers(revision.name),
                sql=sql,
                undo=undo if undo and undo.strip() else None,
                hand=hand,
            )
        )
    return Folder(tool="Alembic", migrations=tuple(migrations), notes=tuple(notes))


def ordered(revisions: Mapping[str, Revision], where: Path) -> list[Revision]:
    """The revisions, each after all that it stands upon; raises UsageError."""
    for revision in revisions.values():
        for name in revision.down:
            if name not in revisions:
                raise UsageError(
                    f"{revision.path}: it stands upon {name}, which is not there",
                    "add that revision, or merge the history",
                )
    stood_upon = {name for revision in revisions.values() for name in revision.down}
    heads = sorted(set(revisions) - stood_upon)
    if len(heads) > 1:
        raise UsageError(
            f"{where} has {len(heads)} heads ({', '.join(heads)}), so no one order of revisions",
            "join them with 'alembic merge heads', or take out what Alembic does not read",
        )
    done: dict[str, Revision] = {}
    waiting = dict(sorted(revisions.items()))
    while waiting:
        ready = [each for each in waiting.values() if all(name in done for name in each.down)]
        if not ready:
            raise UsageError(
                f"{where}: the revisions {', '.join(waiting)} stand upon each other in a circle",
                "mend their down_revision",
            )
        for revision in ready:
            done[revision.name] = waiting.pop(revision.name)
    return list(done.values())


def _numbers(name: str) -> tuple[int, ...]:
    """The version in a revision's name, where people have given it one: `v2.4.0.a`."""
    match = _VERSION.match(name)
    return tuple(map(int, match.groups())) if match else ()


def _revisions(folder: Path) -> Iterator[Revision]:
    # Alembic may be told to look below `versions`, and says so in files that only it reads.
    deep = folder.name == "versions"
    for path in sorted(folder.rglob("*.py") if deep else folder.glob("*.py")):
        if path.name != "__init__.py" and path.is_file() and inside(folder, path):
            revision = _revision(path)
            if revision is not None:
                yield revision


def _revision(path: Path) -> Revision | None:
    try:
        module = ast.parse(read_text(path, 1 << 20), filename=path.name)
    except SyntaxError as error:
        raise refuse(str(path), error.lineno or 1, f"Python says: {error.msg}", "mend it") from None
    except (RecursionError, MemoryError, ValueError):
        raise UsageError(f"{path} is no Python that can be read", "mend it") from None
    names = dict(_constants(module))
    revision = names.get("revision")
    if not isinstance(revision, str) or "down_revision" not in names:
        return None
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    upgrade, hand = _executed(functions.get("upgrade"), names)
    title = (ast.get_docstring(module) or "").partition("\n")[0].strip().rstrip(".")
    downgrade, lost = _executed(functions.get("downgrade"), names)
    return Revision(
        name=revision,
        down=(*_several(names["down_revision"]), *_several(names.get("depends_on"))),
        path=path,
        title="" if title == _UNTITLED else title,
        upgrade=tuple(upgrade),
        downgrade=() if lost else tuple(downgrade),
        hand=tuple(dict.fromkeys(hand)),
    )


def _constants(module: ast.Module) -> Iterator[tuple[str, object]]:
    for node in module.body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        try:
            constant = ast.literal_eval(value)
        except (ValueError, RecursionError, MemoryError):
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id, constant


def _several(value: object) -> tuple[str, ...]:
    several = value if isinstance(value, tuple | list) else (value,)
    return tuple(each for each in several if isinstance(each, str))


def _executed(
    function: ast.FunctionDef | None, names: Mapping[str, object]
) -> tuple[list[str], list[str]]:
    """The texts that a function executes, and the calls and statements that are more than that."""
    texts: list[str] = []
    others: list[str] = []
    for statement in function.body if function is not None else ():
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case ast.Expr(value=ast.Call(func=called, args=[argument], keywords=[])) if (
                ast.unparse(called) == "op.execute" and (text := _text(argument, names)) is not None
            ):
                texts.append(text)
            case ast.Expr(value=ast.Call(func=called)):
                others.append(ast.unparse(called)[:60])
            case _:
                others.append(f"line {statement.lineno}")
    return texts, others


def _text(node: ast.expr, names: Mapping[str, object]) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name) if isinstance(names.get(name), str):
            return str(names[name])
        case ast.Call(func=called, args=[argument], keywords=[]) if (
            ast.unparse(called).rpartition(".")[2] == "text"
        ):
            return _text(argument, names)
        case _:
            return None
