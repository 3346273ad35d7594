-- Every write went into the old table, so there is nothing to bring back.

DROP VIEW public.host_hardware, public.host_network;
DROP FUNCTION public.host_hardware_insert(), public.host_hardware_delete(),
    public.host_network_insert(), public.host_network_delete();

DROP TRIGGER host_copy_hardware_insert ON public.host;
DROP TRIGGER host_copy_hardware_update ON public.host;
DROP TRIGGER host_copy_network_insert ON public.host;
DROP TRIGGER host_copy_network_update ON public.host;
DROP FUNCTION public.host_copy_hardware(), public.host_copy_network();

DROP TABLE public.host_hardware_next, public.host_network_next;
