"""From a declared refactoring to the SQL of its phases: text in, text out, nothing executed."""
