"""Words of SQL: names and text quoted, comments wrapped, the trigger functions that all share.

Every function that is generated runs as its owner with a fixed search_path (CVE-2018-1058), so a
server needs no right on what it does not know of, and nobody can slip another function in. Where a
policy would hide rows from it, it fails (row_security off): to pass them by would lose them.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from enum import Enum

from toolchain.model.relation_name import RelationName

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_NAME_BYTES = 63  # NAMEDATALEN - 1
# Words that PostgreSQL 13 to 18 take for something else where a column's name may stand.
_RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary
    bit boolean both case cast char character check coalesce collate collation column
    concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user dec decimal default deferrable
    desc distinct do else end except exists extract false fetch float for foreign freeze from
    full grant greatest group grouping having ilike in initially inner inout int integer
    intersect interval into is isnull join json json_array json_arrayagg json_exists
    json_object json_objectagg json_query json_scalar json_serialize json_table json_value
    lateral leading least left like limit localtime localtimestamp merge_action national
    natural nchar none normalize not notnull null nullif numeric offset on only or order out
    outer overlaps overlay placing position precision primary real references returning right
    row select session_user setof similar smallint some substring symmetric system_user table
    tablesample then time timestamp to trailing treat trim true union unique user using values
    varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement
    xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905  (a list of them would take two hundred lines)
)


def ident(name: str) -> str:
    """A name as SQL has it: quoted where it must be."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def relation(name: RelationName) -> str:
    """A relation with its schema."""
    return f"{ident(name.schema)}.{ident(name.name)}"


def idents(names: Iterable[str], before: str = "") -> str:
    """Names as a list; `before` stands before each, as `NEW.` does."""
    return ", ".join(before + ident(name) for name in names)


def image(names: Iterable[str], before: str = "") -> str:
    """A row for `*=` and `*<>`, which compare byte by byte: types without equality too, NULLs too.

    Without the cast PostgreSQL would compare two rows column by column, and find no such operator.
    """
    return f"ROW({idents(names, before)})::record"


def literal(text: str) -> str:
    """Text as a string constant."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def named(*words: str) -> str:
    """A name for an object that the refactoring needs for itself, from words; never too long.

    PostgreSQL would cut a name of more than 63 bytes silently, and two might become one.
    """
    name = "_".join(word.replace("-", "_") for word in words)
    if len(name.encode()) <= _NAME_BYTES:
        return name
    import hashlib  # noqa: PLC0415  (a long name is rare)

    tail = hashlib.sha256(name.encode()).hexdigest()[:8]
    head = name.encode()[: _NAME_BYTES - 9].decode(errors="ignore")
    return f"{head}_{tail}"


def comment(text: str) -> str:
    """A comment of lines that fit."""
    return "\n".join(textwrap.wrap(text, 98, initial_indent="-- ", subsequent_indent="-- "))


def script(*parts: str) -> str:
    """Parts with an empty line between them."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def trigger_function(
    name: RelationName, body: str, declare: Sequence[str] = (), *, replace: bool = False
) -> str:
    """A trigger function in plpgsql; `body` stands between BEGIN and END, unindented."""
    variables = ["DECLARE", *(f"    {line};" for line in declare)] if declare else []
    return "\n".join([
        f"CREATE {'OR REPLACE ' if replace else ''}FUNCTION {relation(name)}() RETURNS trigger",
        "LANGUAGE plpgsql SECURITY DEFINER",
        "SET search_path = pg_catalog, pg_temp",
        "SET row_security = off",
        "AS $function$",
        *variables,
        "BEGIN",
        textwrap.indent(body.strip("\n"), "    "),
        "END",
        "$function$;",
    ])  # fmt: skip


def trigger(
    name: str, event: str, on: RelationName, function: RelationName, when: str | None = None
) -> str:
    """A row trigger; `event` is as in `AFTER INSERT OR DELETE`."""
    condition = f"    WHEN ({when})\n" if when else ""
    return (
        f"CREATE TRIGGER {ident(name)}\n"
        f"    {event} ON {relation(on)}\n"
        f"    FOR EACH ROW\n{condition}"
        f"    EXECUTE FUNCTION {relation(function)}();"
    )


class Owner(Enum):
    """What the owner of a relation gets of another one, beside those to whom he gave rights."""

    NOTHING = "nothing"
    RIGHTS = "rights"
    OWNERSHIP = "ownership"


def copy_grants(source: RelationName, target: RelationName, owner: Owner = Owner.OWNERSHIP) -> str:
    """Give whoever has a right on one relation, or on its columns, the same right on another.

    The roles of the servers are the customer's, so they are read where the SQL runs. Rights on
    columns go over for columns of the same name. An owner has all rights without a grant, and
    often it is the servers' role, while another one runs the steps.
    """
    return f"""\
DO $block$
DECLARE
    entry record;
{_DECLARED[owner]}BEGIN
{_of_owner(source, target, owner)}    FOR entry IN
        SELECT acl.privilege_type AS word, '' AS columns, acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_class AS source
        CROSS JOIN LATERAL pg_catalog.aclexplode(source.relacl) AS acl
        WHERE source.oid = {literal(relation(source))}::regclass
          AND acl.grantee <> source.relowner
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        UNION ALL
        SELECT acl.privilege_type, format(' (%I)', there.attname), acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_attribute AS here
        JOIN pg_catalog.pg_attribute AS there USING (attname)
        CROSS JOIN LATERAL pg_catalog.aclexplode(here.attacl) AS acl
        WHERE here.attrelid = {literal(relation(source))}::regclass
          AND there.attrelid = {literal(relation(target))}::regclass
          AND here.attnum > 0 AND there.attnum > 0
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s',
                       entry.word, entry.columns, {literal(relation(target))},
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC'
                           ELSE quote_ident(pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;"""


_DECLARED = {
    Owner.NOTHING: "",
    Owner.RIGHTS: "    owner text;\n",
    Owner.OWNERSHIP: "    owner text;\n",
}


def _of_owner(source: RelationName, target: RelationName, owner: Owner) -> str:
    if owner is Owner.NOTHING:
        return ""
    found = f"""\
    SELECT quote_ident(pg_get_userbyid(relowner)) INTO owner
    FROM pg_catalog.pg_class WHERE oid = {literal(relation(source))}::regclass;
"""
    grant = f"""\
EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s',
               {literal(relation(target))}, owner);"""
    if owner is Owner.RIGHTS:
        return found + textwrap.indent(grant, "    ") + "\n"
    return f"""\
{found}    BEGIN
        EXECUTE format('ALTER TABLE %s OWNER TO %s', {literal(relation(target))}, owner);
    EXCEPTION WHEN insufficient_privilege THEN
        -- That role may not create anything in the schema, or this one not give it away.
{textwrap.indent(grant, "        ")}
    END;
"""
