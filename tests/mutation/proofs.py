"""Which tests must notice a change of a module of the pure core."""

from __future__ import annotations

_GENERIC = ("test_generic_remote", "test_conventions", "test_problems", "test_profiles")
_ORG = ("test_salesforce", "test_salesforce_settings")
_FEED = ("test_org_feed", "test_org_reading", "test_org_updated")

PROOFS: dict[str, tuple[str, ...]] = {
    "values": ("test_values", "test_mapper", "test_record"),
    "events": ("test_events", "test_mapper"),
    "record": ("test_record",),
    "drafts": ("test_drafts",),
    "explanation": ("test_drafts",),
    "outcomes": ("test_outcomes",),
    "conflicts": ("test_conflicts",),
    "policies": ("test_conflicts",),
    "decisions": ("test_decisions", "test_conflicts_sent"),
    "resolutions": ("test_decisions", "test_conflicts_sent"),
    "descriptions": ("test_descriptions", "test_hints"),
    "fitting": ("test_descriptions", "test_hints"),
    "sync/doubts": ("test_doubts",),
    "sync/sightings": ("test_sightings",),
    "remotes/addresses": ("test_salesforce_settings", "test_credentials", "test_forms"),
    "remotes/auth": ("test_credentials", "test_salesforce_settings"),
    "remotes/changes": ("test_pull", *_GENERIC),
    "remotes/classify": ("test_classify", "test_selection"),
    "remotes/comparison": ("test_generic_remote", "test_conventions"),
    "remotes/constraints": ("test_forms", "test_generic_remote"),
    "remotes/contents": _GENERIC,
    "remotes/dialect": ("test_pull", "test_forms", *_GENERIC),
    "remotes/forms": ("test_forms", "test_generic_remote"),
    "remotes/list_checks": ("test_pull", "test_forms", "test_generic_remote"),
    "remotes/masking": ("test_credentials", "test_generic_remote"),
    "remotes/meanings": ("test_selection", "test_classify"),
    "remotes/naming": _GENERIC,
    "remotes/pages": ("test_problems",),
    "remotes/paths": ("test_templates",),
    "remotes/patience": ("test_classify",),
    "remotes/placeholders": ("test_salesforce_settings", "test_forms", "test_generic_remote"),
    "remotes/places": _GENERIC,
    "remotes/pointers": ("test_templates", "test_selection"),
    "remotes/problems": ("test_problems",),
    "remotes/sections": ("test_forms", "test_selection", "test_generic_remote"),
    "remotes/selection": ("test_selection", "test_classify"),
    "remotes/templates": ("test_templates",),
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
