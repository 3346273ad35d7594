"""Tables that go back into the table that they belong to: the old form as a view of the new."""
