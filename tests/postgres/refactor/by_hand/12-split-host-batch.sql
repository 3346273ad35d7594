-- Copies one batch. The rows are locked first, so that no writer stands between what is read and
-- what is written: a write that came before is read here, one that comes later is followed by the
-- trigger, a deleted row is not found. A row that the trigger brought already is the newer one.
WITH batch AS MATERIALIZED (
    SELECT id, cpu_model, cpu_count, memory_mb, fqdn, ipv4, ipv6
    FROM public.host
    WHERE id BETWEEN $1 AND $2
    ORDER BY id
    FOR SHARE
),
hardware AS (
    INSERT INTO public.host_hardware_next (host_id, cpu_model, cpu_count, memory_mb)
    SELECT id, cpu_model, cpu_count, memory_mb FROM batch
    ON CONFLICT (host_id) DO NOTHING
)
INSERT INTO public.host_network_next (host_id, fqdn, ipv4, ipv6)
SELECT id, fqdn, ipv4, ipv6 FROM batch
ON CONFLICT (host_id) DO NOTHING;
