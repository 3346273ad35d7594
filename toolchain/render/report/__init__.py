"""The report: what it speaks of, as values, and the page and the JSON made of them; pure."""
