-- it.expand
-- it. Each part is a view of some columns of one table, which PostgreSQL can update, so nothing
-- is copied before servers may use it.

-- host is split. One truth, two forms: until the contract the parts are views of the old table,
-- so that whichever form a server writes, it locks and changes the same single row. No update can
-- be lost between two copies, and writers of the two forms cannot deadlock: there is but one row
-- to lock.

-- UPDATE of this view is PostgreSQL's own. INSERT and DELETE are not: an INSERT would make a row
-- of host, and a DELETE would delete the whole of it. A row with nothing in these columns has no
-- such part, as it will have none in the table to come.
CREATE VIEW public.hardware AS
    SELECT id AS host_id, cpu, memory
    FROM public.host
    WHERE cpu IS NOT NULL OR memory IS NOT NULL;

-- Like the table to come, the view refuses a part of a row that does not exist (a foreign key) or
-- that has its part already (a primary key). The function runs as its owner, as PostgreSQL's own
-- UPDATE of a view does: whoever may write the view need not be allowed to write the table.
CREATE FUNCTION public.hardware_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    taken boolean;
BEGIN
    UPDATE public.host AS source
    SET cpu = NEW.cpu, memory = NEW.memory
    WHERE source.id = NEW.host_id AND NOT (source.cpu IS NOT NULL OR source.memory IS NOT NULL);
    IF NOT FOUND THEN
        -- Whoever holds the row may give the part back, so the answer is that of the lock.
        SELECT source.cpu IS NOT NULL OR source.memory IS NOT NULL
        INTO taken
        FROM public.host AS source
        WHERE source.id = NEW.host_id
        FOR NO KEY UPDATE OF source;
        IF NOT FOUND THEN
            RAISE foreign_key_violation USING
                MESSAGE = format('hardware: there is no host %s', concat_ws(', ', NEW.host_id));
        ELSIF taken THEN
            RAISE unique_violation USING
                MESSAGE = format('hardware: host %s has its part already', concat_ws(', ', NEW.host_id));
        END IF;
        UPDATE public.host AS source
        SET cpu = NEW.cpu, memory = NEW.memory
        WHERE source.id = NEW.host_id;
    END IF;
    RETURN NEW;
END
$function$;

CREATE TRIGGER hardware_insert
    INSTEAD OF INSERT ON public.hardware
    FOR EACH ROW
    EXECUTE FUNCTION public.hardware_insert();

-- The rows to delete were found before they are locked here. Where somebody was faster, the row
-- may not answer the statement's condition any more, and only the server can ask again.
CREATE FUNCTION public.hardware_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    changed boolean;
BEGIN
    SELECT ROW(source.cpu, source.memory)::record
           *<> ROW(OLD.cpu, OLD.memory)::record
    INTO changed
    FROM public.host AS source
    WHERE source.id = OLD.host_id AND (source.cpu IS NOT NULL OR source.memory IS NOT NULL)
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF changed THEN
        RAISE serialization_failure USING
            MESSAGE = 'hardware: the row was changed while it was to be deleted',
            HINT = 'Try the transaction again.';
    END IF;
    UPDATE public.host AS source
    SET cpu = NULL, memory = NULL
    WHERE source.id = OLD.host_id;
    RETURN OLD;
END
$function$;

CREATE TRIGGER hardware_delete
    INSTEAD OF DELETE ON public.hardware
    FOR EACH ROW
    EXECUTE FUNCTION public.hardware_delete();

-- Whoever may work on host may work on its part: the roles of the servers are the customer's.
DO $block$
DECLARE
    entry record;
    owner text;
BEGIN
    SELECT quote_ident(pg_get_userbyid(relowner)) INTO owner
    FROM pg_catalog.pg_class WHERE oid = 'public.host'::regclass;
    BEGIN
        EXECUTE format('ALTER TABLE %s OWNER TO %s', 'public.hardware', owner);
    EXCEPTION WHEN insufficient_privilege THEN
        -- That role may not create anything in the schema, or this one not give it away.
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s',
                       'public.hardware', owner);
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
          AND there.attrelid = 'public.hardware'::regclass
          AND here.attnum > 0 AND there.attnum > 0
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s',
                       entry.word, entry.columns, 'public.hardware',
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC'
                           ELSE quote_ident(pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;

-- undo of it.expand
-- Every write went into the old table, so there is nothing to bring back.

DROP VIEW public.hardware;
DROP FUNCTION public.hardware_insert(), public.hardware_delete();

-- it.migrate
-- Once, before the first batch.

-- The tables that the parts of host become. A trigger follows each write of the old table, the
-- batches copy the rest, and the contract swaps them in. The reference deletes a copy with its
-- row.

CREATE TABLE public.hardware_next (
    host_id bigint,
    cpu integer,
    memory integer,
    CONSTRAINT hardware_pkey PRIMARY KEY (host_id),
    CONSTRAINT hardware_host_id_fkey FOREIGN KEY (host_id) REFERENCES public.host (id) ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT hardware_cpu_check CHECK (cpu >= 0)
);

DO $block$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT attname, description
        FROM pg_catalog.pg_attribute
        JOIN pg_catalog.pg_description ON objoid = attrelid AND objsubid = attnum
        WHERE classoid = 'pg_catalog.pg_class'::regclass
          AND attrelid = 'public.host'::regclass
          AND attname IN ('cpu', 'memory')
    LOOP
        EXECUTE format('COMMENT ON COLUMN public.hardware_next.%I IS %L', entry.attname, entry.description);
    END LOOP;
END
$block$;

-- The writer holds the lock of the row already, and everybody takes that one first. The functions
-- run as their owner, since a server need not be allowed to write the unfinished tables.

CREATE FUNCTION public.hardware_next_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- Where another transaction deleted a row of this key after the snapshot, that row is still
        -- seen beside the new one. To lock it fails, and the server tries again.
        PERFORM FROM public.host AS source WHERE source.id = NEW.id FOR KEY SHARE;
    END IF;
    IF TG_OP = 'UPDATE' AND ROW(OLD.id)::record *<> ROW(NEW.id)::record THEN
        -- Another key is another row; perhaps the reference has moved the copy already.
        DELETE FROM public.hardware_next AS copy WHERE OLD.id = copy.host_id;
    END IF;
    -- The row as it is now: a trigger that came before may have written it since NEW.
    INSERT INTO public.hardware_next AS copy (host_id, cpu, memory)
    SELECT source.id, source.cpu, source.memory
    FROM public.host AS source
    WHERE source.id = NEW.id AND (source.cpu IS NOT NULL OR source.memory IS NOT NULL)
    ON CONFLICT (host_id) DO UPDATE
    SET cpu = excluded.cpu,
        memory = excluded.memory
    WHERE ROW(copy.cpu, copy.memory)::record
          *<> ROW(excluded.cpu, excluded.memory)::record;
    IF NOT FOUND AND NOT EXISTS (
        SELECT FROM public.host AS source
        WHERE source.id = NEW.id AND (source.cpu IS NOT NULL OR source.memory IS NOT NULL)
    ) THEN
        IF current_setting('transaction_isolation') <> 'read committed'
           AND TG_OP = 'UPDATE' AND (OLD.cpu IS NOT NULL OR OLD.memory IS NOT NULL)
           AND EXISTS (
               SELECT FROM public.host AS source WHERE source.id = NEW.id
           ) THEN
            -- A copy that a batch has made since the snapshot would be missed by the DELETE below.
            -- This meets it, and fails with "could not serialize access": the server tries again.
            INSERT INTO public.hardware_next (host_id, cpu, memory)
            VALUES (OLD.id, OLD.cpu, OLD.memory)
            ON CONFLICT DO NOTHING;
        END IF;
        DELETE FROM public.hardware_next AS copy WHERE NEW.id = copy.host_id;
    END IF;
    RETURN NULL;
END
$function$;

CREATE TRIGGER hardware_next_insert
    AFTER INSERT ON public.host
    FOR EACH ROW
    WHEN (NEW.cpu IS NOT NULL OR NEW.memory IS NOT NULL)
    EXECUTE FUNCTION public.hardware_next_follow();

CREATE TRIGGER hardware_next_update
    AFTER UPDATE ON public.host
    FOR EACH ROW
    WHEN (ROW(OLD.id, OLD.cpu, OLD.memory)::record
          *<> ROW(NEW.id, NEW.cpu, NEW.memory)::record)
    EXECUTE FUNCTION public.hardware_next_follow();

-- Each batch, from the key $1 to the key $2.

-- Copies one batch. The rows are locked first, so that no writer stands between what is read and
-- what is written: a write that came before is read here, one that comes later is followed by the
-- trigger, a deleted row is not found. A row that the trigger brought already is the newer one.
WITH batch AS MATERIALIZED (
    SELECT id, cpu, memory
    FROM public.host
    WHERE id BETWEEN $1 AND $2
    ORDER BY id
    FOR SHARE
)
INSERT INTO public.hardware_next (host_id, cpu, memory)
SELECT id, cpu, memory FROM batch
WHERE cpu IS NOT NULL OR memory IS NOT NULL
ON CONFLICT (host_id) DO NOTHING;

-- Once, after the last batch.

-- The contract reads the age of this note: older snapshots miss some copies.
COMMENT ON TABLE public.hardware_next IS 'complete';

-- undo of it.migrate
-- Only copies are thrown away; the old table is the truth until the contract.

DROP TRIGGER hardware_next_insert ON public.host;
DROP TRIGGER hardware_next_update ON public.host;
DROP FUNCTION public.hardware_next_follow();

DROP TABLE public.hardware_next;

-- it.contract
-- The split becomes physical: the copies take the place of the views.

-- A transaction above READ COMMITTED that is older than the last copies would miss them when the
-- tables take the views' place: this waits for its end, and holds nothing.
DO $block$
BEGIN
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_stat_activity AS other
        CROSS JOIN pg_catalog.pg_description AS note
        WHERE note.classoid = 'pg_catalog.pg_class'::regclass
          AND note.objoid = 'public.hardware_next'::regclass
          AND note.objsubid = 0
          AND other.datname = current_database()
          AND other.usesysid IS NOT NULL
          AND other.pid <> pg_backend_pid()
          AND age(other.backend_xmin) > age(note.xmin)
    ) THEN
        RAISE lock_not_available USING MESSAGE = 'it: a transaction is older than the last copies';
    END IF;
END
$block$;

-- Then, under no lock that anybody would notice, the proof that the copies are complete; from
-- here on the triggers keep them so.

DO $block$
BEGIN
    IF EXISTS (
        SELECT
        FROM public.host AS source
        FULL JOIN public.hardware_next AS copy
            ON source.id = copy.host_id
        WHERE copy.host_id IS NULL AND (source.cpu IS NOT NULL OR source.memory IS NOT NULL)
           OR copy.host_id IS NOT NULL
              AND ((source.cpu IS NOT NULL OR source.memory IS NOT NULL) IS NOT TRUE
                   OR ROW(source.cpu, source.memory)::record
                      *<> ROW(copy.cpu, copy.memory)::record)
    ) THEN
        RAISE EXCEPTION USING
            MESSAGE = 'it: rows of public.host differ from their copies',
            HINT = 'Undo the migrate phase of it and run it again.';
    END IF;
END
$block$;

-- Servers lock the table before its parts, so this does too; while it waits here, it holds
-- nothing that a reader or a writer would wait for.
LOCK TABLE public.host, public.hardware IN ACCESS EXCLUSIVE MODE;

DROP TRIGGER hardware_next_insert ON public.host;
DROP TRIGGER hardware_next_update ON public.host;
DROP FUNCTION public.hardware_next_follow();

-- Rights given on a view since the expand go over to the table in its place.

DO $block$
DECLARE
    entry record;
    owner text;
BEGIN
    SELECT quote_ident(pg_get_userbyid(relowner)) INTO owner
    FROM pg_catalog.pg_class WHERE oid = 'public.hardware'::regclass;
    BEGIN
        EXECUTE format('ALTER TABLE %s OWNER TO %s', 'public.hardware_next', owner);
    EXCEPTION WHEN insufficient_privilege THEN
        -- That role may not create anything in the schema, or this one not give it away.
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s',
                       'public.hardware_next', owner);
    END;
    FOR entry IN
        SELECT acl.privilege_type AS word, '' AS columns, acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_class AS source
        CROSS JOIN LATERAL pg_catalog.aclexplode(source.relacl) AS acl
        WHERE source.oid = 'public.hardware'::regclass
          AND acl.grantee <> source.relowner
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        UNION ALL
        SELECT acl.privilege_type, format(' (%I)', there.attname), acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_attribute AS here
        JOIN pg_catalog.pg_attribute AS there USING (attname)
        CROSS JOIN LATERAL pg_catalog.aclexplode(here.attacl) AS acl
        WHERE here.attrelid = 'public.hardware'::regclass
          AND there.attrelid = 'public.hardware_next'::regclass
          AND here.attnum > 0 AND there.attnum > 0
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s',
                       entry.word, entry.columns, 'public.hardware_next',
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC'
                           ELSE quote_ident(pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;

DROP VIEW public.hardware;
DROP FUNCTION public.hardware_insert(), public.hardware_delete();

ALTER TABLE public.hardware_next RENAME TO hardware;

COMMENT ON TABLE public.hardware IS NULL;

ALTER TABLE public.host
    DROP COLUMN cpu,
    DROP COLUMN memory;

