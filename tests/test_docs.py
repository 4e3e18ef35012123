"""The documentation says what is there: all of it, and nothing else."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from journal import errors
from journal.events import EVENT_TYPES, FieldMessage, Resolution
from journal.log import Row
from journal.log.mapper import EntryMapper
from journal.policies import Policies
from journal.remotes import Profile
from tests.pages import DOCS, PAGES, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REFERENCE: Final = DOCS / "reference"
API: Final = "\n".join(page.read_text(encoding="utf-8") for page in sorted(REFERENCE.glob("api-*")))
PUBLIC: Final = (
    "journal",
    "journal.log",
    "journal.receiver",
    "journal.remotes",
    "journal.sync",
    "journal.testing",
    "journal.testing.conformance",
    "journal.testing.salesforce",
    "journal.testing.service",
    "journal.testing.simulate",
    "projections",
    "projections.bisecting",
    "projections.replaying",
)
LIBRARY_INTERFACE: Final = {"Factory"}
"""Classes whose methods are defined, and documented, by another library."""
KINDS: Final = {
    "tutorial": "tutorial",
    "how-to": "how-to",
    "reference": "reference",
    "explanation": "explanation",
    "decisions": "explanation",
}


def _text(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield the heading and the text below it, for each section of a page."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for part in re.split(r"^#+ ", outside, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        yield heading, body


def _rows(text: str) -> list[list[str]]:
    """Return the rows of all tables in a text, without their titles."""
    lines = re.findall(r"^\| (.*) \|$", text, flags=re.MULTILINE)
    return [line.split(" | ") for line in lines if not line.startswith("---")]


# --- the pages ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: str(page.relative_to(DOCS)))
def test_a_page_says_its_kind(page: Path) -> None:
    """A page is of one kind, says which, and stands in the folder of its kind."""
    found = re.match(r"---\nkind: ([\w-]+)\n---\n\n# \S", page.read_text(encoding="utf-8"))

    assert found is not None
    folder = page.parent.name
    assert found[1] == KINDS.get(folder, found[1])


def test_every_page_is_in_the_index() -> None:
    """The index leads to every page."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)#]+\.md)\)", index))

    assert {str(page.relative_to(DOCS)) for page in PAGES[1:]} - {"index.md"} == linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link within the project leads to a file, and to a heading of it."""
    text = page.read_text(encoding="utf-8")

    broken = []
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.is_file() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    headings = [heading for heading, _ in _sections(page.read_text(encoding="utf-8"))]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_files_in_the_readme_are_there() -> None:
    """The table of layers names files and folders that exist."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:journal|projections)/[\w./]*)`", readme)

    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


# --- the interface -----------------------------------------------------------------------


def _public() -> list[tuple[str, Any]]:
    found: dict[str, Any] = {}
    for module in map(import_module, PUBLIC):
        found |= {name: getattr(module, name) for name in module.__all__}
    return sorted(found.items())


def _members(thing: type) -> set[str]:
    """Return the public methods, properties and fields of a class of ours."""
    public = {public for _, public in _public() if inspect.isclass(public)} - {thing}
    names: set[str] = set()
    for base in thing.__mro__:
        if base.__module__.partition(".")[0] in {"journal", "projections"} and base not in public:
            names |= {name for name, value in vars(base).items() if _is_ours(value)}
    for base in public & set(thing.__mro__):
        names -= vars(base).keys()  # said where the base is
    names |= set(getattr(thing, "_fields", ()))
    return {name for name in names if not name.startswith("_")}


def _is_ours(value: object) -> bool:
    return inspect.isfunction(value) or isinstance(value, (property, classmethod, staticmethod))


def _parameters(function: object) -> set[str]:
    try:
        names = set(inspect.signature(function).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return set()
    return names - {"self", "cls", "args", "kwargs"}


def _about(name: str, text: str = API) -> str:
    """Return what the reference says of a name: its sections, and the lines that begin with it."""
    parts = [body for heading, body in _sections(text) if re.match(rf"`{name}[`(]", heading)]
    parts += re.findall(rf"^.*`{name}(?=[`(]).*$", text, flags=re.MULTILINE)
    return "\n".join(parts)


@pytest.mark.parametrize(("name", "thing"), _public(), ids=[name for name, _ in _public()])
def test_public_names_are_in_the_reference(name: str, thing: Any) -> None:  # noqa: ANN401
    """The reference names every public class, function and constant, and all that it has."""
    said = _about(name)
    assert said
    if not inspect.isclass(thing) or name in LIBRARY_INTERFACE:
        return

    missing = [
        member
        for member in _members(thing)
        if not (_about(rf"{name}\.{member}") or re.search(rf"`{member}[`(]", said))
    ]
    assert missing == []


@pytest.mark.parametrize(("name", "thing"), _public(), ids=[name for name, _ in _public()])
def test_parameters_are_in_the_reference(name: str, thing: Any) -> None:  # noqa: ANN401
    """The reference names every parameter of what can be called."""
    if not inspect.isclass(thing):
        return
    missing = []
    if (
        name not in LIBRARY_INTERFACE
        and not hasattr(thing, "_fields")
        and not issubclass(thing, (BaseModel, Exception))
    ):
        said = _about(name)
        missing += [p for p in _parameters(thing) if not re.search(rf"\b{p}\b", said)]
    for member in _members(thing) if name not in LIBRARY_INTERFACE else ():
        said = _about(rf"{name}\.{member}")
        for parameter in _parameters(getattr(thing, member, None)) if said else ():
            if not re.search(rf"\b{parameter}\b", said + _about(name)):
                missing.append(f"{member}({parameter})")
    assert missing == []


# --- the errors --------------------------------------------------------------------------

_ERRORS: Final = sorted(
    name
    for name, thing in vars(errors).items()
    if inspect.isclass(thing) and issubclass(thing, errors.JournalError)
)


def test_the_error_tree_is_the_one_in_the_code() -> None:
    """The tree on the page is that of the module, and holds every error at its place."""
    tree = re.search(r"^```\n(.*?)^```$", errors.__doc__ or "", flags=re.MULTILINE | re.DOTALL)
    assert tree is not None
    assert f"```text\n{tree[1]}```" in _text("errors.md")

    drawn: dict[str, str] = {}
    parents: list[str] = []
    for line in tree[1].splitlines():
        indent, name = re.match(r"([│├└─ ]*)(\w+)", line).groups()  # type: ignore[union-attr]
        parents[len(indent) // 4 :] = [name]
        drawn[name] = parents[-2] if len(parents) > 1 else "Exception"
    assert drawn == {name: getattr(errors, name).__base__.__name__ for name in _ERRORS}


def test_facts_of_errors_are_in_the_reference() -> None:
    """Every attribute of an error stands in the row of the error."""
    rows = {name: row[1] for row in _rows(_text("errors.md")) for name in row[0].split(", ")}
    tree = ast.parse(inspect.getsource(errors))

    missing = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name != "JournalError":
            facts = set(re.findall(r"\bself\.(\w+) =", ast.unparse(node)))
            said = rows.get(f"`{node.name}`", "")
            missing += [f"{node.name}.{fact}" for fact in facts if f"`{fact}`" not in said]
    assert missing == []


def test_every_error_can_be_mended() -> None:
    """The guide says of every error that can be raised what happened, and how to mend it."""
    guide = (DOCS / "how-to" / "handle-errors.md").read_text(encoding="utf-8")
    rows = {row[0].strip("`") for row in _rows(guide) if len(row) == 3}
    groups = {base.__name__ for name in _ERRORS for base in getattr(errors, name).__mro__[1:]}

    assert set(_ERRORS) - groups <= rows


# --- the events, the format, the profile -------------------------------------------------


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_fields_of_events_are_in_the_reference(name: str) -> None:
    """The table of an event has a row for each of its fields, and no other."""
    [body] = [body for heading, body in _sections(_text("events.md")) if heading == f"`{name}`"]

    listed = [row[0].strip("`") for row in _rows(body)[1:]]
    assert sorted(listed) == sorted(EVENT_TYPES[name].model_fields)


@pytest.mark.parametrize("part", [FieldMessage, Resolution])
def test_parts_of_events_are_in_the_reference(part: type[BaseModel]) -> None:
    """What stands within an event is described where the event is."""
    [line] = re.findall(rf"^An? `{part.__name__}` has .*$", _text("events.md"), re.MULTILINE)

    assert [field for field in part.model_fields if f"`{field}`" not in line] == []


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_stored_events_are_as_shown(name: str) -> None:
    """The JSON of an event on the page is what would be stored, to the byte."""
    found = re.search(
        rf"^### `{name}`\n\n```json\n(.*)\n```$", _text("stored-format.md"), re.MULTILINE
    )
    assert found is not None

    event = EntryMapper().event(name, 1, found[1].encode(), 1)
    assert event.model_dump_json(exclude_defaults=True) == found[1]


@pytest.mark.parametrize("page", [ROOT / "CHANGELOG.md", *DOCS.glob("decisions/0001-*")])
def test_a_list_of_the_events_is_whole(page: Path) -> None:
    """Who reads which events there are, reads of all of them."""
    text = page.read_text(encoding="utf-8")

    assert len(EVENT_TYPES) == 13, "say on these pages how many there are now"
    assert "Thirteen events" in text
    assert [name for name in sorted(EVENT_TYPES) if f"`{name}`" not in text] == []


def test_columns_are_in_the_reference() -> None:
    """The page on the stored format says what every column of an entry means."""
    text = _text("stored-format.md")
    tables = re.split(r"^\| Column of ", text, flags=re.MULTILINE)

    assert [row[0].strip("`") for row in _rows("| " + tables[2])[1 : len(Row._fields) + 1]] == list(
        Row._fields
    )


VERBS: Final = ("create", "update", "delete", "read", "find", "changes")
OF_EACH_VERB: Final = ("method", "path", "headers", "media_type", "body", "answer")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401  a type
    """Yield the tables that a type is, or holds."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys of a profile with their defaults, those of tables with a dot."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner = next(_models(field.annotation), None)
        if key.endswith((".answer", ".deleted", ".more")):
            inner = None
        if inner is None:
            yield key, field.get_default(call_default_factory=True)
        else:
            is_table = str(field.annotation).startswith("dict")
            below = {"types": "TYPE.", "fields": "FIELD."}[name] if is_table else ""
            yield from _keys(inner, f"{key}.{below}")


def test_the_complete_profile_is_complete() -> None:
    """The profile at the end of the page has every key there is, and is one."""
    [text] = re.findall(r"^```toml\n(.*?)^```$", _text("profile.md"), re.MULTILINE | re.DOTALL)
    content = tomllib.loads(text)

    said: set[str] = set()
    for key, value in content.items():
        if key == "meaning":
            said |= {f"meaning.{inner}" for rule in value for inner in rule}
        elif key == "types":
            said |= {f"types.TYPE.{inner}" for inner in value["Account"] if inner != "fields"}
            fields = value["Account"]["fields"]["Name"]
            said |= {f"types.TYPE.fields.FIELD.{inner}" for inner in fields}
        elif isinstance(value, dict) and key not in {"headers", "conflicts"}:
            said |= {f"{key}.{inner}" for inner in value}
        else:
            said.add(key)
    Profile.of(content)
    optional = {f"{verb}.{name}" for verb in VERBS for name in OF_EACH_VERB}
    # There is one way to say who we are, and where the next list begins.
    others = ("auth.basic.", "auth.oauth.", "changes.next_list")
    keys = {key for key, _ in _keys(Profile) if not key.startswith(others)}
    assert said - optional == keys - optional


def test_keys_of_the_profile_are_in_the_reference() -> None:
    """Every key of a profile is listed with its default, and no other."""
    said: dict[str, str] = {}
    for row in _rows(_text("profile.md")):
        if len(row) == 1 + len(VERBS) and row[0] != "Key":
            said |= {f"{v}.{row[0].strip('`')}": d for v, d in zip(VERBS, row[1:], strict=True)}
        elif len(row) == 3 and re.fullmatch(r"`[a-zA-Z_.]+`", row[0]):
            said[row[0].strip("`")] = row[1]

    assert said == {key: _shown(default) for key, default in _keys(Profile)}


def _shown(default: Any) -> str:  # noqa: ANN401
    """Return a default as a profile would have it."""
    if default is None or default is PydanticUndefined:
        return "-"
    if isinstance(default, BaseModel | Policies):
        return "`{}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, str):
        return f"`'{default}'`" if '"' in default else f'`"{default}"`'
    return f"`{[] if default == () else default}`"
