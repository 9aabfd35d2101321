"""Every object is what Kubernetes, KEDA and the Prometheus operator take: no field is misspelt or misplaced."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]  # its author gives no types
import pytest

from tests.support.containers.manifests import Manifests, Object

OLDEST, NEWEST = "1.25", "1.37"
SCHEMAS = {
    path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schemas").glob("*.json")
}


def validate(found: Object, version: str) -> None:
    schema = SCHEMAS.get(found["kind"].lower())
    if schema:
        jsonschema.validate(found, schema)
    else:
        kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_objects_fit_their_schema(rendered: Manifests, version: str) -> None:
    for found in rendered.objects:
        validate(found, version)


def test_a_misspelt_field_is_found(rendered: Manifests) -> None:
    for found in {found["kind"]: found for found in rendered.objects if "spec" in found}.values():
        wrong = copy.deepcopy(found)
        wrong["spec"]["selectr"] = {}
        with pytest.raises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
            validate(wrong, NEWEST)
