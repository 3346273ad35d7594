-- Two AFTER triggers that point at each other, as many a blog post has them, kept from going round
-- by their depth. A wide row without values has no part.

CREATE TABLE public.host_hardware (
    host_id bigint PRIMARY KEY REFERENCES public.host (id) ON DELETE CASCADE,
    cpu_model text, cpu_count integer, reboots bigint,
    CHECK (cpu_count >= 0)
);

INSERT INTO public.host_hardware (host_id, cpu_model, cpu_count, reboots)
    SELECT id, cpu_model, cpu_count, reboots
    FROM public.host;

CREATE FUNCTION host_to_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.cpu_model, NEW.cpu_count, NEW.reboots) IS NOT DISTINCT FROM (NULL, NULL, NULL) THEN
        DELETE FROM host_hardware WHERE host_id = NEW.id;
    ELSE
        INSERT INTO host_hardware (host_id, cpu_model, cpu_count, reboots)
            VALUES (NEW.id, NEW.cpu_model, NEW.cpu_count, NEW.reboots)
        ON CONFLICT (host_id) DO UPDATE
        SET cpu_model = excluded.cpu_model,
            cpu_count = excluded.cpu_count,
            reboots = excluded.reboots;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER host_to_part AFTER INSERT OR UPDATE OF cpu_model, cpu_count, reboots ON host
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION host_to_part();
CREATE FUNCTION part_to_host() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE host SET (cpu_model, cpu_count, reboots) = (NULL, NULL, NULL)
            WHERE id = OLD.host_id;
    ELSE
        UPDATE host SET (cpu_model, cpu_count, reboots)
            = (NEW.cpu_model, NEW.cpu_count, NEW.reboots)
            WHERE id = NEW.host_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER part_to_host AFTER INSERT OR UPDATE OR DELETE ON host_hardware
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION part_to_host();
