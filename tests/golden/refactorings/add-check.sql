-- it.expand
-- it. A constraint is no form of any row: it binds new rows from the expand on, those of the
-- release before too, and the contract looks at the old ones.

-- Every row that is written from here on is checked, and an old row when it is updated. NOT VALID
-- looks at no row, so the lock is short.
ALTER TABLE public.host
    ADD CONSTRAINT named CHECK (name <> '')
    NOT VALID;

-- undo of it.expand
ALTER TABLE public.host DROP CONSTRAINT named;

-- it.contract
-- Looks at every row, under a lock that readers and writers do not notice. It fails where an old
-- row violates the constraint: mend the rows, and run it again.
ALTER TABLE public.host VALIDATE CONSTRAINT named;

