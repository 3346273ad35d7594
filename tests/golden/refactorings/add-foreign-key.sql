-- it.expand
-- it. A constraint is no form of any row: it binds new rows from the expand on, those of the
-- release before too, and the contract looks at the old ones.

-- Every row that is written from here on needs the row it refers to. NOT VALID looks at no row,
-- so the lock is short.
ALTER TABLE public.disk
    ADD CONSTRAINT disk_job FOREIGN KEY (host_id)
    REFERENCES public.job (id)
    NOT VALID;

-- undo of it.expand
ALTER TABLE public.disk DROP CONSTRAINT disk_job;

-- it.contract
-- Looks at every row, under a lock that readers and writers do not notice. It fails where an old
-- row violates the constraint: mend the rows, and run it again.
ALTER TABLE public.disk VALIDATE CONSTRAINT disk_job;

