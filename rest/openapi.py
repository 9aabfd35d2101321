"""The description of all routes, OpenAPI 3.1. A test holds it to the routes, and the routes to it."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

HASH: Object = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of a picture's bytes"}
REASONS = {
    400: "The request cannot be understood: no body, no name or one that is too long, not the JSON expected",
    401: "An API key is needed, and none that is in force was shown",
    403: "The key lacks the scope, the web page may not ask, or the URL does not lead to a public host",
    404: "Nothing is known of it",
    408: "The body did not arrive in time",
    413: "Too many bytes or pixels",
    415: "Not a picture, or of a format that is not allowed",
    422: "A picture that cannot be processed",
    429: "The limit of the key, or of keys not in force from one address, is reached; see Retry-After",
    502: "The address could not be fetched",
    503: "Redis, RabbitMQ or the image store is away or full: nothing was accepted; see Retry-After",
}
GUARDED = (400, 401, 403, 429, 503)
BODY = (408, 413, 415, 422)


def _json(description: str, schema: Object) -> Object:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problems(*statuses: int) -> Object:
    return {
        str(status): {
            "description": REASONS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted(statuses)
    }


def _object(**properties: Object) -> Object:
    return {"type": "object", "required": list(properties), "properties": properties}


def _operation(summary: str, scope: str, responses: Object, **more: Any) -> Object:
    return {
        "summary": summary,
        "description": f"Where keys are needed, the key's scope must be `{scope}`.",
        "security": [{}, {"bearer": []}, {"header": []}],
        "responses": responses,
        **more,
    }


def _open(summary: str, responses: Object) -> Object:
    return {"summary": summary, "description": "Never needs a key.", "security": [{}], "responses": responses}


def _path(name: str, schema: Object, description: str) -> Object:
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _body(kind: str, schema: Object) -> Object:
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


ACCEPTED: Object = {
    "202": _json("Accepted, and new", {"$ref": "#/components/schemas/Accepted"}),
    "200": _json("Known already; its name is set", {"$ref": "#/components/schemas/Accepted"}),
}
NAME = _path(
    "name",
    {"type": "string", "minLength": 1},
    "The picture's name: anything, slashes too; at most 512 characters",
)
PICTURE = _path("picture_id", {"type": "string"}, "The picture's hash; of anything else nothing is known")

PATHS: Object = {
    "/": {"get": _open("The server is there", {"200": _json("It is", {"type": "object"})})},
    "/scan/image/{name}": {
        "parameters": [NAME],
        "post": _operation(
            "Send a picture under a name",
            "scan",
            ACCEPTED | _problems(*GUARDED, *BODY),
            **_body("application/octet-stream", {"type": "string", "format": "binary"}),
        ),
    },
    "/scan/url": {
        "post": _operation(
            "Send the address of a picture, which is its name; one already processed is not fetched again",
            "scan",
            ACCEPTED | _problems(*GUARDED, *BODY, 502),
            **_body("application/json", _object(url={"type": "string", "minLength": 1})),
        ),
    },
    "/match/{picture_id}": {
        "parameters": [PICTURE],
        "get": _operation(
            "Names of the other pictures that show a matching face, the nearest first",
            "search",
            {
                "200": _json(
                    "Names and URLs; none for a picture that is unknown, without a face, or not done yet",
                    {"type": "array", "items": {"type": "string"}},
                )
            }
            | _problems(*GUARDED),
        ),
    },
    "/status/{picture_id}": {
        "parameters": [PICTURE],
        "get": _operation(
            "What became of a picture",
            "read",
            {
                "200": _json("Its status", {"$ref": "#/components/schemas/Status"}),
                "404": _json(REASONS[404], _object(hash={"type": "string"}, state={"const": "unknown"})),
            }
            | _problems(*GUARDED),
        ),
    },
    "/v1/pictures/{picture_id}": {
        "parameters": [PICTURE],
        "delete": _operation(
            "Erase a picture with all that was made from it",
            "admin",
            {"204": {"description": "It is erased"}} | _problems(*GUARDED, 404),
        ),
    },
    "/healthz": {
        "get": _open("The process lives", {"200": _json("It does", _object(state={"const": "alive"}))})
    },
    "/readyz": {
        "get": _open(
            "Pictures can be taken",
            {
                "200": _json(
                    "They can, or could if the queue were not full",
                    _object(state={"const": "ready"}, queue={"enum": ["open", "full"]}),
                )
            }
            | _problems(503),
        )
    },
    "/openapi.json": {"get": _open("This description", {"200": _json("It", {"type": "object"})})},
}

SCHEMAS: Object = {
    "Accepted": _object(hash=HASH) | {"additionalProperties": False},
    "Status": _object(
        hash=HASH,
        state={"enum": ["pending", "done", "failed"]},
        accepted={"type": "number", "description": "Unix seconds"},
        finished={"type": ["number", "null"], "description": "Unix seconds"},
        model={"type": ["string", "null"]},
        faces={"type": "array", "items": _object(box={"$ref": "#/components/schemas/Box"})},
        code={"type": ["string", "null"], "description": "Why it failed, for programs"},
        reason={"type": ["string", "null"], "description": "Why it failed, for people"},
        names={"type": "array", "items": {"type": "string"}},
    ),
    "Box": _object(**{side: {"type": "number"} for side in ("left", "top", "right", "bottom")}),
    "Problem": {
        **_object(
            title={"type": "string"},
            status={"type": "integer"},
            code={"type": "string", "description": "For programs; stays the same"},
            detail={"type": "string", "description": "For people"},
        ),
        "description": "RFC 9457; `request_id` finds the request in the log",
    },
}

DOCUMENT: Object = {
    "openapi": "3.1.0",
    "info": {
        "title": "Facefleet",
        "version": "1",
        "summary": "Tells which pictures show the same face",
        "license": {"name": "MIT", "identifier": "MIT"},
    },
    "paths": PATHS,
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        },
    },
}
