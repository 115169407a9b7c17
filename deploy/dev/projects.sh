# shellcheck shell=bash
# Compose projects beside the one of ./dev up: for tests, attacks and benchmarks. What is special about one, its
# ports and the settings of its services, stands in deploy/projects/NAME.env; what is laid over
# docker-compose.yml for it, in deploy/compose.PART.yml for each part of its name: chaos-cluster has two.

# What tests, attacks, benchmarks and the tour read.
ADDRESSES=(AMQP_URL RABBITMQ_API_URL KAFKA_BROKERS GATEWAY_URL MAIL_URL SPILLWAY_COMPOSE)

# use_project NAME: every later `docker compose`, also one that a test starts, means this project. The override
# has to exist by then, be it empty.
use_project() {
  local part
  set -a
  # shellcheck source=/dev/null
  . "$ROOT/deploy/projects/$1.env"
  set +a
  [ -e "$OVERRIDE" ] || write_empty_override
  export COMPOSE_FILE=$ROOT/docker-compose.yml:$OVERRIDE
  for part in ${1//-/ }; do
    [ ! -e "$ROOT/deploy/compose.$part.yml" ] || lay_over "$part"
  done
  ! is_cluster || PORTS+=("${PORTS_OF_NODES[@]}")
  ! is_secure || use_secrets
  addresses 127.0.0.1
}

# lay_over NAME: every later `docker compose` reads deploy/compose.NAME.yml as well.
lay_over() {
  [ -e "$OVERRIDE" ] || write_empty_override
  export COMPOSE_FILE
  COMPOSE_FILE=$(setting COMPOSE_FILE "$ROOT/docker-compose.yml:$OVERRIDE"):$ROOT/deploy/compose.$1.yml
}

# addresses HOST: where the system is that is meant now, wherever its ports were moved to. Kafka's published
# listener asks for no user. SPILLWAY_COMPOSE is how a test stops, starts and scales services.
addresses() {
  export "${ADDRESSES[@]}"
  AMQP_URL=amqp://e2e:demo-e2e@127.0.0.1:$(port AMQP_PORT)/spillway
  RABBITMQ_API_URL=http://$1:$(port RABBITMQ_UI_PORT)
  KAFKA_BROKERS=$(kafka_brokers)
  GATEWAY_URL=http://$1:$(port GATEWAY_PORT)
  MAIL_URL=http://$1:$(port MAIL_PORT)
  SPILLWAY_COMPOSE="${DOCKER[*]} compose"
  [ -n "$(port POSTGRES_PORT)" ] || return 0
  export TEST_DATABASE_URL DATABASE_URL
  TEST_DATABASE_URL=postgres://postgres:demo-postgres@127.0.0.1:$(port POSTGRES_PORT)/postgres
  DATABASE_URL=$TEST_DATABASE_URL
}

# kafka_brokers: the published listener of every node.
kafka_brokers() {
  local node port brokers=
  for node in KAFKA_PORT KAFKA_2_PORT KAFKA_3_PORT; do
    port=$(port "$node")
    [ -z "$port" ] || brokers+=,localhost:$port
  done
  echo "${brokers#,}"
}

# port NAME: as Compose sees it.
port() {
  local entry
  for entry in "${PORTS[@]}"; do
    [ "${entry%%:*}" != "$1" ] || setting "$1" "${entry##*:}"
  done
}

# print_settings NAME: what use_project sets, for another shell.
print_settings() {
  local name
  for name in $(sed -n 's/^\([A-Z_]*\)=.*/\1/p' "$ROOT/deploy/projects/$1.env") COMPOSE_FILE \
    TEST_DATABASE_URL DATABASE_URL ${PROMETHEUS_IMAGE:+PROMETHEUS_IMAGE} "${ADDRESSES[@]}"; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done
}

# compile: the programs that run on the host. Where images are compiled inside Docker, they are not there yet.
compile() { step "compile (release)" cargo build --release --locked "${COMPILED[@]}"; }

# wants_help ARGUMENTS...
wants_help() { case " $* " in *" -h "* | *" --help "*) ;; *) return 1 ;; esac }

# For a trap: whatever happened, nothing is left behind.
remove_project() {
  local rc=$?
  trap - EXIT
  remove_stack
  exit "$rc"
}
