-- it.expand
-- it. Both forms stand in the same row, so one trigger keeps them equal before it is stored, and
-- there is no second row to lock.

-- memory of public.host becomes mb. Both stand in the same row, and a trigger keeps them equal
-- before the row is stored: there is no second row to lock.

ALTER TABLE public.host
    ADD COLUMN mb bigint;

-- Rights on the whole table cover a new column; rights on single columns are given anew.
DO $block$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT DISTINCT acl.privilege_type AS word, pairs.target, acl.is_grantable, acl.grantee
        FROM (VALUES ('memory', 'mb')) AS pairs (source, target)
        JOIN pg_catalog.pg_attribute AS attribute ON attribute.attname = pairs.source
        CROSS JOIN LATERAL pg_catalog.aclexplode(attribute.attacl) AS acl
        WHERE attribute.attrelid = 'public.host'::pg_catalog.regclass
    LOOP
        EXECUTE pg_catalog.format('GRANT %s (%I) ON %s TO %s%s',
                       entry.word, entry.target, 'public.host'::pg_catalog.regclass,
                       CASE entry.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(
                           pg_catalog.pg_get_userbyid(entry.grantee)) END,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$block$;

CREATE FUNCTION public.interlock_it() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    new_form boolean;
    other record;
BEGIN
    -- *<> compares what is stored: NULL is a value, and so is 1.00 beside 1.0.
    IF TG_OP = 'INSERT' THEN
        new_form := NEW.mb IS NOT NULL;
    ELSE
        new_form := ROW(NEW.mb)::record *<> ROW(OLD.mb)::record;
    END IF;

    IF new_form THEN
        -- Not where the old form says the same already, perhaps in other words.
        other := NEW;
        other.mb := NEW.memory * 2;
        IF ROW(other.mb)::record *<> ROW(NEW.mb)::record THEN
            NEW.memory := NEW.mb / 2;
        END IF;
    ELSIF TG_OP = 'INSERT' OR ROW(NEW.memory)::record *<> ROW(OLD.memory)::record THEN
        NEW.mb := NEW.memory * 2;
    ELSIF NEW.mb IS NULL THEN
        -- A row from before the expand, which nobody wrote since. NULL may also be what
        -- a server wrote, which then stands in the old form too.
        other := NEW;
        other.memory := NEW.mb / 2;
        IF ROW(other.memory)::record *<> ROW(NEW.memory)::record THEN
            NEW.mb := NEW.memory * 2;
        END IF;
    END IF;
    RETURN NEW;
END
$function$;

-- BEFORE triggers fire in the order of their names: by its name this one comes after the table's
-- own, and sees the row as it will be stored. It fires on every update, not only of its columns:
-- a row that was not filled yet is filled whatever is written.
CREATE TRIGGER zz_interlock_it
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW
    EXECUTE FUNCTION public.interlock_it();

-- undo of it.expand
-- The old form was kept equal all the time, so it is complete by itself.

DROP TRIGGER zz_interlock_it ON public.host;
DROP FUNCTION public.interlock_it();

ALTER TABLE public.host
    DROP COLUMN mb;

-- it.migrate
-- Each batch, from the key $1 to the key $2.

-- Touches the rows that nobody wrote since the expand; the trigger fills them as it would for an
-- old server. UPDATE waits for a concurrent writer of a row and looks at it anew, so no write is
-- lost, and a deleted row stays deleted.
UPDATE public.host
SET mb = mb
WHERE id BETWEEN $1 AND $2
  AND (mb IS NULL AND ((memory * 2) IS NOT NULL));

-- it.contract
-- The old form, memory, ends.

-- First, under no lock that anybody would notice, the proof that no row was left out: one without
-- the new form, whose old form does not say the same.
DO $block$
#variable_conflict use_column
DECLARE
    entry record;
    other record;
BEGIN
    FOR entry IN
        SELECT * FROM public.host
        WHERE mb IS NULL AND ((memory * 2) IS NOT NULL)
    LOOP
        other := entry;
        other.memory := entry.mb / 2;
        IF ROW(other.memory)::record *<> ROW(entry.memory)::record THEN
            RAISE EXCEPTION USING
                MESSAGE = 'it: rows of public.host have the old form only',
                HINT = 'Undo the migrate phase of it and run it again.';
        END IF;
    END LOOP;
END
$block$;

DROP TRIGGER zz_interlock_it ON public.host;
DROP FUNCTION public.interlock_it();

ALTER TABLE public.host
    DROP COLUMN memory;

