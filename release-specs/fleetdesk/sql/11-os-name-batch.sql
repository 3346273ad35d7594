-- Touches the rows that nobody wrote since the expand; the trigger fills them as it would for an
-- old server. UPDATE waits for a concurrent writer of a row and then looks at the row anew, so no
-- write is lost, and a deleted row stays deleted.
UPDATE public.host
SET os = os
WHERE id BETWEEN $1 AND $2
  AND os_name IS NULL;
