-- os was kept equal all the time, so the old form is complete without the new one.

DROP TRIGGER host_os_forms ON public.host;
DROP FUNCTION public.host_os_forms();

ALTER TABLE public.host
    DROP CONSTRAINT host_os_present,
    DROP COLUMN os_name,
    DROP COLUMN os_version;
