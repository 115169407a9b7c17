# shellcheck shell=bash
# ./dev chaos: attacks the system under load and judges it, on a Compose project of its own, removed
# afterwards. The binary `chaos` does it from the host, through the Docker API and the published ports.

run_chaos() {
  take_guarantee_away "$@"
  set -- "${REMAINING[@]}"
  require_rust
  ensure_engine
  use_chaos_project
  check_ports
  prepare_images
  # Where the images are compiled inside Docker, the host has no binary yet.
  step "compile (release)" cargo build --release --locked "${COMPILED[@]}"
  trap finish_chaos EXIT
  start_empty_stack
  attack "$@"
}

# take_guarantee_away ARGUMENTS...: `--without GUARANTEE` is for the services, the rest is left in REMAINING.
take_guarantee_away() {
  REMAINING=()
  while [ $# -gt 0 ]; do
    if [ "$1" = --without ]; then
      export SPILLWAY_DEMO=true SPILLWAY_WITHOUT=${2:?"--without wants a guarantee"}
      shift
    else
      REMAINING+=("$1")
    fi
    shift
  done
}

# The payment deadline is short enough to pass for every order that nobody pays.
use_chaos_project() {
  export COMPOSE_PROJECT_NAME=spillway-chaos
  export GATEWAY_PORT=30080 AMQP_PORT=30672 RABBITMQ_UI_PORT=30674 KAFKA_PORT=30092 MAIL_PORT=31080
  export POSTGRES_PORT=30432
  # The attacks listen at the second one, and pass e-mails on to the first.
  export SMTP_PORT=31025 SMTP_PROXY_PORT=31026
  # The catcher deletes nothing that the checker will look for.
  export MAX_EMAILS=0 PAYMENT_DEADLINE=10s
  use_compose_files "$ROOT/deploy/compose.chaos.yml"
  export_addresses
}

# attack ARGUMENTS...: on the stack that is there.
attack() {
  rm -rf "$LOG_DIR/chaos"
  "$ROOT/target/release/chaos" "$@"
}

finish_chaos() {
  local rc=$?
  trap - EXIT
  remove_stack
  exit "$rc"
}
