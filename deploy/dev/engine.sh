# shellcheck shell=bash
# Finds a Docker engine with Compose and buildx, or installs them from the distribution's packages.

DOCKER=(docker)
docker() { command "${DOCKER[@]}" "$@"; }
compose() { docker compose "$@"; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null || die "this needs root: $*." "Run it as root or install sudo."
    sudo "$@"
  fi
}

# ensure_engine: afterwards `docker` and `docker compose` answer.
ensure_engine() {
  if ! engine_answers; then
    ! engine_refuses || die "you may not use the Docker engine that runs here." \
      "Join its group and log in again: sudo usermod --append --groups docker $(id -un)"
    command -v dockerd >/dev/null || install_packages_of_docker
    engine_answers || start_engine
  fi
  engine_is_new_enough || die "the Docker engine is older than version 25." "Install a newer one, then run this again."
  plugins_answer || install_packages_of_docker
  plugins_answer || die "the Docker plugins compose and buildx do not answer." \
    "Install Docker Compose 2.24 or newer and buildx 0.12 or newer, then run this again."
  compose_is_new_enough || die "Docker Compose $(compose_version) is older than version 2.24." "Install a newer one, then run this again."
}

engine_answers() {
  command docker info >/dev/null 2>&1 && return 0
  # Somebody outside of the group `docker` may still use the engine through sudo.
  [ "$(id -u)" -ne 0 ] && sudo -n "$(type -P docker)" info >/dev/null 2>&1 && DOCKER=(sudo -E docker)
}

# Health checks that are frequent only at the start came with version 25.
engine_is_new_enough() {
  local version
  version=$(docker version --format '{{.Server.Version}}')
  [ "${version%%.*}" -ge 25 ]
}

# Overrides that extend what a build is given, and health checks that are frequent only at the start, came with it.
compose_is_new_enough() { is_at_least 2.24 "$(compose_version)"; }

compose_version() {
  local version
  version=$(docker compose version --short)
  echo "${version#v}"
}

# is_at_least LEAST VERSION
is_at_least() { printf '%s\n' "$1" "$2" | sort --check=quiet --version-sort; }

engine_refuses() { [[ "$(command docker info 2>&1)" == *'permission denied'* ]]; }

plugins_answer() {
  docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1
}

install_packages_of_docker() {
  require_apt "Docker with the plugins compose and buildx"
  say "No Docker engine with Compose and buildx found: installing the distribution's packages as root."
  step "package lists" refresh_package_lists
  LISTS_ARE_FRESH=yes
  if has_package docker-buildx && has_package docker-compose-v2; then
    step "Docker engine (packages of Ubuntu)" apt_install docker.io docker-compose-v2 docker-buildx
  elif has_package docker-buildx; then
    step "Docker engine (packages of Debian)" apt_install docker.io docker-cli docker-compose docker-buildx
  else
    # Debian 12 has no buildx, and an engine whose BuildKit knows no named contexts.
    step "Docker engine (packages of Debian 13)" install_from_trixie \
      docker.io docker-cli docker-compose docker-buildx containerd
  fi
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    as_root systemctl enable --now docker >/dev/null 2>&1 || true
  else
    say "No init system here: starting dockerd by hand (its log is /var/log/dockerd.log)."
    as_root sh -c 'setsid nohup dockerd >>/var/log/dockerd.log 2>&1 </dev/null &'
  fi
  local deadline=$((SECONDS + 60))
  until engine_answers; do
    [ $SECONDS -lt $deadline ] || die "the Docker engine does not answer." \
      "See /var/log/dockerd.log or 'journalctl -u docker'; are you allowed to use /var/run/docker.sock?"
    sleep 0.3
  done
}

# Reads the package index of trixie with an apt configuration of its own, so that the machine's own
# sources stay as they are, and installs the packages named by file.
install_from_trixie() {
  local work mirror
  mirror=$(debian_mirror)
  work=$(mktemp -d)
  mkdir -p "$work"/{lists/partial,cache/archives/partial,parts,debs}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
  chmod -R a+rX "$work"
  local options=(
    -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/parts"
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache"
    -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root
  )
  as_root apt-get "${options[@]}" update
  (cd "$work/debs" && as_root apt-get "${options[@]}" download "$@")
  apt_install iptables "$work"/debs/*.deb
  as_root rm -rf "$work"
}

# Whether the package lists are as new as this run.
LISTS_ARE_FRESH=''

# ensure_packages COMMAND-OR-FILE=PACKAGE...: installs the packages whose command or file is missing.
ensure_packages() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || [ -e "${pair%%=*}" ] || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  require_apt "${missing[*]}"
  say "Installing as root: ${missing[*]}"
  step "packages ${missing[*]}" refresh_and_install "${missing[@]}"
  LISTS_ARE_FRESH=yes
}

refresh_and_install() {
  [ -n "$LISTS_ARE_FRESH" ] || refresh_package_lists
  apt_install "$@"
}

# A third-party source that is out of reach must not stop us: the install decides.
refresh_package_lists() { as_root apt-get -o Acquire::Check-Valid-Until=false update || true; }

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

has_package() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'; }

require_apt() {
  command -v apt-get >/dev/null || die "missing: $1." "Install it by hand; only Debian and Ubuntu are done automatically."
}

# The Debian mirror this machine already uses; DEBIAN_MIRROR names another.
debian_mirror() {
  local mirror=${DEBIAN_MIRROR:-}
  # shellcheck disable=SC2016
  [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m1 -E '/debian/?$' || true)
  [ -n "$mirror" ] || die "no Debian mirror is known on this machine." "Set DEBIAN_MIRROR to the address of one."
  echo "$mirror"
}
