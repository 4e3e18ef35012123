"""A service that accepts drafts by the receiver, and whatever may go wrong on the way to it."""
