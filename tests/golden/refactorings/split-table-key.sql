-- it.expand
-- it. Many rows of public.host share one of public.system, which no view that can be written
-- shows, so both forms are stored and triggers keep them equal; a transaction that changes os may
-- have to be tried again (40001), and must be READ COMMITTED.

-- The new form, and the triggers that will keep the two equal. Their functions do nothing before
-- the migration begins.

CREATE TABLE public.system (
    name text NOT NULL,
    os text,
    CONSTRAINT system_pkey PRIMARY KEY (name)
);

-- Whoever may work on host may work on its parts.
DO $block$
DECLARE
    entry record;
    owner text;
BEGIN
    SELECT quote_ident(pg_get_userbyid(relowner)) INTO owner
    FROM pg_catalog.pg_class WHERE oid = 'public.host'::regclass;
    BEGIN
        EXECUTE format('ALTER TABLE %s OWNER TO %s', 'public.system', owner);
    EXCEPTION WHEN insufficient_privilege THEN
        -- That role may not create anything in the schema, or this one not give it away.
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s',
                       'public.system', owner);
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
          AND there.attrelid = 'public.system'::regclass
          AND here.attnum > 0 AND there.attnum > 0
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE')
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s',
                       entry.word, entry.columns, 'public.system',
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC'
                           ELSE quote_ident(pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;

-- One value for a whole group. It waits for nobody (a lock_timeout of a millisecond is as good as
-- NOWAIT where PostgreSQL has none), and says 40001 where it would have to: the transaction may
-- be tried again, and no deadlock can come of it.
CREATE FUNCTION public.it_system_settle(text, text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '1ms'
AS $function$
#variable_conflict use_column
DECLARE
    changed boolean;
    there boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE feature_not_supported USING
            MESSAGE = 'os cannot be changed above READ COMMITTED yet',
            HINT = 'it has not ended, and such a transaction does not see all rows.';
    END IF;
    IF NOT pg_try_advisory_xact_lock(210707782, hashtext(concat_ws('/', ($1)::text COLLATE "C")) & 1023) THEN
        RAISE lock_not_available;
    END IF;
    SELECT ROW(os) IS DISTINCT FROM ROW($2) INTO changed
    FROM public.system WHERE name = $1
    FOR NO KEY UPDATE NOWAIT;
    there := FOUND;
    PERFORM FROM public.host
    WHERE name = $1 AND ROW(os) IS DISTINCT FROM ROW($2)
    ORDER BY id
    FOR NO KEY UPDATE NOWAIT;
    PERFORM set_config('interlock.following_it_system', 'on', true);
    IF NOT there THEN
        INSERT INTO public.system (name, os) VALUES ($1, $2)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RAISE lock_not_available;
        END IF;
    ELSIF changed THEN
        UPDATE public.system SET os = $2 WHERE name = $1;
    END IF;
    UPDATE public.host SET os = $2 WHERE name = $1 AND ROW(os) IS DISTINCT FROM ROW($2);
    PERFORM set_config('interlock.following_it_system', 'off', true);
    EXCEPTION WHEN lock_not_available THEN
        RAISE serialization_failure USING
            MESSAGE = 'it: others write rows of the same system', HINT = 'Try the transaction again.';
END
$function$;

-- What the migration does with the groups of some rows.
CREATE FUNCTION public.it_system_gather(bigint, bigint, boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    group_of record;
    held record;
    common record;
BEGIN
    FOR group_of IN
        SELECT DISTINCT name AS key_1 FROM public.host
        WHERE id BETWEEN $1 AND $2
        ORDER BY key_1
    LOOP
        IF $3 THEN
            SELECT os INTO held FROM public.system
            WHERE name = group_of.key_1 FOR NO KEY UPDATE NOWAIT;
        ELSE
            SELECT os INTO held FROM public.system
            WHERE name = group_of.key_1 FOR NO KEY UPDATE SKIP LOCKED;
        END IF;
        IF NOT FOUND THEN
            INSERT INTO public.system (name, os)
            SELECT name, os FROM public.host
            WHERE name = group_of.key_1 ORDER BY id LIMIT 1
            ON CONFLICT DO NOTHING
            RETURNING os INTO held;
            IF NOT FOUND AND $3 THEN
                RAISE lock_not_available;
            END IF;
            CONTINUE WHEN NOT FOUND;
        END IF;
        SELECT os INTO common FROM public.host
        WHERE name = group_of.key_1 ORDER BY id LIMIT 1;
        CONTINUE WHEN NOT FOUND;
        IF EXISTS (SELECT FROM public.host
                   WHERE name = group_of.key_1 AND ROW(os) IS DISTINCT FROM ROW(common.os)) THEN
            RAISE data_exception USING
                MESSAGE = format('it: rows of host differ in os, though name is %s in all of them', concat_ws(', ', group_of.key_1)),
                HINT = 'Give them the same values, then run the migration again.';
        END IF;
        IF ROW(held.os) IS DISTINCT FROM ROW(common.os) THEN
            PERFORM set_config('interlock.following_it_system', 'on', true);
            UPDATE public.system SET os = common.os WHERE name = group_of.key_1;
            PERFORM set_config('interlock.following_it_system', 'off', true);
        END IF;
    END LOOP;
END
$function$;

CREATE FUNCTION public.it_system_fill() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NEW;
END
$function$;

CREATE FUNCTION public.it_system_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;

CREATE FUNCTION public.it_system_hear() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;

CREATE TRIGGER it_system_fill_insert
    BEFORE INSERT ON public.host
    FOR EACH ROW
    EXECUTE FUNCTION public.it_system_fill();

CREATE TRIGGER it_system_fill_update
    BEFORE UPDATE ON public.host
    FOR EACH ROW
    WHEN (ROW(OLD.name) IS DISTINCT FROM ROW(NEW.name))
    EXECUTE FUNCTION public.it_system_fill();

CREATE CONSTRAINT TRIGGER it_system_tell_insert
    AFTER INSERT ON public.host
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (current_setting('interlock.following_it_system', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION public.it_system_tell();

CREATE CONSTRAINT TRIGGER it_system_tell_update
    AFTER UPDATE ON public.host
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (current_setting('interlock.following_it_system', true) IS DISTINCT FROM 'on'
          AND (ROW(OLD.os) IS DISTINCT FROM ROW(NEW.os) OR ROW(OLD.name) IS DISTINCT FROM ROW(NEW.name)))
    EXECUTE FUNCTION public.it_system_tell();

CREATE CONSTRAINT TRIGGER it_system_hear
    AFTER UPDATE ON public.system
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (current_setting('interlock.following_it_system', true) IS DISTINCT FROM 'on'
          AND (ROW(OLD.os) IS DISTINCT FROM ROW(NEW.os) OR ROW(OLD.name) IS DISTINCT FROM ROW(NEW.name)))
    EXECUTE FUNCTION public.it_system_hear();

CREATE FUNCTION public.it_system_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF NOT pg_try_advisory_xact_lock(210707782, hashtext(concat_ws('/', (OLD.name)::text COLLATE "C")) & 1023) THEN
        RAISE serialization_failure USING
            MESSAGE = 'it: others write rows of the same system',
            HINT = 'Try the transaction again.';
    ELSIF EXISTS (SELECT FROM public.host WHERE name = OLD.name) THEN
        RAISE foreign_key_violation USING MESSAGE = 'system: rows of host refer to this one';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$function$;

CREATE TRIGGER it_system_guard
    BEFORE DELETE OR UPDATE OF name ON public.system
    FOR EACH ROW
    EXECUTE FUNCTION public.it_system_guard();

CREATE FUNCTION public.it_system_guard_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF EXISTS (SELECT FROM public.host) THEN
        RAISE foreign_key_violation USING MESSAGE = 'system: rows of host refer to this one';
    END IF;
    RETURN NULL;
END
$function$;

CREATE TRIGGER it_system_guard_truncate
    BEFORE TRUNCATE ON public.system
    FOR EACH STATEMENT
    EXECUTE FUNCTION public.it_system_guard_truncate();

-- undo of it.expand
-- Servers of the old form have all that was ever written.

DROP TRIGGER it_system_hear ON public.system;
DROP TRIGGER it_system_fill_insert ON public.host;
DROP TRIGGER it_system_fill_update ON public.host;
DROP TRIGGER it_system_tell_insert ON public.host;
DROP TRIGGER it_system_tell_update ON public.host;
DROP TRIGGER it_system_guard ON public.system;
DROP TRIGGER it_system_guard_truncate ON public.system;
DROP FUNCTION public.it_system_guard(), public.it_system_guard_truncate();
DROP FUNCTION public.it_system_fill(), public.it_system_tell(), public.it_system_hear(), public.it_system_settle(text, text), public.it_system_gather(bigint, bigint, boolean);

DROP TABLE public.system;

-- it.migrate
-- Once, before the first batch.

-- Rows of one group must agree before the first write makes them. From the end of this
-- transaction on the last writer of a group speaks for all of it.

DO $block$
#variable_conflict use_column
DECLARE
    strays text;
BEGIN
    SELECT concat_ws(', ', name) INTO strays
    FROM (SELECT DISTINCT name, os FROM public.host) AS kinds
    GROUP BY name HAVING count(*) > 1 ORDER BY name LIMIT 1;
    IF FOUND THEN
        RAISE data_exception USING
            MESSAGE = format('it: rows of host differ in os, though name is %s in all of them', strays),
            HINT = 'Give them the same values, then run the migration again.';
    END IF;
END
$block$;

-- A transaction that is under way may have run the functions that do nothing, so this waits for
-- its end; whoever writes next runs the functions below.
LOCK TABLE public.system, public.host IN SHARE ROW EXCLUSIVE MODE;

CREATE OR REPLACE FUNCTION public.it_system_fill() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    group_values record;
    is_there boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared(210707782, hashtext(concat_ws('/', (NEW.name)::text COLLATE "C")) & 1023) THEN
        RAISE serialization_failure USING
            MESSAGE = 'it: others write rows of the same system', HINT = 'Try the transaction again.';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        BEGIN
            PERFORM FROM public.system WHERE name = NEW.name FOR SHARE NOWAIT;
        EXCEPTION WHEN lock_not_available THEN
            RAISE serialization_failure USING
                MESSAGE = 'it: others write rows of the same system', HINT = 'Try the transaction again.';
        END;
    END IF;
    SELECT os INTO group_values
    FROM public.system WHERE name = NEW.name;
    is_there := FOUND;
    IF TG_OP = 'INSERT' AND NOT (NEW.os IS NULL) OR TG_OP = 'UPDATE' AND ROW(OLD.os) IS DISTINCT FROM ROW(NEW.os) THEN
        RETURN NEW;
    ELSIF NOT is_there OR group_values.os IS NULL THEN
        -- Before the migration has come to the group, its children alone have the values.
        SELECT os INTO group_values FROM public.host
        WHERE name = NEW.name LIMIT 1;
        IF NOT FOUND THEN
            RETURN NEW;
        END IF;
    END IF;
    NEW.os := group_values.os;
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION public.it_system_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    group_values record;
    is_there boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared(210707782, hashtext(concat_ws('/', (NEW.name)::text COLLATE "C")) & 1023) THEN
        RAISE serialization_failure USING
            MESSAGE = 'it: others write rows of the same system', HINT = 'Try the transaction again.';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        BEGIN
            PERFORM FROM public.system WHERE name = NEW.name FOR SHARE NOWAIT;
        EXCEPTION WHEN lock_not_available THEN
            RAISE serialization_failure USING
                MESSAGE = 'it: others write rows of the same system', HINT = 'Try the transaction again.';
        END;
    END IF;
    SELECT os INTO group_values
    FROM public.system WHERE name = NEW.name;
    is_there := FOUND;
    IF is_there AND ROW(group_values.os) IS NOT DISTINCT FROM ROW(NEW.os)
       AND (TG_OP = 'INSERT' OR NOT (NEW.os IS NULL)) THEN
        RETURN NULL;
    ELSIF is_there AND TG_OP = 'INSERT' AND NEW.os IS NULL THEN
        PERFORM public.it_system_settle(NEW.name, group_values.os);
    ELSIF is_there OR EXISTS (SELECT FROM public.host WHERE name = NEW.name) THEN
        PERFORM public.it_system_settle(NEW.name, NEW.os);
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.it_system_hear() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF EXISTS (SELECT FROM public.system WHERE name = NEW.name) THEN
        PERFORM public.it_system_settle(NEW.name, NEW.os);
    END IF;
    RETURN NULL;
END
$function$;

-- Each batch, from the key $1 to the key $2.

SELECT public.it_system_gather($1, $2, false);

-- Once, after the last batch.

-- Groups that somebody held when their batch came, and the proof for all others.
DO $block$
BEGIN
    PERFORM public.it_system_gather(first, first, true)
    FROM (
        SELECT DISTINCT ON (child.name) child.id AS first
        FROM public.host AS child
        LEFT JOIN public.system AS parent
            ON parent.name = child.name
        WHERE parent.name IS NULL
           OR ROW(child.os) IS DISTINCT FROM ROW(parent.os)
        ORDER BY child.name, child.id
    ) AS strays;
END
$block$;

-- undo of it.migrate
-- From here on the old form is the only one, as before the migration.

CREATE OR REPLACE FUNCTION public.it_system_fill() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION public.it_system_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.it_system_hear() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;

-- it.contract
-- First, under no lock that anybody would notice, the proof that both are equal.

DO $block$
BEGIN
    IF EXISTS (
        SELECT
        FROM public.host AS child
        LEFT JOIN public.system AS parent
            ON parent.name = child.name
        WHERE parent.name IS NULL
           OR ROW(child.os) IS DISTINCT FROM ROW(parent.os)
    ) THEN
        RAISE EXCEPTION USING
            MESSAGE = 'it: rows of public.host differ from public.system',
            HINT = 'Undo the migrate phase of it and run it again.';
    END IF;
END
$block$;

DROP TRIGGER it_system_hear ON public.system;
DROP TRIGGER it_system_fill_insert ON public.host;
DROP TRIGGER it_system_fill_update ON public.host;
DROP TRIGGER it_system_tell_insert ON public.host;
DROP TRIGGER it_system_tell_update ON public.host;
DROP TRIGGER it_system_guard ON public.system;
DROP TRIGGER it_system_guard_truncate ON public.system;
DROP FUNCTION public.it_system_guard(), public.it_system_guard_truncate();
DROP FUNCTION public.it_system_fill(), public.it_system_tell(), public.it_system_hear(), public.it_system_settle(text, text), public.it_system_gather(bigint, bigint, boolean);

ALTER TABLE public.host
    DROP COLUMN os;

-- So far triggers have seen to this: no row need be looked at.
ALTER TABLE public.host
    ADD CONSTRAINT host_system_fkey
        FOREIGN KEY (name) REFERENCES public.system (name) NOT VALID;

