"""A table split: columns move to new tables, of the same key or of one of their own.

`table.phases` chooses how the two forms live side by side. `plan` says what goes with which part,
and `refusals`, `torn` and `readers` what cannot. `view` makes the parts views of the table, with
`instead` for INSERT and DELETE; `hidden` and `follow` fill the tables to come beside it, and `swap`
puts them in the views' place. `copy` makes the parts real tables at once, and `pair` carries their
writes back. `required` sees to columns that are NOT NULL.
"""
