"""Messages out and replies in: the dispatcher, one file a channel, reply parsing."""
