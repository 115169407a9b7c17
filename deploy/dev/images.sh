# shellcheck shell=bash
# Decides where images come from: the public registry, or stand-ins built here from Debian packages,
# Maven Central and npm. In the second case a generated docker-compose.override.yml, which git ignores,
# makes plain `docker compose` commands use the stand-ins and the binaries compiled on the host.

STAND_INS=(rabbitmq kafka postgres haproxy mail)
# Those that not every stack has.
FURTHER_STAND_INS=()
OVERRIDE="$ROOT/docker-compose.override.yml"
STAND_IN_WORK="$ROOT/target/stand-in"
BINARIES="$ROOT/target/images/binaries"

# prepare_images [missing]: afterwards `docker compose up` finds all it needs. With `missing`, service images that
# are there are taken as they are, because building one again asks the registry for what it is built from.
prepare_images() {
  make_settings_readable
  if images_come_from_registry; then
    [ ! -e "$OVERRIDE" ] || write_empty_override
    name_prometheus
    add_pages
    step "official images" compose pull --ignore-buildable --policy missing
    { [ "${1:-}" = missing ] && service_images_are_here; } ||
      step "service images (compiled inside Docker)" compose build
    return 0
  fi
  require_stand_ins
  # Both may install packages, and only one of them at a time can.
  require_rust
  require_stand_in_tools
  # Images wait for the network most of the time, and compiling never does.
  together build_stand_ins compile_on_host
  write_override
  name_prometheus
  leave_pages_out
  step "service images" compose build
}

# fetch_stand_ins: what prepare_images takes longest for where the registry gives nothing, compiling aside.
fetch_stand_ins() {
  ! images_come_from_registry || return 0
  require_stand_ins
  require_stand_in_tools
  build_stand_ins
}

# Containers read the settings with users of their own, which a checkout under a strict umask does not let them.
make_settings_readable() {
  local settings=("$ROOT"/deploy/{gateway,kafka,observe,postgres,rabbitmq,secure})
  [ -n "$(find "${settings[@]}" ! -perm -o=r -print -quit)" ] || return 0
  chmod -R a+rX "${settings[@]}" ||
    die "containers cannot read the settings in deploy/." "As their owner: chmod -R a+rX ${settings[*]#"$ROOT"/}"
}

# SPILLWAY_IMAGES=official or stand-in decides. Otherwise images that are here decide, without the network, and
# only then the registry.
images_come_from_registry() {
  case ${SPILLWAY_IMAGES:-} in
    official) return 0 ;;
    stand-in) return 1 ;;
    '') official_images_are_here || { ! stand_ins_are_here && registry_answers; } ;;
    *) die "SPILLWAY_IMAGES is '$SPILLWAY_IMAGES'." "It may be 'official', 'stand-in' or unset." ;;
  esac
}

official_images_are_here() {
  local images
  mapfile -t images < <(official_images rabbitmq kafka postgres gateway mail)
  docker image inspect "${images[@]}" >/dev/null 2>&1
}

# official_images SERVICE...: the images that docker-compose.yml names, or variables instead of it.
official_images() { compose --file "$ROOT/docker-compose.yml" config --images "$@"; }

stand_ins_are_here() {
  local name
  for name in base "${STAND_INS[@]}"; do stand_in_exists "$name" || return 1; done
  say "Stand-in images are here and stay in use; SPILLWAY_IMAGES=official asks the image registry again."
}

service_images_are_here() {
  local images
  mapfile -t images < <(official_images "${SERVICES[@]}")
  docker image inspect "${images[@]}" >/dev/null 2>&1
}

# How long a registry that is silent is waited for, in seconds.
REGISTRY_PATIENCE=60

# Pulls one image, in which a slow line, a mirror that only the engine knows and a limit on pulls show as they are.
registry_answers() {
  local image said rc=0
  image=$(official_images gateway)
  said=$(timeout --kill-after 1 "$REGISTRY_PATIENCE" "${DOCKER[@]}" pull --quiet "$image" 2>&1) || rc=$?
  [ $rc -ne 0 ] || return 0
  [ $rc -ne 124 ] && [ $rc -ne 137 ] || said="no answer within $REGISTRY_PATIENCE s"
  REGISTRY_SAID="$image: ${said##*$'\n'}"
  say "The image registry gives no $REGISTRY_SAID"
  return 1
}

require_stand_ins() {
  stand_ins_can_be_built || die "the image registry gives no ${REGISTRY_SAID:-images}, and images of our own can be built on Debian and Ubuntu only." \
    "Make 'docker pull $(official_images gateway)' work, or bring the images that docker-compose.yml names with 'docker load'."
}

require_stand_in_tools() {
  ensure_packages mvn=maven npm=npm
  stand_in_exists base ||
    ensure_packages /usr/sbin/debootstrap=debootstrap /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
}

build_stand_ins() {
  local name
  stand_in_exists base || build_base
  for name in "${STAND_INS[@]}" "${FURTHER_STAND_INS[@]}"; do
    stand_in_exists "$name" || step "image $name" build_stand_in "$name"
  done
}

stand_ins_can_be_built() {
  command -v apt-get >/dev/null || { command -v mvn && command -v npm && command -v debootstrap; } >/dev/null
}

# stand_in NAME: the image's name. Its tag is a hash of the recipe (and of the base's), so that an image is
# built again exactly when its recipe changed.
stand_in() {
  local recipe="$ROOT/deploy/stand-in" folders=(base)
  [ "$1" = base ] || folders+=("$1")
  printf 'spillway/%s:%s' "$1" "$(
    cd "$recipe" && find "${folders[@]}" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-12
  )"
}

stand_in_exists() { docker image inspect "$(stand_in "$1")" >/dev/null 2>&1; }

build_base() {
  step "Debian base (debootstrap)" bootstrap_debian
  step "image base" build_stand_in base --build-arg BOOTSTRAP=spillway/bootstrap:forky
}

# Debian's next release has the brokers and the database in the versions that we name. The script `sid`
# bootstraps every release, also one that this machine's debootstrap does not know by name yet.
bootstrap_debian() {
  local mirror root
  mirror=$(debian_mirror)
  root=$(mktemp -d)
  as_root debootstrap --variant=minbase --include=ca-certificates forky "$root" "$mirror" /usr/share/debootstrap/scripts/sid
  as_root tar -C "$root" --exclude=./var/cache/apt/archives/*.deb -c . | docker import - spillway/bootstrap:forky
  as_root rm -rf "$root"
}

build_stand_in() {
  local name=$1 context=()
  shift
  case $name in
    kafka)
      fetch_kafka
      context=(--build-context "jars=$STAND_IN_WORK/kafka")
      ;;
    mail)
      fetch_mail
      context=(--build-context "modules=$STAND_IN_WORK/mail/node_modules")
      ;;
  esac
  # The network of the host, because a name server on a loopback address answers nobody else.
  docker build --network host --tag "$(stand_in "$name")" --build-arg "BASE=$(stand_in base)" \
    "${context[@]}" "$@" "$ROOT/deploy/stand-in/$name"
}

fetch_kafka() {
  rm -rf "$STAND_IN_WORK/kafka"
  mvn --batch-mode --quiet --file "$ROOT/deploy/stand-in/kafka/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$STAND_IN_WORK/kafka"
}

fetch_mail() {
  mkdir -p "$STAND_IN_WORK/mail"
  cp "$ROOT/deploy/stand-in/mail/package.json" "$STAND_IN_WORK/mail/"
  npm install --prefix "$STAND_IN_WORK/mail" --omit=dev --no-fund --no-audit
}

# The binaries that end in images.
SERVICES=(order inventory notification console load)

# What is compiled. Tests turn on features of some crates, so `./dev test` compiles its binaries with them
# rather than every shared crate twice.
COMPILED=(--workspace --bins)

compile_on_host() {
  require_rust
  step "compile (release)" cargo build --release --locked "${COMPILED[@]}"
  # A folder with nothing else in it, because the build is sent the whole folder.
  mkdir -p "$BINARIES"
  local name
  for name in "${SERVICES[@]}"; do
    [ ! -e "$ROOT/target/release/$name" ] || cp -u "$ROOT/target/release/$name" "$BINARIES/"
  done
}

require_rust() {
  local needed found
  needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
  command -v cargo >/dev/null || die "Rust is missing (no cargo)." "Install it with rustup, $needed or newer, and open a new shell."
  found=$(rustc --version | cut -d ' ' -f 2)
  is_at_least "$needed" "$found" ||
    die "Rust $found is too old." "Update it with rustup, to $needed or newer."
  ensure_packages gcc=gcc pkg-config=pkg-config curl=curl \
    /usr/include/zlib.h=zlib1g-dev /usr/include/openssl/ssl.h=libssl-dev
}

write_empty_override() { printf "# Written by ./dev. Not kept by git.\nservices: {}\n" >"$OVERRIDE"; }

write_override() {
  local name
  {
    echo "# Generated by ./dev for a machine that cannot reach the image registry. Not kept by git."
    echo "services:"
    for name in "${STAND_INS[@]}"; do
      printf '  %s: {image: "%s"}\n' "$(compose_service "$name")" "$(stand_in "$name")"
    done
    for name in "${SERVICES[@]}"; do
      printf '  %s: {build: {args: {BASE_IMAGE: "%s"}, additional_contexts: {binaries: ./target/images}}}\n' \
        "$name" "\${BASE_IMAGE:-$(stand_in base)}"
    done
  } >"$OVERRIDE.new"
  mv "$OVERRIDE.new" "$OVERRIDE"
}

compose_service() { [ "$1" = haproxy ] && echo gateway || echo "$1"; }
