"""The profile of a record service: what it expects, as data in a TOML file; pure but for `load`.

A profile says where the service is, what the requests look like, where its answers show what,
and what they mean. Every key has a default that fits a plain JSON service whose records live
at ``/{type}/{id}`` and that answers with an ETag.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeAlias, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from journal.errors import PolicyError, ProfileError
from journal.policies import Policies
from journal.remotes.addresses import is_secure
from journal.remotes.auth import Auth
from journal.remotes.checks import mistakes
from journal.remotes.constraints import checked_url
from journal.remotes.forms import Forms
from journal.remotes.placeholders import Mistake
from journal.remotes.portrait import notes
from journal.remotes.sections import (
    AnswerSection,
    Changes,
    CommonHeaders,
    Create,
    Delete,
    Find,
    Key,
    Read,
    Request,
    Rule,
    Section,
    TypeSection,
    Update,
    Verb,
    VersionSection,
)
from journal.remotes.templates import json_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails


ALL: Final = "*"
"""Stands in `types` for every type that is not named there."""
_AS_TEXT: Final = PlainSerializer(repr, return_type=str, when_used="json")


_Model = TypeVar("_Model", bound=BaseModel)


def _policies(value: object) -> Policies:
    """Return the policies of the table, or those that code has given."""
    if isinstance(value, Policies):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("must be a table")  # noqa: TRY004  for pydantic
    try:
        return Policies.of(value)
    except PolicyError as error:
        facts = {"key": error.key, "problem": error.problem, "hint": error.hint}
        raise PydanticCustomError("policy", "{problem}", facts) from error


Conflicts: TypeAlias = Annotated[Policies, PlainValidator(_policies), _AS_TEXT]
"""The policies of a table."""


class Profile(Section):
    """Describes a record service."""

    url: Annotated[str, AfterValidator(checked_url)]
    allow_insecure: bool = False
    """Whether plain http is allowed beyond loopback."""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How long one request may take in all, in seconds."""
    max_bytes: Annotated[int, Field(gt=0)] = 16_777_216
    """The largest answer that is accepted, in bytes."""
    headers: CommonHeaders = {}  # noqa: RUF012  pydantic copies it
    """Headers of every request; credentials belong into `auth`."""
    auth: Auth = Auth()
    answer: AnswerSection = AnswerSection()
    create: Create = Create()
    update: Update = Update()
    delete: Delete = Delete()
    read: Read = Read()
    find: Find | None = None
    changes: Changes | None = None
    version: VersionSection = VersionSection()
    key: Key = Key()
    meaning: tuple[Rule, ...] = ()
    types: dict[str, TypeSection] = {}  # noqa: RUF012  pydantic copies it
    conflicts: Conflicts = Policies()
    """What decides the conflicts of the drafts that are sent to it."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read the profile from a TOML file.

        Raises:
            ProfileError: the file cannot be read, or a key in it is wrong.
        """
        return cls.of(toml_of(path))

    @classmethod
    def of(cls, content: Mapping[str, object]) -> Self:
        """Check a profile that is there as an object.

        Raises:
            ProfileError: keys in it are wrong; all of them are named.
        """
        rules = content.get("meaning")
        if isinstance(rules, list):
            content = {**content, "meaning": tuple(rules)}
        profile = validated(cls, content)
        profile.check()
        return profile

    def check(self) -> None:
        """Refuse a profile that is not safe, or by which changes would be lost or doubled.

        Raises:
            ProfileError: it is one; every mistake is named.
        """
        if found := list(dict.fromkeys([*self._insecurities(), *mistakes(self)])):
            raise error_of(found)

    def _insecurities(self) -> Iterator[Mistake]:
        if not self.is_secure and not self.allow_insecure:
            yield Mistake(
                "url",
                "plain http would send the records and the credentials readable by all",
                "use https, or set allow_insecure = true",
            )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the profile may say, but not without its author knowing what that means."""
        return tuple(notes(self))

    @property
    def is_secure(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return is_secure(self.url)

    def type_name(self, record_type: str) -> str:
        """Return what the service calls a record type."""
        name = self._section(record_type).name
        return record_type if name is None else name

    def words(self, record_type: str) -> dict[str, str]:
        """Return what stands for ``{type}`` and ``{type.WORD}``."""
        names = self._section(record_type)
        words = {f"type.{word}": text for word, text in names.words.items()}
        return {"type": self.type_name(record_type), **words}

    def forms(self, record_type: str) -> Forms:
        """Return how the service names and writes the fields of a record type."""
        names = self._section(record_type)
        unset = self.update.unset
        is_marker = unset not in {None, "null", "omit"} and self.update.set is None
        marker = json_of(str(unset)) if is_marker else None
        return Forms(names.fields, self.answer.compare, marker, self.answer.id_type)

    def _section(self, record_type: str) -> TypeSection:
        """Return what is said of a type, or of all that nothing is said of."""
        return self.types.get(record_type, self.types.get(ALL, TypeSection()))

    def requests(self) -> Iterator[tuple[Verb, Request]]:
        """Yield every kind of request that the profile describes."""
        yield "create", self.create
        yield "update", self.update
        yield "delete", self.delete
        yield "read", self.read
        if self.find is not None:
            yield "find", self.find
        if self.changes is not None:
            yield "changes", self.changes

    def request(self, verb: Verb) -> Request:
        """Return how one kind of request is made.

        Raises:
            ProfileError: the profile does not say.
        """
        found: Request | None = getattr(self, verb)
        if found is None:
            raise ProfileError(verb, "is needed for this", hint=f"add [{verb}] to the profile")
        return found

    def places(self, verb: Verb) -> AnswerSection:
        """Return where the answers to one kind of request show what."""
        request = self.request(verb)
        said = {name: found for name, found in request.answer if found is not None}
        if isinstance(request, (Find, Changes)):
            said.setdefault("record", request.record)
        return self.answer.model_copy(update=said)


def toml_of(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        ProfileError: the file cannot be read, or is none.
    """
    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ProfileError("file", f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError("file", f"{path} is not TOML: {error}") from error


def validated(model: type[_Model], content: Mapping[str, object]) -> _Model:
    """Return the model of that content.

    Raises:
        ProfileError: keys in it are wrong; all of them are named.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = [_mistake(model, detail) for detail in error.errors(include_url=False)]
        raise error_of(list(dict.fromkeys(found))) from error


def _mistake(model: type[BaseModel], detail: ErrorDetails) -> Mistake:
    """Return what pydantic found, by the key, and without what stands there."""
    steps = [step for step in detail["loc"] if step != "[key]"]
    key = ".".join(map(str, steps)) or "profile"
    if detail["type"] == "policy":
        facts = detail["ctx"]
        return Mistake(f"{key}.{facts['key']}", facts["problem"], facts["hint"])
    if detail["type"] == "extra_forbidden":
        known = _keys_at(model, steps[:-1])
        near = get_close_matches(str(steps[-1]), known, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        return Mistake(key, "is unknown", hint)
    return Mistake(key, detail["msg"].removeprefix("Value error, "))


def _keys_at(model: type[BaseModel], steps: list[Any]) -> list[str]:
    """Return the keys that the table at the place may have."""
    for step in steps:
        field = model.model_fields.get(str(step))
        inner = None if field is None else _model_in(field.annotation)
        model = model if inner is None else inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401  a type
    """Return the table that a type is, or holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in get_args(annotation))
    return next((model for model in found if model is not None), None)


def error_of(found: list[Mistake]) -> ProfileError:
    """Return the error that names all mistakes."""
    first, *more = found
    others = [ProfileError(m.key, m.problem, hint=m.hint) for m in more]
    return ProfileError(first.key, first.problem, hint=first.hint, others=others)
