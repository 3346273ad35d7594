-- it.expand
-- it. Old rows are filled in batches, and those of old servers before they are stored.

ALTER TABLE public.host
    ADD COLUMN short text;

CREATE FUNCTION public.interlock_it() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    other record;
BEGIN
    IF TG_OP = 'INSERT'
        -- The walk that fills old rows may have passed the new key.
        OR OLD.short IS NULL AND ROW(NEW.id)::record *<> ROW(OLD.id)::record THEN
        IF NEW.short IS NULL THEN
            NEW.short := lower(NEW.name);
        END IF;
    ELSIF ROW(NEW.short)::record *= ROW(OLD.short)::record
        AND ROW(NEW.name)::record *<> ROW(OLD.name)::record THEN
        -- It goes on following the others, unless a server wrote it apart from them.
        other := OLD;
        other.short := lower(OLD.name);
        IF ROW(other.short)::record *= ROW(OLD.short)::record THEN
            NEW.short := lower(NEW.name);
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
DROP TRIGGER zz_interlock_it ON public.host;
DROP FUNCTION public.interlock_it();

ALTER TABLE public.host DROP COLUMN short;

-- it.migrate
-- Each batch, from the key $1 to the key $2.

-- UPDATE waits for a concurrent writer of a row and looks at it anew: what a server wrote stays,
-- and a deleted row stays deleted.
UPDATE public.host
SET short = lower(name)
WHERE id BETWEEN $1 AND $2
  AND short IS NULL
  AND (lower(name)) IS NOT NULL;

-- it.contract
DROP TRIGGER zz_interlock_it ON public.host;
DROP FUNCTION public.interlock_it();

