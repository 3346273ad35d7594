"""The contract of a split by views: the copies take the views' place."""

from toolchain.model.relation_name import RelationName
from toolchain.refactor.split.follow import stop
from toolchain.refactor.split.hidden import hidden, renamed
from toolchain.refactor.split.layout import PartLayout
from toolchain.refactor.split.view import drop
from toolchain.refactor.sql import comment, copy_grants, ident, literal, relation, script


def contract(change: str, parts: tuple[PartLayout, ...]) -> str:
    """Prove, lock, swap, drop."""
    source = relation(parts[0].source)
    locked = ", ".join([source, *(relation(part.table) for part in parts)])
    columns = ",\n".join(f"    DROP COLUMN {ident(name)}" for part in parts for name in part.moved)
    return script(
        comment("The split becomes physical: the copies take the place of the views."),
        comment(
            "A transaction above READ COMMITTED that is older than the last copies would miss them"
            " when the tables take the views' place: this waits for its end, and holds nothing."
        )
        + "\n"
        + _overtaken(change, hidden(parts[0])),
        comment(
            "Then, under no lock that anybody would notice, the proof that the copies are"
            " complete; from here on the triggers keep them so."
        ),
        *(proof(change, part, hidden(part)) for part in parts),
        comment(
            "Servers lock the table before its parts, so this does too; while it waits here, it"
            " holds nothing that a reader or a writer would wait for."
        )
        + f"\nLOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE;",
        *(stop(part) for part in parts),
        comment("Rights given on a view since the expand go over to the table in its place."),
        *(copy_grants(part.table, hidden(part)) for part in parts),
        *(drop(part) for part in parts),
        *(
            f"ALTER TABLE {relation(hidden(part))} RENAME TO {ident(part.table.name)};"
            for part in parts
        ),
        f"COMMENT ON TABLE {relation(parts[0].table)} IS NULL;",
        f"ALTER TABLE {source}\n{columns};",
        *(renamed(part) for part in parts),
    )


def _overtaken(change: str, table: RelationName) -> str:
    """Give way, to be tried again, while somebody has a snapshot from before the migration's end.

    Every role sees backend_xmin of all others. Autovacuum, which has no user, reads no such row.
    """
    message = f"{change}: a transaction is older than the last copies"
    return f"""\
DO $block$
BEGIN
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_stat_activity AS other
        CROSS JOIN pg_catalog.pg_description AS note
        WHERE note.classoid = 'pg_catalog.pg_class'::regclass
          AND note.objoid = {literal(relation(table))}::regclass
          AND note.objsubid = 0
          AND other.datname = current_database()
          AND other.usesysid IS NOT NULL
          AND other.pid <> pg_backend_pid()
          AND age(other.backend_xmin) > age(note.xmin)
    ) THEN
        RAISE lock_not_available USING MESSAGE = {literal(message)};
    END IF;
END
$block$;"""


def proof(change: str, part: PartLayout, table: RelationName) -> str:
    """Stop where a row of the table and its copy are not the same."""
    copy = f"copy.{ident(part.reference[0])}"
    return f"""\
DO $block$
BEGIN
    IF EXISTS (
        SELECT
        FROM {relation(part.source)} AS source
        FULL JOIN {relation(table)} AS copy
            ON {part.matches("copy", "source.")}
        WHERE {copy} IS NULL AND ({part.present("source.")})
           OR {copy} IS NOT NULL
              AND (({part.present("source.")}) IS NOT TRUE
                   OR {part.differs("source.", "copy.", 22)})
    ) THEN
        RAISE EXCEPTION USING
            MESSAGE = {literal(f"{change}: rows of {part.source} differ from their copies")},
            HINT = {literal(f"Undo the migrate phase of {change} and run it again.")};
    END IF;
END
$block$;"""
