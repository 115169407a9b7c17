# shellcheck shell=bash
# What holds the objects of deploy/kubernetes against the schemas of the API: kubernetes-validate from PyPI.

KUBERNETES_VALIDATE=1.37.0
KUBERNETES_VERSIONS=(1.34 1.37)
KUBERNETES_WORK="$ROOT/target/kubernetes"

require_kubernetes() {
  ensure_packages python3=python3
  # Debian has what makes a virtual environment in a package of its own.
  ensure_packages "$(python_library)/ensurepip=python3-venv"
}

fetch_kubernetes_validate_once() {
  kubernetes_validate_is_here || step "kubernetes-validate $KUBERNETES_VALIDATE (PyPI)" fetch_kubernetes_validate
}

validate_kubernetes() {
  "$KUBERNETES_WORK/bin/python" deploy/kubernetes/validate.py "${KUBERNETES_VERSIONS[@]}"
}

python_library() { python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))'; }

kubernetes_validate_is_here() {
  compgen -G "$KUBERNETES_WORK/lib/python3*/site-packages/kubernetes_validate-$KUBERNETES_VALIDATE.dist-info" >/dev/null
}

fetch_kubernetes_validate() {
  python3 -m venv --clear "$KUBERNETES_WORK"
  "$KUBERNETES_WORK/bin/pip" install --quiet --disable-pip-version-check "kubernetes-validate==$KUBERNETES_VALIDATE"
}
