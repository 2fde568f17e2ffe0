"""Messages out and replies in: the outbox, one file a channel, reply parsing."""
