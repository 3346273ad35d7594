-- it.expand
-- it. The new name is a view of all columns, which PostgreSQL reads and writes as the table;
-- until the contract only the old name has xmin and ctid, ON CONFLICT ON CONSTRAINT, MERGE before
-- PostgreSQL 17, and GROUP BY of the primary key for all columns.

-- host becomes machine. Until the contract the new name is a view of the whole table, so that
-- servers read and write the same rows by either name. Defaults, identity and generated columns,
-- keys and triggers are the table's, by this name too.
CREATE VIEW public.machine AS
    SELECT id, name, os, cpu, memory, state
    FROM public.host;

-- Whoever may work on the table may do so by its new name.

DO $block$
DECLARE
    entry record;
    owner text;
BEGIN
    SELECT quote_ident(pg_get_userbyid(relowner)) INTO owner
    FROM pg_catalog.pg_class WHERE oid = 'public.host'::regclass;
    BEGIN
        EXECUTE format('ALTER TABLE %s OWNER TO %s', 'public.machine', owner);
    EXCEPTION WHEN insufficient_privilege THEN
        -- That role may not create anything in the schema, or this one not give it away.
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s',
                       'public.machine', owner);
    END;
    FOR entry IN
        SELECT acl.privilege_type AS word, '' AS columns, acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_class AS source
        CROSS JOIN LATERAL pg_catalog.aclexplode(source.relacl) AS acl
        WHERE source.oid = 'public.host'::regclass
          AND acl.grantee <> source.relowner
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        UNION ALL
        SELECT acl.privilege_type, format(' (%I)', there.attname), acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_attribute AS here
        JOIN pg_catalog.pg_attribute AS there USING (attname)
        CROSS JOIN LATERAL pg_catalog.aclexplode(here.attacl) AS acl
        WHERE here.attrelid = 'public.host'::regclass
          AND there.attrelid = 'public.machine'::regclass
          AND here.attnum > 0 AND there.attnum > 0
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s',
                       entry.word, entry.columns, 'public.machine',
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC'
                           ELSE quote_ident(pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;

-- undo of it.expand
DROP VIEW public.machine;

-- it.contract
-- The view gives the name machine up and the table takes it. Its indexes, constraints and
-- sequences keep their names, as ALTER TABLE … RENAME leaves them. Who writes by the new name
-- locks the view first, so this does too.
LOCK TABLE public.machine, public.host IN ACCESS EXCLUSIVE MODE;

-- Rights given on the new name since the expand.

DO $block$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT acl.privilege_type AS word, '' AS columns, acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_class AS source
        CROSS JOIN LATERAL pg_catalog.aclexplode(source.relacl) AS acl
        WHERE source.oid = 'public.machine'::regclass
          AND acl.grantee <> source.relowner
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        UNION ALL
        SELECT acl.privilege_type, format(' (%I)', there.attname), acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_attribute AS here
        JOIN pg_catalog.pg_attribute AS there USING (attname)
        CROSS JOIN LATERAL pg_catalog.aclexplode(here.attacl) AS acl
        WHERE here.attrelid = 'public.machine'::regclass
          AND there.attrelid = 'public.host'::regclass
          AND here.attnum > 0 AND there.attnum > 0
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s',
                       entry.word, entry.columns, 'public.host',
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC'
                           ELSE quote_ident(pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;

DROP VIEW public.machine;

ALTER TABLE public.host RENAME TO machine;

