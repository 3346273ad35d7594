-- it.expand
-- it. Both names stand in the same row, kept equal by a trigger, and the contract renames the
-- column with all that it has; until then no index is on system, so where new servers search by
-- it, add an index in a change of its own.

-- os of public.host becomes system. Until the contract there is a column of either name in each
-- row, kept equal by a trigger. The old one keeps its indexes and constraints, and is renamed in
-- the end; until then nothing is indexed by system.

ALTER TABLE public.host
    ADD COLUMN system text;

-- Rights on the whole table cover a new column; rights on single columns are given anew.
DO $block$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT DISTINCT acl.privilege_type AS word, pairs.target, acl.is_grantable, acl.grantee
        FROM (VALUES ('os', 'system')) AS pairs (source, target)
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
BEGIN
    -- *<> compares what is stored: it knows NULL, works for types without equality, and
    -- tells apart what is equal and reads differently.
    IF TG_OP = 'INSERT' THEN
        new_form := NEW.system IS NOT NULL;
    ELSE
        new_form := ROW(NEW.system)::record *<> ROW(OLD.system)::record;
    END IF;

    IF new_form THEN
        NEW.os := NEW.system;
    ELSE
        NEW.system := NEW.os;
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

-- NOT VALID binds every new write and looks at no old row.
ALTER TABLE public.host
    ADD CONSTRAINT interlock_it
    CHECK (ROW(system)::record *= ROW(os)::record) NOT VALID;

-- undo of it.expand
-- The old column was kept equal all the time, so it is complete by itself.

DROP TRIGGER zz_interlock_it ON public.host;
DROP FUNCTION public.interlock_it();

ALTER TABLE public.host
    DROP CONSTRAINT interlock_it,
    DROP COLUMN system;

-- it.migrate
-- Each batch, from the key $1 to the key $2.

-- Touches the rows that nobody wrote since the expand; the trigger fills them. UPDATE waits for a
-- concurrent writer of a row and looks at it anew, so no write is lost, and a deleted row stays
-- deleted.
UPDATE public.host
SET system = system
WHERE id BETWEEN $1 AND $2
  AND system IS NULL AND os IS NOT NULL;

-- Once, after the last batch.

-- Reads the table under SHARE UPDATE EXCLUSIVE, which no reader or writer notices, so that the
-- contract finds it proved.
ALTER TABLE public.host VALIDATE CONSTRAINT interlock_it;

-- it.contract
-- os and system are proved equal, so the shadow goes and the column that has the indexes and
-- constraints takes its name.

-- Rights on the whole table cover a new column; rights on single columns are given anew.
DO $block$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT DISTINCT acl.privilege_type AS word, pairs.target, acl.is_grantable, acl.grantee
        FROM (VALUES ('system', 'os')) AS pairs (source, target)
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

DROP TRIGGER zz_interlock_it ON public.host;
DROP FUNCTION public.interlock_it();

ALTER TABLE public.host DROP CONSTRAINT interlock_it;

ALTER TABLE public.host DROP COLUMN system;

ALTER TABLE public.host RENAME COLUMN os TO system;

