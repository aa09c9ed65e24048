"""The settings file as a JSON Schema (draft 2020-12), for editors and for checks of deployments.

It is made of the parsers' options, so it says what they say. What cannot be said in a schema (that a file
must exist, that a key can be read) only `oakroot config check` tells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from oakroot.operate.config import FILE_SUFFIX
from oakroot.operate.options import Option

_JSON_TYPES = {"switch": "boolean", "integer": "integer", "number": "number", "text": "string"}


def schema(commands: Mapping[str, tuple[str, Collection[Option]]]) -> dict[str, object]:
    """Of commands by name, each with its line of help and its options."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:oakroot:settings",
        "title": "Settings of Oakroot",
        "description": "The settings file of oakroot: a table for each command, keys named like its options.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: _table(summary, {option.name: option for option in options})
            for name, (summary, options) in commands.items()
        },
    }


def _table(summary: str, options: Mapping[str, Option]) -> dict[str, object]:
    properties: dict[str, object] = {}
    for name, option in options.items():
        properties[name] = _setting(option)
        if name + FILE_SUFFIX not in options:
            properties[name + FILE_SUFFIX] = {
                "type": "string",
                "description": f"The path of a file that holds the value of {name}.",
            }
    return {
        "type": "object",
        "description": f"{summary[:1].upper()}{summary[1:]}.",
        "additionalProperties": False,
        "properties": properties,
        "allOf": [{"not": {"required": [name, name + FILE_SUFFIX]}} for name in options],
    }


def _setting(option: Option) -> dict[str, object]:
    value: dict[str, object] = {"type": _JSON_TYPES[option.kind]}
    if option.action.choices is not None:
        value["enum"] = list(option.action.choices)
    help_text = (option.action.help or "").removesuffix(f" [${option.variable}]").replace("%%", "%")
    described: dict[str, object] = {"description": help_text} if help_text else {}
    if not option.is_repeatable:
        return {**described, **value}
    return {**described, "anyOf": [value, {"type": "array", "items": value}]}
