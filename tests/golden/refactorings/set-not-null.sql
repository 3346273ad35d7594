-- it.expand
-- it. Old servers may go on writing NULL, which a trigger fills before the row is stored.

-- Servers that leave the column out, or write NULL, go on working; they find name there.

CREATE FUNCTION public.interlock_it() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    NEW.os := NEW.name;
    RETURN NEW;
END
$function$;

-- BEFORE triggers fire in the order of their names: by its name this one comes after the table's
-- own, and sees the row as it will be stored.
CREATE TRIGGER zz_interlock_it
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW
    WHEN (NEW.os IS NULL)
    EXECUTE FUNCTION public.interlock_it();

-- NOT VALID binds every new write and looks at no old row.
ALTER TABLE public.host
    ADD CONSTRAINT interlock_it
    CHECK (os IS NOT NULL) NOT VALID;

-- undo of it.expand
-- What was filled stays: nobody can tell it from what a server wrote since.

DROP TRIGGER zz_interlock_it ON public.host;
DROP FUNCTION public.interlock_it();

ALTER TABLE public.host DROP CONSTRAINT interlock_it;

-- it.migrate
-- Each batch, from the key $1 to the key $2.

-- UPDATE waits for a concurrent writer of a row and looks at it anew, so what a server wrote
-- meanwhile stays.
UPDATE public.host
SET os = name
WHERE id BETWEEN $1 AND $2
  AND os IS NULL;

-- Once, after the last batch.

-- Reads the table under SHARE UPDATE EXCLUSIVE, which no reader or writer notices, so that the
-- contract finds it proved.
ALTER TABLE public.host VALIDATE CONSTRAINT interlock_it;

-- it.contract
DROP TRIGGER zz_interlock_it ON public.host;
DROP FUNCTION public.interlock_it();

-- The check is proved, so SET NOT NULL scans nothing. It comes before the check is dropped; one
-- ALTER TABLE would drop first.
ALTER TABLE public.host
    ALTER COLUMN os SET NOT NULL;
ALTER TABLE public.host DROP CONSTRAINT interlock_it;

