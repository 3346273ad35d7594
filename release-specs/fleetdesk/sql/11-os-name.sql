-- os becomes os_name and os_version. Both forms stand in the same row, so one BEFORE trigger keeps
-- them equal: there is no second row to lock, hence nothing to deadlock with, and a write of either
-- form is seen in both at once. Only this row is touched, so it does not matter that ON CONFLICT
-- fires BEFORE INSERT for rows that are then updated.

ALTER TABLE public.host
    ADD COLUMN os_name text,
    ADD COLUMN os_version text;

CREATE FUNCTION public.host_os_forms() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_form boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        new_form := NEW.os_name IS NOT NULL OR NEW.os_version IS NOT NULL;
    ELSE
        new_form := (NEW.os_name, NEW.os_version) IS DISTINCT FROM (OLD.os_name, OLD.os_version);
    END IF;

    IF new_form THEN
        NEW.os_name := coalesce(NEW.os_name, '');
        NEW.os_version := coalesce(NEW.os_version, '');
        NEW.os := concat_ws(' ', nullif(NEW.os_name, ''), nullif(NEW.os_version, ''));
    ELSIF TG_OP = 'INSERT' OR NEW.os IS DISTINCT FROM OLD.os OR NEW.os_name IS NULL THEN
        -- 'Red Hat Enterprise Linux 9.4 (Plow)': the version begins at the first digit after a
        -- space; without one, all of it is the name.
        NEW.os_name := regexp_replace(NEW.os, '\s+[0-9].*$', '');
        NEW.os_version := coalesce(substring(NEW.os from '\s+([0-9].*)$'), '');
    END IF;
    RETURN NEW;
END
$$;

-- On every update, not only OF these columns: a row that was not migrated yet must be filled
-- whatever is written, or the constraint below would refuse the write.
CREATE TRIGGER host_os_forms
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.host_os_forms();

-- NOT VALID binds new writes and scans nothing; 4.1.0 validates it without blocking anybody, so
-- that its SET NOT NULL needs no scan under an exclusive lock.
ALTER TABLE public.host
    ADD CONSTRAINT host_os_present
    CHECK (os_name IS NOT NULL AND os_version IS NOT NULL) NOT VALID;
