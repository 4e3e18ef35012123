"""Floor 6: remotes: the record services that drafts are sent to.

A remote is a generator that yields requests, receives answers and returns an outcome; it does
no I/O. One module, `wire`, sends the requests, blocking and async.
"""

from journal.remotes.auth import Auth
from journal.remotes.credentials import Credentials, authorised
from journal.remotes.generic import HttpRemote
from journal.remotes.profiles import Profile
from journal.remotes.remote import (
    Answer,
    Batching,
    Feeding,
    NoAnswer,
    Page,
    Push,
    Remote,
    Request,
    Response,
    Sighting,
    Turn,
)
from journal.remotes.salesforce.remote import Salesforce

__all__ = [
    "Answer",
    "Auth",
    "Batching",
    "Credentials",
    "Feeding",
    "HttpRemote",
    "NoAnswer",
    "Page",
    "Profile",
    "Push",
    "Remote",
    "Request",
    "Response",
    "Salesforce",
    "Sighting",
    "Turn",
    "authorised",
]
