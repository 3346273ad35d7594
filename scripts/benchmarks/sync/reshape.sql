-- The pattern of reshape (https://github.com/fabianlindfors/reshape), by hand after its main
-- branch, past version 0.7.0: a new table that is filled from another is written by a BEFORE
-- trigger of that one; each column that another table replaces is written back by a BEFORE
-- trigger of the new table, and looked up by a BEFORE trigger of its own. Nothing follows a
-- DELETE, and as the part is written before its host it can have no foreign key.

CREATE TABLE host_hardware (host_id bigint, cpu_model text, cpu_count integer, reboots bigint,
    PRIMARY KEY (host_id));

INSERT INTO public.host_hardware (host_id, cpu_model, cpu_count, reboots)
    SELECT id, cpu_model, cpu_count, reboots
    FROM public.host;

CREATE SCHEMA reshape;
CREATE FUNCTION reshape.is_new_form() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    forced text := current_setting('reshape.form', true);
BEGIN
    RETURN current_setting('search_path') = 'migration_2_split' OR coalesce(forced = 'new', false);
END $$;
CREATE FUNCTION public.host_fills_part() RETURNS trigger LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    IF NOT reshape.is_new_form() THEN
        INSERT INTO public.host_hardware (host_id, cpu_model, cpu_count, reboots)
            VALUES (NEW.id, NEW.cpu_model, NEW.cpu_count, NEW.reboots)
        ON CONFLICT ON CONSTRAINT host_hardware_pkey
        DO UPDATE SET host_id = NEW.id, cpu_model = NEW.cpu_model, cpu_count = NEW.cpu_count,
            reboots = NEW.reboots;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER host_fills_part BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.host_fills_part();

CREATE FUNCTION public.part_writes_cpu_model() RETURNS trigger LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    IF reshape.is_new_form() THEN
        DECLARE
            host_hardware record;
        BEGIN
            SELECT NEW.host_id AS host_id, NEW.cpu_model AS cpu_model, NEW.cpu_count AS cpu_count,
                NEW.reboots AS reboots INTO host_hardware;
            PERFORM set_config('reshape.quiet', 'yes', true);
            UPDATE public.host AS wide SET cpu_model = found.value
            FROM (
                SELECT host.ctid, (host_hardware.cpu_model) AS value
                FROM (SELECT ctid, * FROM public.host) host
                WHERE host_hardware.host_id = host.id
            ) found
            WHERE wide.ctid = found.ctid;
            PERFORM set_config('reshape.quiet', '', true);
        END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER part_writes_cpu_model BEFORE INSERT OR UPDATE ON public.host_hardware
    FOR EACH ROW EXECUTE FUNCTION public.part_writes_cpu_model();
CREATE FUNCTION public.host_looks_up_cpu_model() RETURNS trigger LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    IF reshape.is_new_form()
       AND NOT current_setting('reshape.quiet', true) = 'yes' THEN
        DECLARE
            host record;
            part_row record;
        BEGIN
            SELECT NEW.id AS id, NEW.name AS name, NEW.scans AS scans, NEW.cpu_model AS cpu_model,
                NEW.cpu_count AS cpu_count, NEW.reboots AS reboots INTO host;
            SELECT host_hardware.* INTO part_row
            FROM (SELECT ctid, * FROM public.host_hardware) host_hardware
            WHERE host_hardware.host_id = host.id;
            DECLARE
                host_hardware record;
            BEGIN
                host_hardware := part_row;
                NEW.cpu_model = host_hardware.cpu_model;
            END;
        END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER host_looks_up_cpu_model BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.host_looks_up_cpu_model();

CREATE FUNCTION public.part_writes_cpu_count() RETURNS trigger LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    IF reshape.is_new_form() THEN
        DECLARE
            host_hardware record;
        BEGIN
            SELECT NEW.host_id AS host_id, NEW.cpu_model AS cpu_model, NEW.cpu_count AS cpu_count,
                NEW.reboots AS reboots INTO host_hardware;
            PERFORM set_config('reshape.quiet', 'yes', true);
            UPDATE public.host AS wide SET cpu_count = found.value
            FROM (
                SELECT host.ctid, (host_hardware.cpu_count) AS value
                FROM (SELECT ctid, * FROM public.host) host
                WHERE host_hardware.host_id = host.id
            ) found
            WHERE wide.ctid = found.ctid;
            PERFORM set_config('reshape.quiet', '', true);
        END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER part_writes_cpu_count BEFORE INSERT OR UPDATE ON public.host_hardware
    FOR EACH ROW EXECUTE FUNCTION public.part_writes_cpu_count();
CREATE FUNCTION public.host_looks_up_cpu_count() RETURNS trigger LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    IF reshape.is_new_form()
       AND NOT current_setting('reshape.quiet', true) = 'yes' THEN
        DECLARE
            host record;
            part_row record;
        BEGIN
            SELECT NEW.id AS id, NEW.name AS name, NEW.scans AS scans, NEW.cpu_model AS cpu_model,
                NEW.cpu_count AS cpu_count, NEW.reboots AS reboots INTO host;
            SELECT host_hardware.* INTO part_row
            FROM (SELECT ctid, * FROM public.host_hardware) host_hardware
            WHERE host_hardware.host_id = host.id;
            DECLARE
                host_hardware record;
            BEGIN
                host_hardware := part_row;
                NEW.cpu_count = host_hardware.cpu_count;
            END;
        END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER host_looks_up_cpu_count BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.host_looks_up_cpu_count();

CREATE FUNCTION public.part_writes_reboots() RETURNS trigger LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    IF reshape.is_new_form() THEN
        DECLARE
            host_hardware record;
        BEGIN
            SELECT NEW.host_id AS host_id, NEW.cpu_model AS cpu_model, NEW.cpu_count AS cpu_count,
                NEW.reboots AS reboots INTO host_hardware;
            PERFORM set_config('reshape.quiet', 'yes', true);
            UPDATE public.host AS wide SET reboots = found.value
            FROM (
                SELECT host.ctid, (host_hardware.reboots) AS value
                FROM (SELECT ctid, * FROM public.host) host
                WHERE host_hardware.host_id = host.id
            ) found
            WHERE wide.ctid = found.ctid;
            PERFORM set_config('reshape.quiet', '', true);
        END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER part_writes_reboots BEFORE INSERT OR UPDATE ON public.host_hardware
    FOR EACH ROW EXECUTE FUNCTION public.part_writes_reboots();
CREATE FUNCTION public.host_looks_up_reboots() RETURNS trigger LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    IF reshape.is_new_form()
       AND NOT current_setting('reshape.quiet', true) = 'yes' THEN
        DECLARE
            host record;
            part_row record;
        BEGIN
            SELECT NEW.id AS id, NEW.name AS name, NEW.scans AS scans, NEW.cpu_model AS cpu_model,
                NEW.cpu_count AS cpu_count, NEW.reboots AS reboots INTO host;
            SELECT host_hardware.* INTO part_row
            FROM (SELECT ctid, * FROM public.host_hardware) host_hardware
            WHERE host_hardware.host_id = host.id;
            DECLARE
                host_hardware record;
            BEGIN
                host_hardware := part_row;
                NEW.reboots = host_hardware.reboots;
            END;
        END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER host_looks_up_reboots BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.host_looks_up_reboots();

CREATE SCHEMA migration_1_init;
CREATE VIEW migration_1_init.host
    AS SELECT id, name, scans, cpu_model, cpu_count, reboots
    FROM public.host;

CREATE SCHEMA migration_2_split;
CREATE VIEW migration_2_split.host
    AS SELECT id, name, scans
    FROM public.host;
CREATE VIEW migration_2_split.host_hardware
    AS SELECT host_id, cpu_model, cpu_count, reboots
    FROM public.host_hardware;
