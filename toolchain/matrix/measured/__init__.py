"""What a rehearsal has measured, held against what the windows say."""
