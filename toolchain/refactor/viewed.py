"""What a server cannot do with a part that is a view with triggers, whichever form is the view."""

from collections.abc import Sequence

from toolchain.model.relation_name import RelationName
from toolchain.refactor.phases import Act, Limit


def part_limits(
    part: RelationName,
    *,
    when: str,
    reference: Sequence[str],
    key: str,
    source: RelationName,
) -> tuple[Limit, ...]:
    """The limits of a part over a row of `source`.

    `when` says how long it is a view, `reference` are its columns that show the row's `key`.
    """
    view = f"{part} is a view with triggers {when}"
    return (
        Limit(
            act=Act.ON_CONFLICT,
            relation=part,
            why=f"{view}: ON CONFLICT (column) fails, and ON CONFLICT DO NOTHING is done"
            " regardless of a conflict; use UPDATE, and INSERT where that found no row",
        ),
        Limit(
            act=Act.MERGE,
            relation=part,
            why=f"{view}, which takes no MERGE before PostgreSQL 17; use UPDATE, and INSERT where"
            " that found no row",
        ),
        Limit(
            act=Act.TRUNCATE,
            relation=part,
            why=f"{view}, and only tables can be truncated; use DELETE",
        ),
        Limit(
            act=Act.UPDATE,
            relation=part,
            columns=frozenset(reference),
            why=f"{view}: another {', '.join(reference)} would be another {key} of the whole row of"
            f" {source}; use DELETE and INSERT",
        ),
        Limit(
            act=Act.COPY_OUT,
            relation=part,
            why=f"{view}: COPY … TO wants a query, as in COPY (SELECT …) TO",
        ),
    )
