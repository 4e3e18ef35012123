"""Which tests must notice a change of a module of the pure core."""

from __future__ import annotations

_GENERIC = ("test_generic_remote", "test_conventions", "test_problems", "test_profiles")
_DECIDING = ("test_decisions", "test_conflicts", "test_conflicts_sent", "test_foreign_writes")
_ORG = ("test_salesforce", "test_salesforce_settings")
_FEED = ("test_org_feed", "test_org_reading", "test_org_updated")

PROOFS: dict[str, tuple[str, ...]] = {
    "values": ("test_values", "test_mapper", "test_record", "test_events"),
    "events": ("test_events", "test_mapper", "test_record", "test_drafts"),
    "record": ("test_record", "test_decisions", "test_conflicts"),
    "drafts": ("test_drafts", "projections/test_drafts", "test_delivery"),
    "explanation": ("test_drafts", "projections/test_drafts"),
    "outcomes": ("test_outcomes", "test_classify", "test_doubts", "test_delivery"),
    "conflicts": _DECIDING,
    "policies": (*_DECIDING, "test_conventions", "test_salesforce"),
    "decisions": _DECIDING,
    "resolutions": (*_DECIDING, "test_record"),
    "descriptions": ("test_descriptions", "test_hints", "test_org_feed", "test_actions"),
    "fitting": ("test_descriptions", "test_hints", "test_actions"),
    "sync/doubts": ("test_doubts", "test_delivery"),
    "sync/sightings": ("test_sightings", "test_pull", "test_conflicts_sent"),
    "remotes/addresses": ("test_salesforce_settings", "test_credentials", "test_forms"),
    "remotes/auth": ("test_credentials", "test_salesforce_settings"),
    "remotes/changes": ("test_pull", *_GENERIC),
    "remotes/classify": ("test_classify", "test_selection", "test_problems"),
    "remotes/comparison": ("test_generic_remote", "test_conventions", "test_conflicts_sent"),
    "remotes/constraints": ("test_forms", "test_generic_remote", "test_selection"),
    "remotes/contents": _GENERIC,
    "remotes/dialect": ("test_pull", "test_forms", *_GENERIC),
    "remotes/forms": ("test_forms", "test_generic_remote", "test_salesforce_settings"),
    "remotes/list_checks": ("test_pull", "test_forms", "test_generic_remote"),
    "remotes/masking": ("test_credentials", "test_generic_remote"),
    "remotes/meanings": ("test_selection", "test_classify", *_GENERIC),
    "remotes/naming": _GENERIC,
    "remotes/pages": ("test_problems", "test_classify"),
    "remotes/paths": ("test_templates", "test_forms", "test_generic_remote"),
    "remotes/patience": ("test_classify", "test_problems"),
    "remotes/placeholders": ("test_salesforce_settings", "test_forms", "test_generic_remote"),
    "remotes/places": _GENERIC,
    "remotes/pointers": ("test_templates", "test_selection", "test_generic_remote"),
    "remotes/problems": ("test_problems", "test_classify"),
    "remotes/sections": ("test_forms", "test_selection", "test_generic_remote"),
    "remotes/selection": ("test_selection", "test_generic_remote", "test_conventions"),
    "remotes/templates": ("test_templates", "test_generic_remote", "test_forms"),
    "remotes/times": ("test_pull", "test_salesforce_settings", "test_org_updated"),
    "remotes/salesforce/answers": _ORG,
    "remotes/salesforce/describing": ("test_salesforce_settings", "test_org_reading", *_FEED),
    "remotes/salesforce/errands": _ORG,
    "remotes/salesforce/feed": _FEED,
    "remotes/salesforce/limits": ("test_salesforce_settings", "test_salesforce"),
    "remotes/salesforce/objects": (*_FEED, "test_salesforce_settings"),
    "remotes/salesforce/rows": _FEED,
    "remotes/salesforce/settings": (*_FEED, "test_salesforce_settings"),
    "remotes/salesforce/soql": ("test_soql", *_FEED),
    "remotes/salesforce/updated": _FEED,
}
"""The files of tests below ``tests/unit`` that prove a module, by its path below ``journal``."""
