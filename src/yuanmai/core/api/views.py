"""The API's description: as a document for programs, as a page for people."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yuanmai.core.api.openapi import YuanmaiAPI
from yuanmai.core.web import public_page


def description_views(api: YuanmaiAPI) -> tuple[Any, Any]:
    """Return the views of the OpenAPI document and of the page that shows it."""

    @public_page("programs read how to call the interface before they have a token; it holds no data")
    @require_safe
    def openapi(request: HttpRequest) -> HttpResponse:
        """The description in OpenAPI 3.1."""
        return JsonResponse(api.description_document, json_dumps_params={"ensure_ascii": False})

    @public_page("people read how to call the interface before they have a token; it holds no data")
    @require_safe
    def reference(request: HttpRequest) -> HttpResponse:
        """The description as a page."""
        return render(request, "core/api_reference.html", {"rooms": _rooms(api.description_document)})

    return openapi, reference


def _rooms(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations by room, with parameters and schemas ready to be shown."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            rooms.setdefault((details.get("tags") or [""])[0], []).append(
                {
                    "path": path,
                    "method": method.upper(),
                    "summary": details.get("summary", ""),
                    "description": details.get("description", ""),
                    "permission": details["x-permission"],
                    "id": details["operationId"],
                    "parameters": [_parameter(p) for p in details["parameters"]],
                    "body": _fields(document, _body_schema(details)),
                    "answers": _answers(document, details),
                    "refusals": [s for s in details["responses"] if int(s) >= 400],
                }
            )
    return [{"name": name, "operations": operations} for name, operations in sorted(rooms.items())]


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "type": type_of(schema),
        "required": parameter["required"],
        "description": parameter.get("description", ""),
    }


def _body_schema(details: dict[str, Any]) -> dict[str, Any]:
    for content in details.get("requestBody", {}).get("content", {}).values():
        return dict(content["schema"])
    return {}


def _answers(document: dict[str, Any], details: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "status": status,
            "fields": _fields(
                document, answer.get("content", {}).get("application/json", {}).get("schema", {})
            ),
        }
        for status, answer in details["responses"].items()
        if int(status) < 400
    ]


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _fields(
    document: dict[str, Any], schema: dict[str, Any], prefix: str = "", depth: int = 0
) -> list[dict[str, Any]]:
    """Return the fields of a schema, nested ones under their path, four levels deep."""
    schema = _resolve(document, schema)
    if schema.get("type") == "array" and depth < 4:
        return _fields(document, schema.get("items", {}), f"{prefix}[]", depth + 1)
    fields = []
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        fields.append(
            {
                "name": path,
                "type": type_of(part),
                "required": name in schema.get("required", ()),
                "description": part.get("description", ""),
            }
        )
        inner = _resolve(document, part)
        if depth < 4 and (inner.get("properties") or inner.get("type") == "array"):
            fields += _fields(document, inner, path, depth + 1)
    return fields


def type_of(schema: dict[str, Any]) -> str:
    """Return a schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(type_of(option) for option in options))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"[{type_of(schema.get('items', {}))}]"
    kind = str(schema.get("type", "any"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind
