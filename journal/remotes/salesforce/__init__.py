"""Salesforce: an org as a record service, over its REST interface.

What an org is like is said in its `Settings`; they become profiles of record services, one for
each way in which a record can be created there. What no profile can say is in `errands`, and
what the answers of an org mean beyond their status in `answers`.
"""

from journal.remotes.salesforce.remote import Salesforce
from journal.remotes.salesforce.settings import Settings

__all__ = ["Salesforce", "Settings"]
