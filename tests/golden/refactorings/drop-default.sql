-- it.expand
-- it. A default is no form of any row; servers of the release before leave out the column, so it
-- stays until they are gone.

-- The default goes in the contract, since servers of the release before count on it. Until then
-- it is what it was, said once more.
ALTER TABLE public.job ALTER COLUMN priority SET DEFAULT 1;

-- undo of it.expand
-- The step has changed nothing, so there is nothing to take back.
SELECT;

