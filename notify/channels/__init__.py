"""One file a channel: its client, its settings, its table of what an answer means."""
