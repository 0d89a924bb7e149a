"""Assets, one module a room: fetch, call a step, show what it came to."""
