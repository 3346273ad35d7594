-- The old form of os-name ends. host_os_present is proved by now, so SET NOT NULL scans nothing;
-- it must come before the constraint is dropped, and a single ALTER TABLE would drop first.

DROP TRIGGER host_os_forms ON public.host;
DROP FUNCTION public.host_os_forms();

ALTER TABLE public.host
    ALTER COLUMN os_name SET NOT NULL,
    ALTER COLUMN os_version SET NOT NULL;

ALTER TABLE public.host
    DROP CONSTRAINT host_os_present,
    DROP COLUMN os;
