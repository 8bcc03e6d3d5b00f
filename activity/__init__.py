"""What happened: events, the only writer of state, and their way to whoever watches."""
