"""Both forms live in one row: a trigger makes them agree before the row is written.

There is no second row to lock, so writers of the two forms cannot deadlock, and a write of either
form is seen in both at once. ON CONFLICT fires BEFORE INSERT for rows that are then updated, which
does no harm here: a trigger of this family writes nothing but the row in hand.
"""
