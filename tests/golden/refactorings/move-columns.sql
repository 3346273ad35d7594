-- it.expand
-- it. Many rows of public.job share one of public.host, which no view that can be written shows,
-- so both forms are stored and triggers keep them equal; a transaction that changes host_note may
-- have to be tried again (40001), and must be READ COMMITTED.

-- The new form, and the triggers that will keep the two equal. Their functions do nothing before
-- the migration begins.

ALTER TABLE public.host
    ADD COLUMN host_note text;

-- One value for a whole group. It waits for nobody (a lock_timeout of a millisecond is as good as
-- NOWAIT where PostgreSQL has none), and says 40001 where it would have to: the transaction may
-- be tried again, and no deadlock can come of it.
CREATE FUNCTION public.it_host_settle(bigint, text) RETURNS void
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
            MESSAGE = 'host_note cannot be changed above READ COMMITTED yet',
            HINT = 'it has not ended, and such a transaction does not see all rows.';
    END IF;
    IF NOT pg_try_advisory_xact_lock(785024035, hashtext(concat_ws('/', ($1)::text COLLATE "C")) & 1023) THEN
        RAISE lock_not_available;
    END IF;
    SELECT ROW(host_note) IS DISTINCT FROM ROW($2) INTO changed
    FROM public.host WHERE id = $1
    FOR NO KEY UPDATE NOWAIT;
    there := FOUND;
    PERFORM FROM public.job
    WHERE host_id = $1 AND ROW(host_note) IS DISTINCT FROM ROW($2)
    ORDER BY id
    FOR NO KEY UPDATE NOWAIT;
    IF NOT there THEN
        RETURN;
    END IF;
    PERFORM set_config('interlock.following_it_host', 'on', true);
    IF changed THEN
        UPDATE public.host SET host_note = $2 WHERE id = $1;
    END IF;
    UPDATE public.job SET host_note = $2 WHERE host_id = $1 AND ROW(host_note) IS DISTINCT FROM ROW($2);
    PERFORM set_config('interlock.following_it_host', 'off', true);
    EXCEPTION WHEN lock_not_available THEN
        RAISE serialization_failure USING
            MESSAGE = 'it: others write rows of the same host', HINT = 'Try the transaction again.';
END
$function$;

-- What the migration does with the groups of some rows.
CREATE FUNCTION public.it_host_gather(bigint, bigint, boolean) RETURNS void
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
        SELECT DISTINCT host_id AS key_1 FROM public.job
        WHERE id BETWEEN $1 AND $2
        ORDER BY key_1
    LOOP
        IF $3 THEN
            SELECT host_note INTO held FROM public.host
            WHERE id = group_of.key_1 FOR NO KEY UPDATE NOWAIT;
        ELSE
            SELECT host_note INTO held FROM public.host
            WHERE id = group_of.key_1 FOR NO KEY UPDATE SKIP LOCKED;
        END IF;
        CONTINUE WHEN NOT FOUND;
        SELECT host_note INTO common FROM public.job
        WHERE host_id = group_of.key_1 ORDER BY id LIMIT 1;
        CONTINUE WHEN NOT FOUND;
        IF EXISTS (SELECT FROM public.job
                   WHERE host_id = group_of.key_1 AND ROW(host_note) IS DISTINCT FROM ROW(common.host_note)) THEN
            RAISE data_exception USING
                MESSAGE = format('it: rows of job differ in host_note, though host_id is %s in all of them', concat_ws(', ', group_of.key_1)),
                HINT = 'Give them the same values, then run the migration again.';
        END IF;
        IF ROW(held.host_note) IS DISTINCT FROM ROW(common.host_note) THEN
            PERFORM set_config('interlock.following_it_host', 'on', true);
            UPDATE public.host SET host_note = common.host_note WHERE id = group_of.key_1;
            PERFORM set_config('interlock.following_it_host', 'off', true);
        END IF;
    END LOOP;
END
$function$;

CREATE FUNCTION public.it_host_fill() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NEW;
END
$function$;

CREATE FUNCTION public.it_host_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;

CREATE FUNCTION public.it_host_hear() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;

CREATE TRIGGER it_host_fill_insert
    BEFORE INSERT ON public.job
    FOR EACH ROW
    EXECUTE FUNCTION public.it_host_fill();

CREATE TRIGGER it_host_fill_update
    BEFORE UPDATE ON public.job
    FOR EACH ROW
    WHEN (ROW(OLD.host_id) IS DISTINCT FROM ROW(NEW.host_id))
    EXECUTE FUNCTION public.it_host_fill();

CREATE CONSTRAINT TRIGGER it_host_tell_insert
    AFTER INSERT ON public.job
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (current_setting('interlock.following_it_host', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION public.it_host_tell();

CREATE CONSTRAINT TRIGGER it_host_tell_update
    AFTER UPDATE ON public.job
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (current_setting('interlock.following_it_host', true) IS DISTINCT FROM 'on'
          AND (ROW(OLD.host_note) IS DISTINCT FROM ROW(NEW.host_note) OR ROW(OLD.host_id) IS DISTINCT FROM ROW(NEW.host_id)))
    EXECUTE FUNCTION public.it_host_tell();

CREATE CONSTRAINT TRIGGER it_host_hear
    AFTER UPDATE ON public.host
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (current_setting('interlock.following_it_host', true) IS DISTINCT FROM 'on'
          AND (ROW(OLD.host_note) IS DISTINCT FROM ROW(NEW.host_note) OR ROW(OLD.id) IS DISTINCT FROM ROW(NEW.id)))
    EXECUTE FUNCTION public.it_host_hear();

-- undo of it.expand
-- Servers of the old form have all that was ever written.

DROP TRIGGER it_host_hear ON public.host;
DROP TRIGGER it_host_fill_insert ON public.job;
DROP TRIGGER it_host_fill_update ON public.job;
DROP TRIGGER it_host_tell_insert ON public.job;
DROP TRIGGER it_host_tell_update ON public.job;
DROP FUNCTION public.it_host_fill(), public.it_host_tell(), public.it_host_hear(), public.it_host_settle(bigint, text), public.it_host_gather(bigint, bigint, boolean);

ALTER TABLE public.host
    DROP COLUMN host_note;

-- it.migrate
-- Once, before the first batch.

-- Rows of one group must agree before the first write makes them. From the end of this
-- transaction on the last writer of a group speaks for all of it.

DO $block$
#variable_conflict use_column
DECLARE
    strays text;
BEGIN
    SELECT concat_ws(', ', host_id) INTO strays
    FROM (SELECT DISTINCT host_id, host_note FROM public.job) AS kinds
    GROUP BY host_id HAVING count(*) > 1 ORDER BY host_id LIMIT 1;
    IF FOUND THEN
        RAISE data_exception USING
            MESSAGE = format('it: rows of job differ in host_note, though host_id is %s in all of them', strays),
            HINT = 'Give them the same values, then run the migration again.';
    END IF;
END
$block$;

-- A transaction that is under way may have run the functions that do nothing, so this waits for
-- its end; whoever writes next runs the functions below.
LOCK TABLE public.host, public.job IN SHARE ROW EXCLUSIVE MODE;

CREATE OR REPLACE FUNCTION public.it_host_fill() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    group_values record;
    is_there boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared(785024035, hashtext(concat_ws('/', (NEW.host_id)::text COLLATE "C")) & 1023) THEN
        RAISE serialization_failure USING
            MESSAGE = 'it: others write rows of the same host', HINT = 'Try the transaction again.';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        BEGIN
            PERFORM FROM public.host WHERE id = NEW.host_id FOR SHARE NOWAIT;
        EXCEPTION WHEN lock_not_available THEN
            RAISE serialization_failure USING
                MESSAGE = 'it: others write rows of the same host', HINT = 'Try the transaction again.';
        END;
    END IF;
    SELECT host_note INTO group_values
    FROM public.host WHERE id = NEW.host_id;
    is_there := FOUND;
    IF TG_OP = 'INSERT' AND NOT (NEW.host_note IS NULL) OR TG_OP = 'UPDATE' AND ROW(OLD.host_note) IS DISTINCT FROM ROW(NEW.host_note) THEN
        RETURN NEW;
    ELSIF NOT is_there OR group_values.host_note IS NULL THEN
        -- Before the migration has come to the group, its children alone have the values.
        SELECT host_note INTO group_values FROM public.job
        WHERE host_id = NEW.host_id LIMIT 1;
        IF NOT FOUND THEN
            RETURN NEW;
        END IF;
    END IF;
    NEW.host_note := group_values.host_note;
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION public.it_host_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    group_values record;
    is_there boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared(785024035, hashtext(concat_ws('/', (NEW.host_id)::text COLLATE "C")) & 1023) THEN
        RAISE serialization_failure USING
            MESSAGE = 'it: others write rows of the same host', HINT = 'Try the transaction again.';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        BEGIN
            PERFORM FROM public.host WHERE id = NEW.host_id FOR SHARE NOWAIT;
        EXCEPTION WHEN lock_not_available THEN
            RAISE serialization_failure USING
                MESSAGE = 'it: others write rows of the same host', HINT = 'Try the transaction again.';
        END;
    END IF;
    SELECT host_note INTO group_values
    FROM public.host WHERE id = NEW.host_id;
    is_there := FOUND;
    IF is_there AND ROW(group_values.host_note) IS NOT DISTINCT FROM ROW(NEW.host_note)
       AND (TG_OP = 'INSERT' OR NOT (NEW.host_note IS NULL)) THEN
        RETURN NULL;
    ELSIF is_there AND TG_OP = 'INSERT' AND NEW.host_note IS NULL THEN
        PERFORM public.it_host_settle(NEW.host_id, group_values.host_note);
    ELSIF is_there OR EXISTS (SELECT FROM public.job WHERE host_id = NEW.host_id) THEN
        PERFORM public.it_host_settle(NEW.host_id, NEW.host_note);
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.it_host_hear() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF EXISTS (SELECT FROM public.host WHERE id = NEW.id) THEN
        PERFORM public.it_host_settle(NEW.id, NEW.host_note);
    END IF;
    RETURN NULL;
END
$function$;

-- Each batch, from the key $1 to the key $2.

SELECT public.it_host_gather($1, $2, false);

-- Once, after the last batch.

-- Groups that somebody held when their batch came, and the proof for all others.
DO $block$
BEGIN
    PERFORM public.it_host_gather(first, first, true)
    FROM (
        SELECT DISTINCT ON (child.host_id) child.id AS first
        FROM public.job AS child
        LEFT JOIN public.host AS parent
            ON parent.id = child.host_id
        WHERE parent.id IS NULL
           OR ROW(child.host_note) IS DISTINCT FROM ROW(parent.host_note)
        ORDER BY child.host_id, child.id
    ) AS strays;
END
$block$;

-- undo of it.migrate
-- From here on the old form is the only one, as before the migration.

CREATE OR REPLACE FUNCTION public.it_host_fill() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION public.it_host_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.it_host_hear() RETURNS trigger
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
        FROM public.job AS child
        LEFT JOIN public.host AS parent
            ON parent.id = child.host_id
        WHERE parent.id IS NULL
           OR ROW(child.host_note) IS DISTINCT FROM ROW(parent.host_note)
    ) THEN
        RAISE EXCEPTION USING
            MESSAGE = 'it: rows of public.job differ from public.host',
            HINT = 'Undo the migrate phase of it and run it again.';
    END IF;
END
$block$;

DROP TRIGGER it_host_hear ON public.host;
DROP TRIGGER it_host_fill_insert ON public.job;
DROP TRIGGER it_host_fill_update ON public.job;
DROP TRIGGER it_host_tell_insert ON public.job;
DROP TRIGGER it_host_tell_update ON public.job;
DROP FUNCTION public.it_host_fill(), public.it_host_tell(), public.it_host_hear(), public.it_host_settle(bigint, text), public.it_host_gather(bigint, bigint, boolean);

ALTER TABLE public.job
    DROP COLUMN host_note;

