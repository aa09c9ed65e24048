"""What roles have in common: the words of events and actions, and requests with their signatures."""
