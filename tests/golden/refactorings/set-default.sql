-- it.expand
-- it. A default is no form of any row: whoever leaves out the column writes the new one from the
-- expand on, servers of the release before too.

-- Rows that are there keep what they have.
ALTER TABLE public.job ALTER COLUMN priority SET DEFAULT 0;

-- undo of it.expand
ALTER TABLE public.job ALTER COLUMN priority SET DEFAULT 1;

