"""Holds every object against the strict schemas of the API: validate.py VERSION...

What is looked at are the files as they stand, and where kustomize or kubectl is at hand, what the overlays become. Kinds of KEDA
and of the Gateway API are looked at by e2e/pages. Ends with 1 when an object is wrong.
"""

import pathlib
import shutil
import subprocess
import sys

import kubernetes_validate
import yaml

FOLDER = pathlib.Path(__file__).resolve().parent
ELSEWHERE = ("keda.sh/", "gateway.networking.k8s.io/")


def documents(text, place):
    """Objects with the place where they stand."""
    for document in yaml.safe_load_all(text):
        if document:
            yield place, document


def objects():
    """Everything in the files, then everything that is made of them."""
    for part in ("base", "overlays"):
        for file in sorted((FOLDER / part).rglob("*.yaml")):
            if file.name != "kustomization.yaml":
                yield from documents(file.read_text(), file.relative_to(FOLDER.parent.parent))
    renders = [command for command in (["kustomize", "build"], ["kubectl", "kustomize"]) if shutil.which(command[0])]
    for overlay in sorted((FOLDER / "overlays").iterdir()):
        if renders:
            made = subprocess.run([*renders[0], str(overlay)], capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise SystemExit(f"{overlay.name} cannot be rendered: {made.stderr.strip()}")
            yield from documents(made.stdout, f"{overlay.name}, rendered")
        else:
            print(f"{overlay.name} is not rendered: there is no kustomize here")


def wrong(document, version):
    """What is wrong with an object, if anything is."""
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"/{'/'.join(map(str, error.absolute_path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return error.message
    return None


def main(versions):
    count, found = 0, []
    for place, document in objects():
        if str(document.get("apiVersion")).startswith(ELSEWHERE):
            continue
        count += 1
        for version in versions:
            what = wrong(document, version)
            if what:
                name = document.get("metadata", {}).get("name")
                found.append(f"{place}: {document.get('kind')} {name}, in {version}: {what}")
    if found:
        raise SystemExit("\n".join(found))
    if count < 20 or not versions:
        raise SystemExit(f"only {count} objects and {len(versions)} versions were found")
    print(f"{count} objects are valid in {', '.join(versions)}")


main(sys.argv[1:])
