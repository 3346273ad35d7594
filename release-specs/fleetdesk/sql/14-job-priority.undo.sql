-- The index on the column, where it exists already, goes with it.
ALTER TABLE public.job DROP COLUMN priority;
