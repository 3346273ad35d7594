-- Nothing to take back: os was not changed, the trigger goes on keeping the filled columns equal,
-- and the undo of expand removes them.
SELECT 'os_name and os_version stay filled until the expand is undone' AS note;
