# shellcheck shell=bash
# ./dev tour: a walk through the ideas on the running system, step by step.

run_tour() {
  case ${1:-} in -h | --help) ;; *) require_running_system ;; esac
  require_rust
  step "compile (release)" cargo build --release --locked "${COMPILED[@]}"
  use_running_system
  # In place of this shell, so that Ctrl-C reaches the tour alone, which puts everything back.
  exec "$ROOT/target/release/tour" "$@"
}

require_running_system() {
  if ! engine_answers || ! everything_is_healthy; then
    die "the system is not running, or not healthy." "Start it: ./dev up"
  fi
}

# What the tour reads: the published addresses, wherever they were moved to. Kafka's published listener asks for
# no user.
use_running_system() {
  export AMQP_URL RABBITMQ_API_URL KAFKA_BROKERS GATEWAY_URL MAIL_URL SPILLWAY_COMPOSE
  AMQP_URL=amqp://e2e:demo-e2e@127.0.0.1:$(setting AMQP_PORT 5672)/spillway
  RABBITMQ_API_URL=http://localhost:$(setting RABBITMQ_UI_PORT 15672)
  KAFKA_BROKERS=localhost:$(setting KAFKA_PORT 9092)
  GATEWAY_URL=http://localhost:$(setting GATEWAY_PORT 8080)
  MAIL_URL=http://localhost:$(setting MAIL_PORT 1080)
  SPILLWAY_COMPOSE="${DOCKER[*]} compose"
}
