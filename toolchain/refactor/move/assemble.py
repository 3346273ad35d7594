"""The phases that a move along a reference and a part with a key have in common."""

from collections.abc import Sequence
from textwrap import indent

from toolchain.model.refactoring import Strategy
from toolchain.refactor.move import functions, gather, triggers
from toolchain.refactor.move.layout import Kinship
from toolchain.refactor.phases import Expand, Limit, Migration, Phases
from toolchain.refactor.sql import comment, ident, literal, relation, script


def assemble(
    kins: Sequence[Kinship],
    *,
    add: Sequence[str],
    remove: Sequence[str],
    begin: Sequence[str] = (),
    contract: Sequence[str] = (),
    limits: Sequence[Limit] = (),
) -> Phases:
    """All phases; `add` and `remove` are the columns or tables of the new form."""
    child = kins[0].child
    names = [name for kin in kins for name in kin.names]
    drops = ",\n    ".join(f"DROP COLUMN {ident(name)}" for name in names)
    parents = " and ".join(str(kin.parent) for kin in kins)
    return Phases(
        strategy=Strategy.COPY,
        why=f"Many rows of {child} share one of {parents}, which no view that can be written"
        " shows, so both forms are stored and triggers keep them equal; a transaction that changes"
        f" {', '.join(names)} may have to be tried again (40001), and must be READ COMMITTED.",
        expand=Expand(
            sql=script(
                comment(
                    "The new form, and the triggers that will keep the two equal. Their functions"
                    " do nothing before the migration begins."
                ),
                *add,
                *(text for kin in kins for text in _made(kin)),
            ),
            undo=script(
                comment("Servers of the old form have all that was ever written."),
                *(_dropped(kin) for kin in kins),
                *remove,
            ),
        ),
        migrate=Migration(
            table=child,
            key=kins[0].child_key,
            begin=_begin(kins, begin),
            batch="\n".join(
                f"SELECT {relation(kin.beside('gather'))}($1, $2, false);" for kin in kins
            ),
            finish=script(*(_finish(kin) for kin in kins)),
            undo=script(
                comment("From here on the old form is the only one, as before the migration."),
                *(text for kin in kins for text in functions.idle(kin, replace=True)),
            ),
        ),
        contract=script(
            comment(
                "First, under no lock that anybody would notice, the proof that both are equal."
            ),
            *(_proof(kin) for kin in kins),
            *(_dropped(kin) for kin in kins),
            f"ALTER TABLE {relation(child)}\n    {drops};",
            *contract,
        ),
        limits=tuple(limits),
    )


def _made(kin: Kinship) -> tuple[str, ...]:
    return (
        comment(
            "One value for a whole group. It waits for nobody (a lock_timeout of a millisecond is"
            " as good as NOWAIT where PostgreSQL has none), and says 40001 where it would have to:"
            " the transaction may be tried again, and no deadlock can come of it."
        )
        + "\n"
        + functions.settle(kin),
        comment("What the migration does with the groups of some rows.")
        + "\n"
        + gather.gather(kin),
        *functions.idle(kin),
        triggers.create(kin),
        *((triggers.guard(kin),) if kin.keyed else ()),
    )


def _dropped(kin: Kinship) -> str:
    words = [triggers.drop(kin)]
    if kin.keyed:
        words.append(triggers.drop_guard(kin))
    words.append(f"DROP FUNCTION {', '.join(functions.signatures(kin))};")
    return "\n".join(words)


def _begin(kins: Sequence[Kinship], more: Sequence[str]) -> str:
    # Parents first: so servers lock, too.
    locked = ", ".join(relation(table) for table in (*(k.parent for k in kins), kins[0].child))
    return script(
        comment(
            "Rows of one group must agree before the first write makes them. From the end of this"
            " transaction on the last writer of a group speaks for all of it."
        ),
        *(gather.disagreement(kin) for kin in kins),
        *more,
        comment(
            "A transaction that is under way may have run the functions that do nothing, so this"
            " waits for its end; whoever writes next runs the functions below."
        )
        + f"\nLOCK TABLE {locked} IN SHARE ROW EXCLUSIVE MODE;",
        *(text for kin in kins for text in functions.active(kin)),
    )


def _strays(kin: Kinship) -> str:
    """The rows that are not what their group says, from FROM on."""
    return f"""\
FROM {relation(kin.child)} AS child
LEFT JOIN {relation(kin.parent)} AS parent
    ON {kin.of_parent(kin.references("child."), "parent.")}
WHERE parent.{ident(kin.identity[0])} IS NULL
   OR {kin.row("child.")} IS DISTINCT FROM {kin.row("parent.")}"""


def _proof(kin: Kinship) -> str:
    message = f"{kin.change}: rows of {kin.child} differ from {kin.parent}"
    return f"""\
DO $block$
BEGIN
    IF EXISTS (
        SELECT
{indent(_strays(kin), "        ")}
    ) THEN
        RAISE EXCEPTION USING
            MESSAGE = {literal(message)},
            HINT = {literal(f"Undo the migrate phase of {kin.change} and run it again.")};
    END IF;
END
$block$;"""


def _finish(kin: Kinship) -> str:
    key = ident(kin.child_key)
    references = ", ".join(kin.references("child."))
    return (
        comment("Groups that somebody held when their batch came, and the proof for all others.")
        + f"""
DO $block$
BEGIN
    PERFORM {relation(kin.beside("gather"))}(first, first, true)
    FROM (
        SELECT DISTINCT ON ({references}) child.{key} AS first
{indent(_strays(kin), "        ")}
        ORDER BY {references}, child.{key}
    ) AS strays;
END
$block$;"""
    )
