-- it.expand
-- it. The spec asks for parts that are real tables at once: foreign keys can refer to them, and
-- ON CONFLICT finds their keys.

-- host is split, and both forms are real tables until the contract. A write of either is carried
-- over to the other in the same transaction, by triggers that run as their owner: a server needs
-- no right on the other form.

CREATE TABLE public.hardware (
    host bigint,
    cpu integer,
    CONSTRAINT hardware_pkey PRIMARY KEY (host),
    CONSTRAINT hardware_host_fkey FOREIGN KEY (host) REFERENCES public.host (id) ON UPDATE CASCADE ON DELETE CASCADE,
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
          AND attname IN ('cpu')
    LOOP
        EXECUTE format('COMMENT ON COLUMN public.hardware.%I IS %L', entry.attname, entry.description);
    END LOOP;
END
$block$;

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
        DELETE FROM public.hardware AS copy WHERE OLD.id = copy.host;
    END IF;
    -- A write that has come from the part finds it equal, as a rule; to see that is cheaper.
    IF pg_trigger_depth() > 1 AND EXISTS (
        SELECT FROM public.host AS source
        JOIN public.hardware AS copy ON source.id = copy.host
        WHERE source.id = NEW.id AND (source.cpu IS NOT NULL)
          AND NOT (ROW(source.cpu)::record
                   *<> ROW(copy.cpu)::record)
    ) THEN
        RETURN NULL;
    END IF;
    -- The row as it is now: a trigger that came before may have written it since NEW.
    INSERT INTO public.hardware AS copy (host, cpu)
    SELECT source.id, source.cpu
    FROM public.host AS source
    WHERE source.id = NEW.id AND (source.cpu IS NOT NULL)
    ON CONFLICT (host) DO UPDATE
    SET cpu = excluded.cpu
    WHERE ROW(copy.cpu)::record
          *<> ROW(excluded.cpu)::record;
    IF NOT FOUND AND NOT EXISTS (
        SELECT FROM public.host AS source
        WHERE source.id = NEW.id AND (source.cpu IS NOT NULL)
    ) THEN
        IF current_setting('transaction_isolation') <> 'read committed'
           AND TG_OP = 'UPDATE' AND (OLD.cpu IS NOT NULL)
           AND EXISTS (
               SELECT FROM public.host AS source WHERE source.id = NEW.id
           ) THEN
            -- A copy that a batch has made since the snapshot would be missed by the DELETE below.
            -- This meets it, and fails with "could not serialize access": the server tries again.
            PERFORM set_config('interlock.quiet_hardware', 'on', true);
            INSERT INTO public.hardware (host, cpu)
            VALUES (OLD.id, OLD.cpu)
            ON CONFLICT DO NOTHING;
            PERFORM set_config('interlock.quiet_hardware', 'off', true);
        END IF;
        DELETE FROM public.hardware AS copy WHERE NEW.id = copy.host;
    END IF;
    RETURN NULL;
END
$function$;

CREATE TRIGGER hardware_next_insert
    AFTER INSERT ON public.host
    FOR EACH ROW
    WHEN (NEW.cpu IS NOT NULL)
    EXECUTE FUNCTION public.hardware_next_follow();

CREATE TRIGGER hardware_next_update
    AFTER UPDATE ON public.host
    FOR EACH ROW
    WHEN (ROW(OLD.id, OLD.cpu)::record
          *<> ROW(NEW.id, NEW.cpu)::record)
    EXECUTE FUNCTION public.hardware_next_follow();

-- Everybody locks the row of the table before its part. An INSERT can do so too, and waits. An
-- UPDATE or a DELETE has the part's row in hand already when its trigger is asked, so it may not
-- wait: where somebody else holds the row of the table, it fails with 40001, and the server tries
-- its transaction again. Nothing is lost, and nobody deadlocks.

CREATE FUNCTION public.hardware_lock() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM public.host AS source WHERE source.id = NEW.host FOR NO KEY UPDATE;
        RETURN NEW;
    END IF;
    PERFORM FROM public.host AS source WHERE source.id = OLD.host FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND AND EXISTS (SELECT FROM public.host AS source WHERE source.id = OLD.host) THEN
        RAISE serialization_failure USING MESSAGE = 'hardware: another transaction holds the row of host', HINT = 'Try the transaction again.';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF ROW(OLD.host)::record *<> ROW(NEW.host)::record THEN
        PERFORM FROM public.host AS source WHERE source.id = NEW.host FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND AND EXISTS (SELECT FROM public.host AS source WHERE source.id = NEW.host) THEN
            RAISE serialization_failure USING MESSAGE = 'hardware: another transaction holds the row of host', HINT = 'Try the transaction again.';
        END IF;
    END IF;
    RETURN NEW;
END
$function$;

CREATE TRIGGER hardware_lock_insert
    BEFORE INSERT ON public.hardware
    FOR EACH ROW
    EXECUTE FUNCTION public.hardware_lock();

CREATE TRIGGER hardware_lock_change
    BEFORE UPDATE OR DELETE ON public.hardware
    FOR EACH ROW
    EXECUTE FUNCTION public.hardware_lock();

-- What is the same already is not written: that ends the round between the two forms.

CREATE FUNCTION public.hardware_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF current_setting('interlock.quiet_hardware', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND ROW(OLD.host)::record *<> ROW(NEW.host)::record THEN
        UPDATE public.host AS source
        SET cpu = NULL
        WHERE source.id = OLD.host AND (source.cpu IS NOT NULL)
          AND NOT EXISTS (SELECT FROM public.hardware AS copy WHERE source.id = copy.host);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE public.host AS source
        SET cpu = copy.cpu
        FROM public.hardware AS copy
        WHERE source.id = NEW.host AND source.id = copy.host
          AND ROW(source.cpu)::record
              *<> ROW(copy.cpu)::record;
        -- A row with nothing in these columns has no part, whichever form says so.
        IF (NEW.cpu IS NOT NULL) IS NOT TRUE THEN
            DELETE FROM public.hardware AS copy
            WHERE (copy.host) = (NEW.host)
              AND (copy.cpu IS NOT NULL) IS NOT TRUE;
        END IF;
    END IF;
    RETURN NULL;
END
$function$;

CREATE TRIGGER hardware_write
    AFTER INSERT OR UPDATE OR DELETE ON public.hardware
    FOR EACH ROW
    EXECUTE FUNCTION public.hardware_write();

-- TRUNCATE fires no trigger of a row.

CREATE FUNCTION public.hardware_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed'
       AND pg_relation_size('public.host') > 0 THEN
        RAISE feature_not_supported USING
            MESSAGE = 'public.hardware cannot be truncated above READ COMMITTED yet',
            HINT = 'Such a transaction does not see all rows.';
    END IF;
    -- TRUNCATE holds the part already, so it may not wait for the table either.
    BEGIN
        LOCK TABLE public.host IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        RAISE serialization_failure USING
            MESSAGE = 'hardware: another transaction writes host',
            HINT = 'Try the transaction again.';
    END;
    UPDATE public.host
    SET cpu = NULL
    WHERE cpu IS NOT NULL;
    RETURN NULL;
END
$function$;

CREATE TRIGGER hardware_truncate
    AFTER TRUNCATE ON public.hardware
    FOR EACH STATEMENT EXECUTE FUNCTION public.hardware_truncate();

-- Whoever may work on host may work on its part.

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
-- The old table has all that was written to its parts.

DROP TRIGGER hardware_next_insert ON public.host;
DROP TRIGGER hardware_next_update ON public.host;
DROP FUNCTION public.hardware_next_follow();

DROP TRIGGER hardware_lock_insert ON public.hardware;
DROP TRIGGER hardware_lock_change ON public.hardware;
DROP TRIGGER hardware_write ON public.hardware;
DROP TRIGGER hardware_truncate ON public.hardware;
DROP FUNCTION public.hardware_lock(), public.hardware_write(), public.hardware_truncate();

DROP TABLE public.hardware;

-- it.migrate
-- Each batch, from the key $1 to the key $2.

-- Copies one batch. The rows are locked first, so that no writer stands between what is read and
-- what is written: a write that came before is read here, one that comes later is followed by the
-- trigger, a deleted row is not found. A row that the trigger brought already is the newer one.
WITH batch AS MATERIALIZED (
    SELECT id, cpu
    FROM public.host
    WHERE id BETWEEN $1 AND $2
    ORDER BY id
    FOR NO KEY UPDATE
)
INSERT INTO public.hardware (host, cpu)
SELECT id, cpu FROM batch
WHERE cpu IS NOT NULL
ON CONFLICT (host) DO NOTHING;

-- it.contract
-- First, under no lock that anybody would notice, the proof that both are equal.

DO $block$
BEGIN
    IF EXISTS (
        SELECT
        FROM public.host AS source
        FULL JOIN public.hardware AS copy
            ON source.id = copy.host
        WHERE copy.host IS NULL AND (source.cpu IS NOT NULL)
           OR copy.host IS NOT NULL
              AND ((source.cpu IS NOT NULL) IS NOT TRUE
                   OR ROW(source.cpu)::record
                      *<> ROW(copy.cpu)::record)
    ) THEN
        RAISE EXCEPTION USING
            MESSAGE = 'it: rows of public.host differ from their copies',
            HINT = 'Undo the migrate phase of it and run it again.';
    END IF;
END
$block$;

-- Servers lock the table before its parts, so this does too.

LOCK TABLE public.host, public.hardware IN ACCESS EXCLUSIVE MODE;

DROP TRIGGER hardware_next_insert ON public.host;
DROP TRIGGER hardware_next_update ON public.host;
DROP FUNCTION public.hardware_next_follow();

DROP TRIGGER hardware_lock_insert ON public.hardware;
DROP TRIGGER hardware_lock_change ON public.hardware;
DROP TRIGGER hardware_write ON public.hardware;
DROP TRIGGER hardware_truncate ON public.hardware;
DROP FUNCTION public.hardware_lock(), public.hardware_write(), public.hardware_truncate();

ALTER TABLE public.host
    DROP COLUMN cpu;

