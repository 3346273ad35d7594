-- The split becomes physical: the copies take the place of the views, and host loses the columns.

-- First, under no lock that anybody would notice, the proof that the copies are complete; from here
-- on the triggers keep them so.
DO $$
DECLARE
    strays bigint;
BEGIN
    SELECT count(*) INTO strays
    FROM public.host AS host
    LEFT JOIN public.host_hardware_next AS hardware ON hardware.host_id = host.id
    LEFT JOIN public.host_network_next AS network ON network.host_id = host.id
    WHERE hardware.host_id IS NULL
       OR network.host_id IS NULL
       OR (host.cpu_model, host.cpu_count, host.memory_mb)
          IS DISTINCT FROM (hardware.cpu_model, hardware.cpu_count, hardware.memory_mb)
       OR (host.fqdn, host.ipv4, host.ipv6)
          IS DISTINCT FROM (network.fqdn, network.ipv4, network.ipv6);
    IF strays > 0 THEN
        RAISE EXCEPTION 'split-host: % hosts differ from their copies', strays
            USING HINT = 'Run the migrate phase of split-host again.';
    END IF;
END
$$;

-- Servers lock the host before its parts, so this does too; while it waits here, it holds nothing
-- that a reader or a writer would wait for.
LOCK TABLE public.host, public.host_hardware, public.host_network IN ACCESS EXCLUSIVE MODE;

DROP TRIGGER host_copy_hardware_insert ON public.host;
DROP TRIGGER host_copy_hardware_update ON public.host;
DROP TRIGGER host_copy_network_insert ON public.host;
DROP TRIGGER host_copy_network_update ON public.host;
DROP FUNCTION public.host_copy_hardware(), public.host_copy_network();

-- Rights given on a view since the expand go over to the table that takes its place.
DO $$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT parts.next_table, acl.privilege_type, acl.is_grantable,
               CASE acl.grantee WHEN 0 THEN 'PUBLIC'
                                ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee
        FROM (VALUES ('public.host_hardware'::regclass, 'public.host_hardware_next'),
                     ('public.host_network'::regclass, 'public.host_network_next')
             ) AS parts (part_view, next_table)
        JOIN pg_class ON pg_class.oid = parts.part_view
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s%s',
                       entry.privilege_type, entry.next_table, entry.grantee,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$$;

DROP VIEW public.host_hardware, public.host_network;
DROP FUNCTION public.host_hardware_insert(), public.host_hardware_delete(),
    public.host_network_insert(), public.host_network_delete();

ALTER TABLE public.host_hardware_next RENAME TO host_hardware;
ALTER TABLE public.host_network_next RENAME TO host_network;

ALTER TABLE public.host
    DROP COLUMN cpu_model,
    DROP COLUMN cpu_count,
    DROP COLUMN memory_mb,
    DROP COLUMN fqdn,
    DROP COLUMN ipv4,
    DROP COLUMN ipv6;
