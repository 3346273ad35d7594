"""What a repository holds, where it stands there, and what must stay; pure."""
