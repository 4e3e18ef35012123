"""What is said of an org: where it is, who we are there, and what its objects are like; pure.

Every key has a default that fits an org in which each object has a field for our key; only `url`
must be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from journal.policies import Policies
from journal.remotes.addresses import is_secure, is_within
from journal.remotes.auth import PLACEHOLDER, Auth
from journal.remotes.constraints import as_tuple, checked_url
from journal.remotes.placeholders import Mistake
from journal.remotes.profiles import Conflicts, error_of, validated
from journal.remotes.salesforce.soql import is_condition
from journal.remotes.sections import FieldForm, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTS: Final = ("salesforce.com", "salesforce.mil", "sfcrmproducts.cn")
"""The hosts of Salesforce: below them, a token may move us to another instance."""
OLDEST: Final = 46
"""The first version whose answer to an upsert always has the id."""
LOGIN: Final = "https://login.salesforce.com"
TEST: Final = "https://test.salesforce.com"
_LOGINS: Final = ("login.salesforce.com", "test.salesforce.com")
_SANDBOXES: Final = ("sandbox.my.salesforce.com",)

How: TypeAlias = Literal["upsert", "insert", "ui", "post"]
"""How a record is created: by our key in a field of its own, in the address or in the body;
through the UI API by a key of the request; or by a request that nothing makes safe to repeat."""
KEYED: Final = frozenset({"upsert", "insert"})
"""The ways by which a record has our key in the org."""


def _checked_origin(url: str) -> str:
    checked = checked_url(url)
    parts = urlsplit(checked)
    if parts.path:
        message = "must be that of the org alone, such as https://acme.my.salesforce.com"
        raise ValueError(message)
    if parts.hostname in _LOGINS:
        message = "is where people log in: use the My Domain of the org"
        raise ValueError(message)
    return checked


def _checked_version(text: str) -> str:
    if int(text.partition(".")[0]) < OLDEST:
        message = f"must be {OLDEST}.0 or later: before, an upsert may answer without the id"
        raise ValueError(message)
    return text


def _checked_parent(text: str) -> str:
    relation, _, key = text.partition(".")
    if not (relation and key) or "." in key:
        message = "must name a relationship and the key of the parent: Account.Journal_Key__c"
        raise ValueError(message)
    return text


def _checked_condition(text: str) -> str:
    if not is_condition(text):
        message = "must be what stands after WHERE, and nothing else: OwnerId = '005…'"
        raise ValueError(message)
    return text


_Name = Annotated[str, Field(pattern=r"^[A-Za-z]\w*$", max_length=255)]
_Key = Annotated[str, Field(pattern=r"^([A-Za-z]\w*)?$", max_length=255)]
_Share = Annotated[float, Field(gt=0, le=1)]


class Capture(Section):
    """The fields of an object that are told of a change itself."""

    occurred_at: _Name | None = None
    """When it was made; a date and time."""
    actor: _Name | None = None
    """By whom; a text."""
    device: _Name | None = None
    """Where: the origin of the journal; a text."""
    reason: _Name | None = None
    """Why, where that was said; a text."""

    @property
    def names(self) -> list[str]:
        """The fields that are named."""
        found = (self.occurred_at, self.actor, self.device, self.reason)
        return [name for name in found if name is not None]


class PullSettings(Section):
    """Which records of a type are pulled, and what of them."""

    fields: Annotated[tuple[_Name, ...], BeforeValidator(as_tuple)] = ()
    """The fields that are wanted, as the org calls them; all that can be read where none is."""
    where: Annotated[str, AfterValidator(_checked_condition)] = ""
    """A condition on the records, in SOQL; empty for all that the user sees."""
    by: Literal["query", "updated"] = "query"
    """Whether what has changed is found by a query for SystemModstamp, or by the list of ids that
    the org makes, for objects that cannot be sorted by it."""
    overlap_s: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    """How long before the end of the last pull the next one begins, in seconds."""


class TypeSettings(Section):
    """What is said of the records of one type."""

    object: _Name | None = None
    """What the org calls it; the type itself otherwise."""
    key: _Key | None = None
    """Its field for our key: an External ID that is unique. Empty where it has none."""
    create: How | None = None
    """How a record is created; with a key, by an upsert, and else through the UI API."""
    capture: Capture | None = None
    parents: dict[str, Annotated[str, AfterValidator(_checked_parent)]] = {}  # noqa: RUF012  as below
    """The fields that name a parent, each with its relationship and the key of the parent."""
    allow_duplicates: bool = False
    """Whether to save what an alert of a duplicate rule warns of."""
    fields: dict[str, FieldForm] = {}  # noqa: RUF012  pydantic copies it
    pull: PullSettings = PullSettings()


class LimitSettings(Section):
    """How the daily allowance of the org is spared."""

    slow_from: _Share = 0.8
    """From which share of it on drafts are sent more slowly."""
    stop_at: _Share = 0.98
    """At which share nothing is sent but one draft in each long pause."""
    pause_s: Annotated[float, Field(gt=0, le=3600)] = 900.0
    """The long pause, in seconds; so it is too where the org refuses more calls."""


class Settings(Section):
    """Describes an org."""

    service: Literal["salesforce"] = "salesforce"
    url: Annotated[str, AfterValidator(_checked_origin)]
    """Its My Domain, without a path."""
    api_version: Annotated[
        str, Field(pattern=r"^\d{2,3}\.0$"), AfterValidator(_checked_version)
    ] = "67.0"
    allow_insecure: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    max_bytes: Annotated[int, Field(gt=0)] = 16_777_216
    key: _Key = ""
    """The field for our key of every object of which nothing else is said."""
    create: Literal["upsert", "insert"] = "upsert"
    """How the records of every object with such a field are created."""
    capture: Capture = Capture()
    """The capture fields of every object of which nothing else is said."""
    types: dict[str, TypeSettings] = {}  # noqa: RUF012  pydantic copies it
    auth: Auth = Auth()
    refresh_token_file: str | None = None
    """Where a refresh token is kept that the org has put in the place of another."""
    reads_back: bool = True
    """Whether a record is read after each write, for what triggers have made of it."""
    batches: Literal["off", "order", "whole"] = "off"
    """Whether drafts go together, in calls of up to 25 requests that keep their order; and
    whether those that were made in one batch are then applied all together or not at all."""
    on_not_found: Literal["done", "hold"] = "done"
    """What a delete is of a record that is not there, or that we are not shown."""
    limits: LimitSettings = LimitSettings()
    conflicts: Conflicts = Policies()

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, content: Any) -> Any:  # noqa: ANN401  whatever was given
        """Say of the token endpoint what goes without saying."""
        auth = content.get("auth") if isinstance(content, Mapping) else None
        oauth = auth.get("oauth") if isinstance(auth, Mapping) else None
        url = content.get("url") if isinstance(content, Mapping) else None
        if not (isinstance(auth, Mapping) and isinstance(oauth, Mapping) and isinstance(url, str)):
            return content
        return {**content, "auth": {**auth, "oauth": {**_usual(url, oauth), **oauth}}}

    @classmethod
    def of(cls, content: Mapping[str, object]) -> Self:
        """Check settings that are there as an object.

        Raises:
            ProfileError: keys in them are wrong; all of them are named.
        """
        settings = validated(cls, content)
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse settings by which changes would be lost, doubled or shown to others.

        Raises:
            ProfileError: they are such; every mistake is named.
        """
        if found := list(self._mistakes()):
            raise error_of(found)

    def _mistakes(self) -> Iterator[Mistake]:
        if not is_secure(self.url) and not self.allow_insecure:
            yield Mistake(
                "url",
                "plain http would send the records and the credentials readable by all",
                "use https, or set allow_insecure = true",
            )
        if self.limits.slow_from >= self.limits.stop_at:
            yield Mistake("limits.slow_from", "must be below limits.stop_at")
        if self.refresh_token_file is not None and self.refresh_variable is None:
            yield Mistake(
                "refresh_token_file",
                "keeps what replaces a refresh token, and there is none",
                "set auth.oauth.refresh_token = '{env:NAME}', that alone, or leave it out",
            )
        for name, said in self.types.items():
            key = self.key_of(name)
            if said.create in KEYED and not key:
                hint = "name the External ID, as key = 'Journal_Key__c'"
                yield Mistake(f"types.{name}.key", f"is needed to create by {said.create}", hint)
            if key and key in self.capture_of(name).names:
                yield Mistake(f"types.{name}.capture", f"writes to {key}, which holds our key")
            if said.parents and self.how(name) == "ui":
                problem = "are sent by key, which the UI API does not take"
                yield Mistake(f"types.{name}.parents", problem, "name a key, or leave them out")

    # --- what is said of a type ----------------------------------------------------------

    def object_of(self, record_type: str) -> str:
        """Return what the org calls a type."""
        said = self.types.get(record_type)
        return record_type if said is None or said.object is None else said.object

    def key_of(self, record_type: str) -> str:
        """Return the field for our key; empty where there is none."""
        said = self.types.get(record_type)
        return self.key if said is None or said.key is None else said.key

    def capture_of(self, record_type: str) -> Capture:
        """Return the capture fields."""
        said = self.types.get(record_type)
        return self.capture if said is None or said.capture is None else said.capture

    def pull_of(self, record_type: str) -> PullSettings:
        """Return which records are pulled."""
        said = self.types.get(record_type)
        return PullSettings() if said is None else said.pull

    def how(self, record_type: str) -> How:
        """Return how a record is created."""
        said = self.types.get(record_type)
        if said is not None and said.create is not None:
            return said.create
        return self.create if self.key_of(record_type) else "ui"

    @property
    def refresh_variable(self) -> str | None:
        """The environment variable that holds the refresh token, where one does, and all of it."""
        oauth = self.auth.oauth
        found = None if oauth is None else PLACEHOLDER.fullmatch(oauth.refresh_token or "")
        return None if found is None else found[1]


def _usual(url: str, oauth: Mapping[str, object]) -> dict[str, object]:
    """Return what is usually said of the token endpoint of an org."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    usual: dict[str, object] = {
        "token_url": f"{url.rstrip('/')}/services/oauth2/token",
        "client_auth": "body",
    }
    if is_within(host, HOSTS):
        usual["instance_hosts"] = HOSTS
    if "private_key" in oauth:
        usual["audience"] = TEST if is_within(host, _SANDBOXES) else LOGIN
    return usual
