-- it.expand
-- it. A row without the column's value is as old servers may find it anyway.

SELECT 'servers that do not write the column need nothing' AS note;

-- undo of it.expand
SELECT 'servers that do not write the column need nothing' AS note;

-- it.contract
-- Nobody reads os any more.

ALTER TABLE public.host DROP COLUMN os;

