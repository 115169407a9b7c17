# shellcheck shell=bash
# The system as a whole: up, down, reset. Works on the Compose project that COMPOSE_PROJECT_NAME names.

# Every published port, with the variable that moves it. Those without a default are published for tests only.
PORTS=(GATEWAY_PORT:8080 AMQP_PORT:5672 RABBITMQ_UI_PORT:15672 KAFKA_PORT:9092 MAIL_PORT:1080 POSTGRES_PORT: SMTP_PORT: SMTP_PROXY_PORT:)
# Those of the nodes that only a cluster has.
PORTS_OF_NODES=(KAFKA_2_PORT:9093 KAFKA_3_PORT:9094)

stack_up() {
  local argument build=''
  for argument in "$@"; do
    case $argument in
      --build) build=yes ;;
      --observe) [ -n "$OBSERVED" ] || observe ;;
      *) die "./dev up does not know '$argument'." "./dev alone lists the commands." ;;
    esac
  done
  if [ -z "$build" ] && engine_answers && everything_is_healthy && secrets_are_good; then
    say "Already running; './dev up$(flag) --build' takes over changes to the code."
    print_addresses
    return 0
  fi
  ensure_engine
  check_memory
  check_ports
  if [ -n "$build" ]; then prepare_images; else prepare_images missing; fi
  start_stack
  print_addresses
}

stack_down() {
  engine_answers || { say "No Docker engine is running, so nothing is up."; return 0; }
  step "stop and remove containers" compose down --remove-orphans
  say "The data is kept; './dev reset$(flag)' removes it."
}

stack_reset() {
  ensure_engine
  remove_stack
  remove_secrets
}

stack_ps() {
  ensure_engine
  compose ps "$@"
}

stack_logs() {
  ensure_engine
  compose logs --follow --tail 100 "$@"
}

start_stack() {
  name_images_of_nodes
  make_secrets
  step "start and wait until healthy" up_and_wait
}

# A run that was killed has left its stack behind, and what is in there would be counted again.
start_empty_stack() {
  remove_stack
  start_stack
}

remove_stack() {
  step "remove containers and data of $(project)" remove_everything
}

# With what may have been laid over, whose data would stay behind.
remove_everything() {
  lay_over observe
  compose down --volumes --remove-orphans --timeout 5
}

# What is added to `compose up` when containers have to be made anew although nothing in their description changed.
RECREATE=()

up_and_wait() {
  compose up --detach --wait --wait-timeout 180 --remove-orphans "${RECREATE[@]}" && return 0
  # What failed is what a reader of the log file looks for, so it comes last.
  compose ps --all
  unhealthy_services | xargs -r "${DOCKER[@]}" compose logs --no-color --tail 20
  unhealthy_services | xargs -r "${DOCKER[@]}" compose ps --quiet |
    xargs -r "${DOCKER[@]}" inspect --format '{{.Name}}: {{with .State.Health}}{{range .Log}}{{.Output}}{{end}}{{end}}'
  return 1
}

project() { echo "${COMPOSE_PROJECT_NAME:-spillway}"; }

# What a user has to add to a command that is to mean the same system.
flag() { printf '%s%s%s' "$(! is_cluster || echo ' --cluster')" "$(! is_secure || echo ' --secure')" "${OBSERVED:+ --observe}"; }

services_that_are() {
  docker ps --all --filter "label=com.docker.compose.project=$(project)" "$@" \
    --format '{{.Label "com.docker.compose.service"}}' | sort -u
}

# Those that watch may be there as well.
everything_is_healthy() {
  local wanted
  wanted=$(compose config --services | sort) && [ -n "$wanted" ] &&
    [ -z "$(comm -23 <(echo "$wanted") <(services_that_are --filter health=healthy))" ] &&
    [ -z "$(unhealthy_services)" ]
}

unhealthy_services() {
  services_that_are --filter health=unhealthy
  services_that_are --filter health=starting
  services_that_are --filter status=exited
}

# check_ports: a taken port is an error of its own, before anything is built.
check_ports() {
  local entry variable port
  for entry in "${PORTS[@]}"; do
    variable=${entry%%:*}
    port=$(setting "$variable" "${entry##*:}")
    [ -n "$port" ] || continue
    is_ours "$port" || ! is_taken "$port" || die "port $port is taken$(by_whom "$port")." "$(way_around "$variable" "$port")"
  done
}

way_around() {
  case $(project) in
    spillway | spillway-cluster | spillway-secure)
      echo "Stop that, or move ours: $1=$(($2 % 10000 + 30000)) ./dev up$(flag) (or a line in the file .env)."
      ;;
    *) echo "Stop that first: the project $(project) has fixed ports." ;;
  esac
}

# setting NAME DEFAULT: as Compose sees it, from the environment or from .env.
setting() {
  local value=${!1:-}
  [ -n "$value" ] || value=$(sed -n "s/^$1=//p" "$ROOT/.env" 2>/dev/null | tail -n 1)
  echo "${value:-$2}"
}

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

is_ours() {
  [ -n "$(docker ps --quiet --filter "label=com.docker.compose.project=$(project)" --filter "publish=$1")" ]
}

by_whom() {
  local who
  who=$(docker ps --filter "publish=$1" --format 'container {{.Names}}' | head -n 1)
  [ -n "$who" ] || who=$(as_root ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:((\("[^"]*"\).*/\1/p' | head -n 1)
  [ -z "$who" ] || printf ' by %s' "$who"
}

print_addresses() {
  if is_secure; then print_secure_addresses; else print_open_addresses; fi
}

print_open_addresses() {
  local gateway ui mail
  gateway=http://localhost:$(setting GATEWAY_PORT 8080)
  ui=http://localhost:$(setting RABBITMQ_UI_PORT 15672)
  mail=http://localhost:$(setting MAIL_PORT 1080)
  cat <<ADDRESSES

  Page        $gateway/
  API pages   $gateway/order/docs/     $gateway/inventory/docs/   $gateway/notification/docs/
              $gateway/console/docs/   $gateway/load/docs/
  E-mails     $mail/
  RabbitMQ    $ui/   (guest, guest)   amqp://guest:guest@localhost:$(setting AMQP_PORT 5672)/
  Kafka       $(kafka_brokers)
$(observer_addresses)

ADDRESSES
}
