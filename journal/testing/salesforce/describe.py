"""What an org says of its objects and their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.refusal import Answer, Content

if TYPE_CHECKING:
    from journal.testing.salesforce.call import Call
    from journal.testing.salesforce.schema import Field, SObject
    from journal.testing.salesforce.state import State

__all__ = ["describe", "describe_all", "information", "resources", "versions"]

_SOAP_TYPES: Final = {
    "boolean": "xsd:boolean",
    "currency": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "double": "xsd:double",
    "id": "tns:ID",
    "int": "xsd:int",
    "percent": "xsd:double",
    "reference": "tns:ID",
}
_DOUBLES: Final = {"currency", "double", "percent"}


def versions(oldest: int, newest: int) -> Answer:
    """List the versions of the API; nobody has to be logged in."""
    return Answer(
        200,
        [
            {"label": f"Version {n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"}
            for n in range(oldest, newest + 1)
        ],
    )


def resources(call: Call) -> Answer:
    """List what there is below a version."""
    names = ("sobjects", "query", "queryAll", "limits", "composite", "ui-api")
    return Answer(200, {name: f"{call.base}/{name}" for name in names})


def describe_all(state: State, call: Call) -> Answer:
    """Describe every object in short."""
    sobjects = [_in_short(call, sobject) for sobject in state.schema]
    return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects})


def information(state: State, call: Call, sobject: SObject) -> Answer:
    """Describe an object in short, with the newest of its records."""
    rows = [row for row in state.database.rows(sobject) if not row.is_deleted][-5:]
    recent = [
        {
            "attributes": {"type": sobject.name, "url": f"{_url(call, sobject)}/{row.id}"},
            "Id": row.id,
        }
        for row in reversed(rows)
        if state.is_visible(row, call.caller)
    ]
    return Answer(200, {"objectDescribe": _in_short(call, sobject), "recentItems": recent})


def describe(state: State, call: Call, sobject: SObject) -> Answer:
    """Describe an object and its fields."""
    children: list[Content] = [
        {
            "cascadeDelete": field.on_delete == "cascade",
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": field.children or None,
            "restrictedDelete": field.on_delete == "restrict",
        }
        for child, field in state.schema.references_to(sobject.name)
    ]
    record_type = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": "012000000000000AAA",
        "urls": {"layout": f"{_url(call, sobject)}/describe/layouts/012000000000000AAA"},
    }
    fields = [_field(sobject, field) for field in sobject.all_fields]
    more = {"fields": fields, "childRelationships": children, "recordTypeInfos": [record_type]}
    return Answer(200, {**_in_short(call, sobject), **more, "supportedScopes": []})


def _url(call: Call, sobject: SObject) -> str:
    return f"{call.base}/sobjects/{sobject.name}"


def _in_short(call: Call, sobject: SObject) -> Content:
    url, can_write = _url(call, sobject), sobject.is_writable
    return {
        "activateable": False,
        "createable": can_write,
        "custom": sobject.is_custom,
        "customSetting": False,
        "deletable": can_write,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.shown_label,
        "labelPlural": sobject.plural or sobject.shown_label,
        "layoutable": True,
        "mergeable": False,
        "mruEnabled": True,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": False,
        "triggerable": True,
        "undeletable": can_write,
        "updateable": can_write,
        "urls": {
            "sobject": url,
            "describe": f"{url}/describe",
            "rowTemplate": f"{url}/{{ID}}",
        },
    }


def _field(sobject: SObject, field: Field) -> Content:
    is_name = field.name == sobject.name_field
    can_write = sobject.is_writable
    is_system = not (field.is_createable or field.is_updateable)
    length = field.length_most
    is_number = field.type in _DOUBLES
    return {
        "aggregatable": True,
        "autoNumber": False,
        "byteLength": length * 3,
        "calculated": is_name and bool(sobject.name_from),
        "caseSensitive": field.is_case_sensitive,
        "cascadeDelete": field.on_delete == "cascade",
        "createable": field.is_createable and can_write,
        "custom": field.is_custom,
        "defaultValue": field.default,
        "defaultedOnCreate": field.default is not None
        or field.type == "boolean"
        or is_system
        or field.name == "OwnerId",
        "deprecatedAndHidden": False,
        "digits": field.precision if field.type == "int" else 0,
        "externalId": field.is_external_id,
        "filterable": field.is_filterable,
        "groupable": field.is_filterable,
        "idLookup": field.type == "id" or field.is_external_id,
        "label": field.shown_label,
        "length": length,
        "name": field.name,
        "nameField": is_name,
        "nillable": not field.is_required and not is_system and field.type != "boolean",
        "picklistValues": [
            {
                "active": True,
                "defaultValue": value == field.default,
                "label": value,
                "validFor": None,
                "value": value,
            }
            for value in field.values
        ],
        "polymorphicForeignKey": len(field.refers_to) > 1,
        "precision": field.precision if is_number else 0,
        "referenceTo": list(field.refers_to),
        "relationshipName": field.relationship or None,
        "restrictedPicklist": bool(field.values) and field.is_restricted,
        "scale": field.scale if is_number else 0,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.is_filterable,
        "type": field.type,
        "unique": field.is_unique,
        "updateable": field.is_updateable and can_write,
    }
