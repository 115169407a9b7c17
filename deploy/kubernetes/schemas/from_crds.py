"""Makes the JSON Schemas of this folder from CustomResourceDefinitions: from_crds.py FOLDER CRD...

One file for each kind and version. Descriptions and rules in CEL are left out, and fields that a kind does not have are
refused, as the API server does when it is asked to be strict.
"""

import json
import pathlib
import sys

import yaml

KEPT = ("type", "enum", "pattern", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def strict(schema):
    """What JSON Schema says for a part of a structural schema."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {key: schema[key] for key in KEPT if key in schema}
    if "properties" in schema:
        made["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = strict(schema["additionalProperties"])
    if "items" in schema:
        made["items"] = strict(schema["items"])
    for several in ("allOf", "anyOf", "oneOf"):
        if several in schema:
            made[several] = schema[several]
    return made


folder = pathlib.Path(sys.argv[1])
for name in sys.argv[2:]:
    crd = yaml.safe_load(pathlib.Path(name).read_text())["spec"]
    for version in crd["versions"]:
        if version["served"] and version["storage"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            file = f"{crd['names']['kind'].lower()}-{version['name']}.json"
            (folder / file).write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n")
