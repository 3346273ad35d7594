-- it.expand
-- it. From the end of the migration public.disk can be written as a view of public.host, so there
-- is one truth and nothing to keep equal.

-- The columns come to host, and belong to the migration alone until it has ended: a server of the
-- old form does not know them, one of the new form must wait for it.

ALTER TABLE public.host
    ADD COLUMN disk_size integer;

-- Writers of a part note its key here and copy nothing themselves: so nobody waits for a row that
-- he would not have waited for before.
CREATE TABLE public.it_host_changed (
    mark bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bigint NOT NULL
);

CREATE FUNCTION public.disk_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO public.it_host_changed (key) VALUES (OLD.host_id);
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.host_id IS DISTINCT FROM OLD.host_id THEN
        INSERT INTO public.it_host_changed (key) VALUES (NEW.host_id);
    END IF;
    RETURN NULL;
END
$function$;

CREATE FUNCTION public.disk_note_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE feature_not_supported USING
            MESSAGE = 'public.disk cannot be truncated above READ COMMITTED yet',
            HINT = 'Such a transaction does not see all rows.';
    END IF;
    INSERT INTO public.it_host_changed (key) SELECT host_id FROM public.disk;
    RETURN NULL;
END
$function$;

CREATE FUNCTION public.disk_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;

CREATE TRIGGER disk_follow_insert
    AFTER INSERT ON public.host
    FOR EACH ROW
    WHEN (NEW.disk_size IS NOT NULL)
    EXECUTE FUNCTION public.disk_follow();

CREATE TRIGGER disk_follow_update
    AFTER UPDATE ON public.host
    FOR EACH ROW
    WHEN (ROW(OLD.disk_size) IS DISTINCT FROM ROW(NEW.disk_size)
          OR (OLD.disk_size IS NOT NULL) <> (NEW.disk_size IS NOT NULL))
    EXECUTE FUNCTION public.disk_follow();

-- undo of it.expand
-- Every write went into the old tables, so there is nothing to bring back.

DROP FUNCTION public.disk_note(), public.disk_note_truncate();
DROP TABLE public.it_host_changed;

DROP TRIGGER disk_follow_insert ON public.host;
DROP TRIGGER disk_follow_update ON public.host;
DROP FUNCTION public.disk_follow();

ALTER TABLE public.host
    DROP COLUMN disk_size;

-- it.migrate
-- Once, before the first batch.

-- From here on the changes of the parts are noted. What was changed before, the walk will read: a
-- trigger is made when no writer of its table is under way.
SELECT pg_catalog.set_config('lock_timeout', '300ms', true);

CREATE TRIGGER disk_note
    AFTER INSERT OR UPDATE OR DELETE ON public.disk
    FOR EACH ROW
    EXECUTE FUNCTION public.disk_note();
CREATE TRIGGER disk_note_truncate
    BEFORE TRUNCATE ON public.disk
    FOR EACH STATEMENT
    EXECUTE FUNCTION public.disk_note_truncate();

-- Each batch, from the key $1 to the key $2.

-- A row that somebody holds is skipped, so no server ever waits for a batch that waits for a
-- server. What a server changes after this has read it is noted by a trigger.
WITH locked AS MATERIALIZED (
    SELECT id AS key FROM public.host
    WHERE id BETWEEN $1 AND $2
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE public.host AS target
SET disk_size = part_1.disk_size
FROM locked
LEFT JOIN public.disk AS part_1 ON part_1.host_id = locked.key
WHERE target.id = locked.key
  AND (ROW(target.disk_size) IS DISTINCT FROM ROW(part_1.disk_size))
  AND target.id BETWEEN $1 AND $2;

-- What was skipped is noted too.
INSERT INTO public.it_host_changed (key)
SELECT target.id
FROM public.host AS target
LEFT JOIN public.disk AS part_1 ON part_1.host_id = target.id
WHERE target.id BETWEEN $1 AND $2
  AND (ROW(target.disk_size) IS DISTINCT FROM ROW(part_1.disk_size));

-- A key is taken from the notes by the statement that reads its part: whoever notes it anew has
-- made a change that this statement has not seen. The larger the batch, the more notes it takes.
-- Without a range (NULL) it takes notes of any key.
WITH noted AS MATERIALIZED (
    SELECT DISTINCT key FROM (
        SELECT key FROM public.it_host_changed
        WHERE key <= $2 OR coalesce($1, $2) IS NULL
        ORDER BY mark
        LIMIT 1000 + (SELECT count(*) FROM public.host WHERE id BETWEEN $1 AND $2)
    ) AS marks
),
differing AS MATERIALIZED (
    SELECT noted.key
    FROM noted
    JOIN public.host AS target ON target.id = noted.key
    LEFT JOIN public.disk AS part_1 ON part_1.host_id = noted.key
    WHERE ROW(target.disk_size) IS DISTINCT FROM ROW(part_1.disk_size)
),
locked AS MATERIALIZED (
    SELECT id AS key FROM public.host
    WHERE id IN (SELECT key FROM differing)
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
),
copied AS (
    UPDATE public.host AS target
    SET disk_size = part_1.disk_size
    FROM locked
    LEFT JOIN public.disk AS part_1 ON part_1.host_id = locked.key
    WHERE target.id = locked.key
      AND (ROW(target.disk_size) IS DISTINCT FROM ROW(part_1.disk_size))
)
DELETE FROM public.it_host_changed AS queue USING noted
WHERE queue.key = noted.key
  AND (noted.key IN (SELECT key FROM locked)
       OR noted.key NOT IN (SELECT key FROM differing));

-- Once, after the last batch.

-- The parts are locked first, and let go at once where somebody holds them: a server may hold one
-- and wait for another. From here on nobody writes them.
SELECT pg_catalog.set_config('lock_timeout', '300ms', true);

DROP TRIGGER disk_note ON public.disk;
DROP TRIGGER disk_note_truncate ON public.disk;

-- Nobody writes a part now. Waiting for a row here, with the parts locked, could be a deadlock
-- with a server that waits for a part; so this gives up at once, and is tried again after another
-- batch. Rows that are as their parts say are not even locked.
DO $block$
BEGIN
    PERFORM FROM public.host AS target
    LEFT JOIN public.disk AS part_1 ON part_1.host_id = target.id
    WHERE target.id IN (SELECT key FROM public.it_host_changed)
      AND (ROW(target.disk_size) IS DISTINCT FROM ROW(part_1.disk_size))
    ORDER BY target.id
    FOR NO KEY UPDATE OF target NOWAIT;
END
$block$;
WITH noted AS MATERIALIZED (SELECT DISTINCT key FROM public.it_host_changed)
UPDATE public.host AS target
SET disk_size = part_1.disk_size
FROM noted
LEFT JOIN public.disk AS part_1 ON part_1.host_id = noted.key
WHERE target.id = noted.key
  AND (ROW(target.disk_size) IS DISTINCT FROM ROW(part_1.disk_size));
DELETE FROM public.it_host_changed;

-- disk becomes a view; the table stays behind it.

ALTER TABLE public.disk RENAME TO disk_merged;

CREATE OR REPLACE FUNCTION public.disk_follow() RETURNS trigger
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
    -- The row as it is now: a trigger that came before may have written it since NEW.
    INSERT INTO public.disk_merged (host_id, disk_size)
    SELECT source.id, source.disk_size
    FROM public.host AS source
    WHERE source.id = NEW.id AND source.disk_size IS NOT NULL
    ON CONFLICT (host_id) DO UPDATE
    SET disk_size = excluded.disk_size;
    IF NOT FOUND THEN
        DELETE FROM public.disk_merged WHERE host_id = NEW.id;
    END IF;
    RETURN NULL;
END
$function$;

-- A transaction above READ COMMITTED may have a snapshot from before the migration's end, and
-- would find the view empty. It does not see the view's own entry in the catalog either, and is
-- told to try again.
CREATE FUNCTION public.disk_guard() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = 'public.disk'::regclass) THEN
        RAISE serialization_failure USING
            MESSAGE = 'public.disk: it has moved its rows since this transaction began',
            HINT = 'Try the transaction again.';
    END IF;
    RETURN true;
END
$function$;
GRANT EXECUTE ON FUNCTION public.disk_guard() TO PUBLIC;

CREATE VIEW public.disk AS
    SELECT id AS host_id, disk_size
    FROM public.host
    WHERE disk_size IS NOT NULL
      AND (SELECT public.disk_guard())
    WITH LOCAL CHECK OPTION;

CREATE FUNCTION public.disk_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    is_taken boolean;
BEGIN
    IF NEW.disk_size IS NULL THEN
        RAISE not_null_violation USING COLUMN = 'disk_size', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, MESSAGE = 'public.disk: disk_size is NULL';
    END IF;
    SELECT disk_size IS NOT NULL INTO is_taken
    FROM public.host WHERE id = NEW.host_id
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            DETAIL = format('Key (%s)', NEW.host_id),
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, MESSAGE = 'public.disk: there is no such row in host';
    ELSIF is_taken THEN
        RAISE unique_violation USING
            DETAIL = format('Key (%s)', NEW.host_id),
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, MESSAGE = 'public.disk: there is such a row already';
    END IF;
    UPDATE public.host
    SET disk_size = NEW.disk_size
    WHERE id = NEW.host_id;
    RETURN NEW;
END
$function$;

CREATE TRIGGER disk_insert
    INSTEAD OF INSERT ON public.disk
    FOR EACH ROW
    EXECUTE FUNCTION public.disk_insert();

CREATE FUNCTION public.disk_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    has_changed boolean;
BEGIN
    SELECT ROW(target.disk_size) IS DISTINCT FROM ROW(OLD.disk_size) INTO has_changed
    FROM public.host AS target
    WHERE id = OLD.host_id AND disk_size IS NOT NULL
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF has_changed THEN
        -- Somebody was faster, and only the server can ask again whether this row is meant.
        RAISE serialization_failure USING
            HINT = 'Try the transaction again.',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, MESSAGE = 'public.disk: the row was changed while it was to be deleted';
    END IF;
    UPDATE public.host
    SET disk_size = NULL
    WHERE id = OLD.host_id;
    RETURN OLD;
END
$function$;

CREATE TRIGGER disk_delete
    INSTEAD OF DELETE ON public.disk
    FOR EACH ROW
    EXECUTE FUNCTION public.disk_delete();

DO $block$
DECLARE
    entry record;
    owner text;
BEGIN
    SELECT quote_ident(pg_get_userbyid(relowner)) INTO owner
    FROM pg_catalog.pg_class WHERE oid = 'public.disk_merged'::regclass;
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s',
                   'public.disk', owner);
    FOR entry IN
        SELECT acl.privilege_type AS word, '' AS columns, acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_class AS source
        CROSS JOIN LATERAL pg_catalog.aclexplode(source.relacl) AS acl
        WHERE source.oid = 'public.disk_merged'::regclass
          AND acl.grantee <> source.relowner
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        UNION ALL
        SELECT acl.privilege_type, format(' (%I)', there.attname), acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_attribute AS here
        JOIN pg_catalog.pg_attribute AS there USING (attname)
        CROSS JOIN LATERAL pg_catalog.aclexplode(here.attacl) AS acl
        WHERE here.attrelid = 'public.disk_merged'::regclass
          AND there.attrelid = 'public.disk'::regclass
          AND here.attnum > 0 AND there.attnum > 0
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s',
                       entry.word, entry.columns, 'public.disk',
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC'
                           ELSE quote_ident(pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;

-- undo of it.migrate
-- Where the migration has not ended, the old tables are still what they were.

DO $block$
BEGIN
IF to_regclass('public.disk_merged') IS NOT NULL THEN
PERFORM pg_catalog.set_config('lock_timeout', '300ms', true);

DO $grants$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT acl.privilege_type AS word, '' AS columns, acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_class AS source
        CROSS JOIN LATERAL pg_catalog.aclexplode(source.relacl) AS acl
        WHERE source.oid = 'public.disk'::regclass
          AND acl.grantee <> source.relowner
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        UNION ALL
        SELECT acl.privilege_type, format(' (%I)', there.attname), acl.is_grantable, acl.grantee
        FROM pg_catalog.pg_attribute AS here
        JOIN pg_catalog.pg_attribute AS there USING (attname)
        CROSS JOIN LATERAL pg_catalog.aclexplode(here.attacl) AS acl
        WHERE here.attrelid = 'public.disk'::regclass
          AND there.attrelid = 'public.disk_merged'::regclass
          AND here.attnum > 0 AND there.attnum > 0
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s',
                       entry.word, entry.columns, 'public.disk_merged',
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC'
                           ELSE quote_ident(pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$grants$;

DROP VIEW public.disk;
DROP FUNCTION public.disk_insert(), public.disk_delete(), public.disk_guard();

ALTER TABLE public.disk_merged RENAME TO disk;

CREATE OR REPLACE FUNCTION public.disk_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;
ELSE
DROP TRIGGER disk_note ON public.disk;
DROP TRIGGER disk_note_truncate ON public.disk;
DELETE FROM public.it_host_changed;
END IF;
END
$block$;

-- it.contract
-- No server knows the old tables any more: all is in host.

-- First, under no lock that anybody would notice, the proof of it.

DO $block$
BEGIN
    IF EXISTS (
        SELECT
        FROM public.disk_merged AS part
        FULL JOIN public.host AS target
            ON part.host_id = target.id
        WHERE part.host_id IS NULL AND target.disk_size IS NOT NULL
           OR part.host_id IS NOT NULL
              AND ((target.disk_size IS NOT NULL) IS NOT TRUE
                   OR ROW(part.disk_size) IS DISTINCT FROM ROW(target.disk_size))
    ) THEN
        RAISE EXCEPTION USING
            MESSAGE = 'it: rows of public.disk_merged differ from public.host',
            HINT = 'Undo the migrate phase of it and run it again.';
    END IF;
END
$block$;

DROP TRIGGER disk_follow_insert ON public.host;
DROP TRIGGER disk_follow_update ON public.host;
DROP FUNCTION public.disk_follow();

DROP VIEW public.disk;
DROP FUNCTION public.disk_insert(), public.disk_delete(), public.disk_guard();

DROP TABLE public.disk_merged;

DROP FUNCTION public.disk_note(), public.disk_note_truncate();
DROP TABLE public.it_host_changed;

