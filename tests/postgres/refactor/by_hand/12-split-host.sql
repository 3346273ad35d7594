-- host is split into host, host_hardware and host_network. One truth, two forms: until the contract
-- the parts are views of the old table, so that whichever form a server writes, it locks and
-- changes the same single row. Nothing is copied to make the new form usable, no update can be lost
-- between two copies, and writers of the two forms cannot deadlock: there is but one row to lock.
--
-- The physical parts are filled beside it, one way: a trigger follows each write, the migrate phase
-- copies the rest in batches, and the contract swaps them in.

CREATE TABLE public.host_hardware_next (
    host_id bigint CONSTRAINT host_hardware_pkey PRIMARY KEY
        CONSTRAINT host_hardware_host_id_fkey REFERENCES public.host (id) ON DELETE CASCADE,
    cpu_model text,
    cpu_count integer CONSTRAINT host_hardware_cpu_count_check CHECK (cpu_count >= 0),
    memory_mb integer CONSTRAINT host_hardware_memory_mb_check CHECK (memory_mb >= 0)
);

CREATE TABLE public.host_network_next (
    host_id bigint CONSTRAINT host_network_pkey PRIMARY KEY
        CONSTRAINT host_network_host_id_fkey REFERENCES public.host (id) ON DELETE CASCADE,
    fqdn text,
    ipv4 inet,
    ipv6 inet
);

-- The writer holds the lock of the host's row already, and everybody takes that one first. The
-- functions run as their owner, since a server need not be allowed to write the unfinished tables.
CREATE FUNCTION public.host_copy_hardware() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.host_hardware_next (host_id, cpu_model, cpu_count, memory_mb)
    VALUES (NEW.id, NEW.cpu_model, NEW.cpu_count, NEW.memory_mb)
    ON CONFLICT (host_id) DO UPDATE
    SET cpu_model = excluded.cpu_model,
        cpu_count = excluded.cpu_count,
        memory_mb = excluded.memory_mb;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.host_copy_network() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.host_network_next (host_id, fqdn, ipv4, ipv6)
    VALUES (NEW.id, NEW.fqdn, NEW.ipv4, NEW.ipv6)
    ON CONFLICT (host_id) DO UPDATE
    SET fqdn = excluded.fqdn,
        ipv4 = excluded.ipv4,
        ipv6 = excluded.ipv6;
    RETURN NULL;
END
$$;

CREATE TRIGGER host_copy_hardware_insert
    AFTER INSERT ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.host_copy_hardware();

CREATE TRIGGER host_copy_hardware_update
    AFTER UPDATE ON public.host
    FOR EACH ROW
    WHEN ((OLD.cpu_model, OLD.cpu_count, OLD.memory_mb)
          IS DISTINCT FROM (NEW.cpu_model, NEW.cpu_count, NEW.memory_mb))
    EXECUTE FUNCTION public.host_copy_hardware();

CREATE TRIGGER host_copy_network_insert
    AFTER INSERT ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.host_copy_network();

CREATE TRIGGER host_copy_network_update
    AFTER UPDATE ON public.host
    FOR EACH ROW
    WHEN ((OLD.fqdn, OLD.ipv4, OLD.ipv6) IS DISTINCT FROM (NEW.fqdn, NEW.ipv4, NEW.ipv6))
    EXECUTE FUNCTION public.host_copy_network();

-- UPDATE of these views is PostgreSQL's own. INSERT and DELETE are not: an INSERT would make a host
-- without a name, and a plain DELETE of a part would delete the whole host.
CREATE VIEW public.host_hardware AS
    SELECT id AS host_id, cpu_model, cpu_count, memory_mb FROM public.host;

CREATE VIEW public.host_network AS
    SELECT id AS host_id, fqdn, ipv4, ipv6 FROM public.host;

-- Like the table to come, the view refuses a part of a host that does not exist (a foreign key) or
-- that has its part already (a primary key). The functions run as their owner, as PostgreSQL's own
-- UPDATE of a view does: whoever may write the view need not be allowed to write the table.
CREATE FUNCTION public.host_hardware_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present boolean;
BEGIN
    SELECT cpu_model IS NOT NULL OR cpu_count IS NOT NULL OR memory_mb IS NOT NULL
    INTO present
    FROM public.host WHERE id = NEW.host_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('host_hardware: there is no host %s', NEW.host_id);
    ELSIF present THEN
        RAISE unique_violation USING
            MESSAGE = format('host_hardware: host %s has its hardware already', NEW.host_id);
    END IF;
    UPDATE public.host
    SET cpu_model = NEW.cpu_model, cpu_count = NEW.cpu_count, memory_mb = NEW.memory_mb
    WHERE id = NEW.host_id;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.host_hardware_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE public.host
    SET cpu_model = NULL, cpu_count = NULL, memory_mb = NULL
    WHERE id = OLD.host_id;
    RETURN OLD;
END
$$;

CREATE FUNCTION public.host_network_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present boolean;
BEGIN
    SELECT fqdn IS NOT NULL OR ipv4 IS NOT NULL OR ipv6 IS NOT NULL
    INTO present
    FROM public.host WHERE id = NEW.host_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('host_network: there is no host %s', NEW.host_id);
    ELSIF present THEN
        RAISE unique_violation USING
            MESSAGE = format('host_network: host %s has its network already', NEW.host_id);
    END IF;
    UPDATE public.host
    SET fqdn = NEW.fqdn, ipv4 = NEW.ipv4, ipv6 = NEW.ipv6
    WHERE id = NEW.host_id;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.host_network_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE public.host
    SET fqdn = NULL, ipv4 = NULL, ipv6 = NULL
    WHERE id = OLD.host_id;
    RETURN OLD;
END
$$;

CREATE TRIGGER host_hardware_insert
    INSTEAD OF INSERT ON public.host_hardware
    FOR EACH ROW EXECUTE FUNCTION public.host_hardware_insert();

CREATE TRIGGER host_hardware_delete
    INSTEAD OF DELETE ON public.host_hardware
    FOR EACH ROW EXECUTE FUNCTION public.host_hardware_delete();

CREATE TRIGGER host_network_insert
    INSTEAD OF INSERT ON public.host_network
    FOR EACH ROW EXECUTE FUNCTION public.host_network_insert();

CREATE TRIGGER host_network_delete
    INSTEAD OF DELETE ON public.host_network
    FOR EACH ROW EXECUTE FUNCTION public.host_network_delete();

-- Whoever may work on host may work on its parts: the roles of the servers are the customer's.
DO $$
DECLARE
    entry record;
BEGIN
    FOR entry IN
        SELECT part, acl.privilege_type, acl.is_grantable,
               CASE acl.grantee WHEN 0 THEN 'PUBLIC'
                                ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS grantee
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        CROSS JOIN (VALUES ('public.host_hardware'), ('public.host_network')) AS parts (part)
        WHERE pg_class.oid = 'public.host'::regclass
          AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s%s', entry.privilege_type, entry.part, entry.grantee,
                       CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$$;
