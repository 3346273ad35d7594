"""The phases of a merge: the old tables until its migration ends, views of the new form then."""

from toolchain.model.refactoring import MergeTables, Strategy
from toolchain.model.schema import Schema
from toolchain.refactor.constraint import deferring, full
from toolchain.refactor.merge import follow, queue, view
from toolchain.refactor.merge.layout import MergeLayout, PartLayout
from toolchain.refactor.merge.plan import layout
from toolchain.refactor.phases import Expand, Migration, Phases
from toolchain.refactor.sql import (
    Owner,
    comment,
    copy_grants,
    ident,
    idents,
    literal,
    named,
    relation,
    script,
)

# Shorter than deadlock_timeout: the one that gives way is never a server.
_BRIEF = "SELECT pg_catalog.set_config('lock_timeout', '300ms', true);"


def phases(change: str, refactoring: MergeTables, schema: Schema) -> Phases:
    """The phases of a merge."""
    merge = layout(change, refactoring, schema)
    tables = " and ".join(str(part.table) for part in merge.parts)
    return Phases(
        strategy=Strategy.VIEW,
        why=f"From the end of the migration {tables} can be written as a view of {merge.into},"
        " so there is one truth and nothing to keep equal.",
        expand=Expand(sql=_expand(merge), undo=_undo_expand(merge)),
        migrate=Migration(
            table=merge.into,
            key=merge.key,
            batch=queue.batch(merge),
            begin=_begin(merge),
            finish=_finish(merge),
            undo=_undo_migrate(merge),
        ),
        contract=_contract(merge),
        limits=tuple(limit for part in merge.parts for limit in view.limits(merge, part)),
    )


def _checks(part: PartLayout) -> tuple[tuple[str, str], ...]:
    """What held for a part holds where there is one; a row without any part satisfies all."""
    found = [
        (
            named(part.table.name, check.name, "merged"),
            f"({part.empty()})\n        OR ({check.expression})",
        )
        for check in part.checks
    ]
    if part.required and len(part.columns) > 1:
        whole = " AND ".join(f"{ident(name)} IS NOT NULL" for name in part.required)
        found.append(
            (named(part.table.name, "not_null_merged"), f"({part.empty()})\n        OR ({whole})")
        )
    return tuple(found)


def _expand(merge: MergeLayout) -> str:
    into = relation(merge.into)
    columns = []
    for part in merge.parts:
        for column in part.columns:
            collation = f" COLLATE {column.collation}" if column.collation else ""
            columns.append(f"ADD COLUMN {ident(column.name)} {column.type}{collation}")
    markers = [f"ADD COLUMN {ident(part.marker)} boolean" for part in merge.parts if part.marker]
    checks = [
        f"ADD CONSTRAINT {ident(name)} CHECK ({expression}) NOT VALID"
        for part in merge.parts
        for name, expression in _checks(part)
    ]
    marked = (
        comment(
            "Every column of such a part may be NULL, so a column of its own tells a part of"
            " NULLs from none. The contract drops it."
        )
        if markers
        else ""
    )
    return script(
        comment(
            f"The columns come to {merge.into.name}, and belong to the migration alone until it"
            " has ended: a server of the old form does not know them, one of the new form must"
            " wait for it."
        ),
        marked,
        f"ALTER TABLE {into}\n    " + ",\n    ".join([*columns, *markers, *checks]) + ";",
        queue.create_queue(merge),
        *(follow.create(merge, part) for part in merge.parts),
    )


def _undo_expand(merge: MergeLayout) -> str:
    names = [column.name for part in merge.parts for column in part.columns]
    names += [part.marker for part in merge.parts if part.marker]
    drops = ",\n    ".join(f"DROP COLUMN {ident(name)}" for name in names)
    return script(
        comment("Every write went into the old tables, so there is nothing to bring back."),
        queue.drop_queue(merge),
        *(follow.drop(merge, part) for part in merge.parts),
        f"ALTER TABLE {relation(merge.into)}\n    {drops};",
    )


def _begin(merge: MergeLayout) -> str:
    names = [name for part in merge.parts for name, _ in _checks(part)]
    validated = [
        comment("No row has a value yet, and each that gets one is checked."),
        "\n".join(
            f"ALTER TABLE {relation(merge.into)} VALIDATE CONSTRAINT {ident(name)};"
            for name in names
        ),
    ]
    return script(
        *(validated if names else ()),
        comment(
            "From here on the changes of the parts are noted. What was changed before, the walk"
            " will read: a trigger is made when no writer of its table is under way."
        )
        + "\n"
        + _BRIEF,
        *(queue.create_triggers(part) for part in merge.parts),
    )


def _finish(merge: MergeLayout) -> str:
    words = [
        comment(
            "The parts are locked first, and let go at once where somebody holds them: a server"
            " may hold one and wait for another. From here on nobody writes them."
        )
        + "\n"
        + _BRIEF
    ]
    words += [queue.drop_triggers(part) for part in merge.parts]
    words.append(queue.drain(merge))
    for part in merge.parts:
        words += [
            comment(f"{part.table.name} becomes a view; the table stays behind it."),
            f"ALTER TABLE {relation(part.table)} RENAME TO {ident(part.aside.name)};",
            follow.active(merge, part),
            view.create(merge, part),
        ]
    return script(*words)


def _undo_migrate(merge: MergeLayout) -> str:
    """Give the tables their names back, if they have lost them; they hold what the views show."""
    first = merge.parts[0]
    words = [_BRIEF.replace("SELECT", "PERFORM")]
    for part in merge.parts:
        words += [
            copy_grants(part.table, part.aside, Owner.NOTHING).replace("$block$", "$grants$"),
            view.drop(part),
            f"ALTER TABLE {relation(part.aside)} RENAME TO {ident(part.table.name)};",
            follow.idle(part, replace=True),
        ]
    noted = "\n".join(queue.drop_triggers(part) for part in merge.parts)
    return script(
        comment("Where the migration has not ended, the old tables are still what they were."),
        f"DO $block$\nBEGIN\nIF to_regclass({literal(relation(first.aside))}) IS NOT NULL THEN\n"
        + script(*words)
        + f"ELSE\n{noted}\nDELETE FROM {relation(merge.queue)};\nEND IF;\nEND\n$block$;",
    )


def _proof(merge: MergeLayout, part: PartLayout) -> str:
    """Stop where the table behind a view and what the view shows are not the same."""
    key = f"part.{ident(part.key)}"
    message = f"{merge.change}: rows of {part.aside} differ from {merge.into}"
    hint = f"Undo the migrate phase of {merge.change} and run it again."
    return f"""\
DO $block$
BEGIN
    IF EXISTS (
        SELECT
        FROM {relation(part.aside)} AS part
        FULL JOIN {relation(merge.into)} AS target
            ON {key} = target.{ident(merge.key)}
        WHERE {key} IS NULL AND {part.present("target.")}
           OR {key} IS NOT NULL
              AND (({part.present("target.")}) IS NOT TRUE
                   OR {part.differs("part.", "target.")})
    ) THEN
        RAISE EXCEPTION USING
            MESSAGE = {literal(message)},
            HINT = {literal(hint)};
    END IF;
END
$block$;"""


def _contract(merge: MergeLayout) -> str:
    into = relation(merge.into)
    alterations = [f"DROP COLUMN {ident(part.marker)}" for part in merge.parts if part.marker]
    for part in merge.parts:
        for foreign in part.foreign_keys:
            alterations.append(
                f"ADD CONSTRAINT {ident(named(part.table.name, foreign.name, 'merged'))}\n"
                f"        FOREIGN KEY ({idents(foreign.columns)})"
                f" REFERENCES {relation(foreign.table)} ({idents(foreign.references)})"
                f"{full(foreign)}\n        ON DELETE {foreign.on_delete.upper()}"
                f" ON UPDATE {foreign.on_update.upper()}{deferring(foreign)} NOT VALID"
            )
    words = [follow.drop(merge, part) for part in merge.parts]
    for part in merge.parts:
        words += [view.drop(part), f"DROP TABLE {relation(part.aside)};"]
    words.append(queue.drop_queue(merge))
    if alterations:
        words.append(f"ALTER TABLE {into}\n    " + ",\n    ".join(alterations) + ";")
    return script(
        comment(f"No server knows the old tables any more: all is in {merge.into.name}."),
        comment("First, under no lock that anybody would notice, the proof of it."),
        *(_proof(merge, part) for part in merge.parts),
        *words,
    )
