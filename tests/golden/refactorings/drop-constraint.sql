-- it.expand
-- it. New servers write what the constraint refuses, so it goes at the expand; old servers obey
-- it whether it is there or not.

ALTER TABLE public.host DROP CONSTRAINT host_cpu_check;

-- undo of it.expand
-- New servers may have written rows that it refuses. They stay, so it comes back NOT VALID: it
-- binds what is written from here on.
ALTER TABLE public.host
    ADD CONSTRAINT host_cpu_check CHECK (cpu >= 0)
    NOT VALID;

