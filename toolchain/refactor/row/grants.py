"""Rights on single columns, for those that take their place."""

from collections.abc import Iterable

from toolchain.model.relation_name import RelationName
from toolchain.refactor.sql import literal, relation


def copy_column_grants(table: RelationName, pairs: Iterable[tuple[str, str]]) -> str:
    """Give whoever has a right on one column alone the same right on another of the table.

    Rights on the whole table cover a new column by themselves. The roles of the servers are the
    customer's, so they are read where the SQL runs.
    """
    listed = ", ".join(f"({literal(one)}, {literal(other)})" for one, other in pairs)
    here = literal(relation(table))
    return f"""\
-- Rights on the whole table cover a new column; rights on single columns are given anew.
DO $block$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT DISTINCT acl.privilege_type AS word, pairs.target, acl.is_grantable, acl.grantee
        FROM (VALUES {listed}) AS pairs (source, target)
        JOIN pg_catalog.pg_attribute AS attribute ON attribute.attname = pairs.source
        CROSS JOIN LATERAL pg_catalog.aclexplode(attribute.attacl) AS acl
        WHERE attribute.attrelid = {here}::pg_catalog.regclass
    LOOP
        EXECUTE pg_catalog.format('GRANT %s (%I) ON %s TO %s%s',
                       entry.word, entry.target, {here}::pg_catalog.regclass,
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(
                           pg_catalog.pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;"""
