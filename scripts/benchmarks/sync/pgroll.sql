-- The pattern of pgroll (https://github.com/xataio/pgroll), by hand after the templates of its
-- version 0.14: each column that changes is doubled in its own table, with a BEFORE trigger up
-- and one down that ask the search_path who writes, and a schema of views for each version.
-- pgroll has no operation that splits a table, so the three columns are doubled where they are.
-- Like its own, each function has a variable for every column of the table.

ALTER TABLE host
    ADD COLUMN new_cpu_model text,
    ADD COLUMN new_cpu_count integer,
    ADD COLUMN new_reboots bigint,
    ADD COLUMN to_backfill boolean DEFAULT true;

UPDATE host SET new_cpu_model = cpu_model, new_cpu_count = cpu_count,
    new_reboots = reboots, to_backfill = false;

CREATE FUNCTION host_cpu_model_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id public.host.id%TYPE := NEW.id;
    name public.host.name%TYPE := NEW.name;
    scans public.host.scans%TYPE := NEW.scans;
    cpu_model public.host.cpu_model%TYPE := NEW.cpu_model;
    cpu_count public.host.cpu_count%TYPE := NEW.cpu_count;
    reboots public.host.reboots%TYPE := NEW.reboots;
    writer text := current_setting('search_path');
BEGIN
    IF writer <> 'public_02_columns' THEN
        NEW.new_cpu_model = cpu_model;
        NEW.to_backfill = false;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER host_cpu_model_up
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION host_cpu_model_up();

CREATE FUNCTION host_cpu_model_down() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id public.host.id%TYPE := NEW.id;
    name public.host.name%TYPE := NEW.name;
    scans public.host.scans%TYPE := NEW.scans;
    cpu_model public.host.new_cpu_model%TYPE := NEW.new_cpu_model;
    cpu_count public.host.new_cpu_count%TYPE := NEW.new_cpu_count;
    reboots public.host.new_reboots%TYPE := NEW.new_reboots;
    writer text := current_setting('search_path');
BEGIN
    IF writer = 'public_02_columns' THEN
        NEW.cpu_model = cpu_model;
        NEW.to_backfill = false;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER host_cpu_model_down
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION host_cpu_model_down();

CREATE FUNCTION host_cpu_count_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id public.host.id%TYPE := NEW.id;
    name public.host.name%TYPE := NEW.name;
    scans public.host.scans%TYPE := NEW.scans;
    cpu_model public.host.cpu_model%TYPE := NEW.cpu_model;
    cpu_count public.host.cpu_count%TYPE := NEW.cpu_count;
    reboots public.host.reboots%TYPE := NEW.reboots;
    writer text := current_setting('search_path');
BEGIN
    IF writer <> 'public_02_columns' THEN
        NEW.new_cpu_count = cpu_count;
        NEW.to_backfill = false;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER host_cpu_count_up
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION host_cpu_count_up();

CREATE FUNCTION host_cpu_count_down() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id public.host.id%TYPE := NEW.id;
    name public.host.name%TYPE := NEW.name;
    scans public.host.scans%TYPE := NEW.scans;
    cpu_model public.host.new_cpu_model%TYPE := NEW.new_cpu_model;
    cpu_count public.host.new_cpu_count%TYPE := NEW.new_cpu_count;
    reboots public.host.new_reboots%TYPE := NEW.new_reboots;
    writer text := current_setting('search_path');
BEGIN
    IF writer = 'public_02_columns' THEN
        NEW.cpu_count = cpu_count;
        NEW.to_backfill = false;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER host_cpu_count_down
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION host_cpu_count_down();

CREATE FUNCTION host_reboots_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id public.host.id%TYPE := NEW.id;
    name public.host.name%TYPE := NEW.name;
    scans public.host.scans%TYPE := NEW.scans;
    cpu_model public.host.cpu_model%TYPE := NEW.cpu_model;
    cpu_count public.host.cpu_count%TYPE := NEW.cpu_count;
    reboots public.host.reboots%TYPE := NEW.reboots;
    writer text := current_setting('search_path');
BEGIN
    IF writer <> 'public_02_columns' THEN
        NEW.new_reboots = reboots;
        NEW.to_backfill = false;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER host_reboots_up
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION host_reboots_up();

CREATE FUNCTION host_reboots_down() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    id public.host.id%TYPE := NEW.id;
    name public.host.name%TYPE := NEW.name;
    scans public.host.scans%TYPE := NEW.scans;
    cpu_model public.host.new_cpu_model%TYPE := NEW.new_cpu_model;
    cpu_count public.host.new_cpu_count%TYPE := NEW.new_cpu_count;
    reboots public.host.new_reboots%TYPE := NEW.new_reboots;
    writer text := current_setting('search_path');
BEGIN
    IF writer = 'public_02_columns' THEN
        NEW.reboots = reboots;
        NEW.to_backfill = false;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER host_reboots_down
    BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION host_reboots_down();

CREATE SCHEMA public_01_init;
CREATE VIEW public_01_init.host WITH (security_invoker = true)
    AS SELECT id, name, scans, cpu_model, cpu_count, reboots
    FROM public.host;

CREATE SCHEMA public_02_columns;
CREATE VIEW public_02_columns.host WITH (security_invoker = true)
    AS SELECT id, name, scans, new_cpu_model AS cpu_model,
        new_cpu_count AS cpu_count, new_reboots AS reboots
    FROM public.host;
