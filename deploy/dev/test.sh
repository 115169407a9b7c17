# shellcheck shell=bash
# ./dev test: everything that CI runs, on a Compose project with ports of its own, removed afterwards.

run_tests() {
  local what=${1:-all}
  case $what in
    lint) ;;
    all | unit | messaging | e2e | chaos | up | env | down) ensure_engine ;;
    *) die "there are no tests '$what'." "It may be: lint, unit, messaging, e2e, chaos, up, env, down." ;;
  esac
  use_test_project
  case $what in
    all)
      run_lints
      test_everything
      test_promises
      say "All passed."
      ;;
    lint) run_lints ;;
    unit) on_test_stack test_crates ;;
    messaging) on_test_stack test_messaging ;;
    e2e) on_test_stack test_system ;;
    chaos)
      prepare_images
      test_promises
      ;;
    up) start_test_stack ;;
    env) print_test_settings ;;
    down) remove_stack ;;
  esac
}

# For one part of the tests, on the stack that is there; one that was started for it is removed after it.
on_test_stack() {
  require_rust
  if ! everything_is_healthy; then
    trap finish_tests EXIT
    start_test_stack
  fi
  "$@"
}

run_lints() {
  require_rust
  step "cargo fmt" cargo fmt --all --check
  # In the release profile like everything else, so that build scripts run once.
  step "cargo clippy" cargo clippy --release --locked --workspace --all-targets -- -D warnings
  step "cargo doc" env RUSTDOCFLAGS=-Dwarnings cargo doc --release --locked --workspace --no-deps
}

# On a stack that is gone before the attacks begin.
test_everything() (
  trap finish_tests EXIT
  remove_stack
  start_test_stack
  # Most tests wait for brokers more than they compute, so there are more at once than cores.
  shown_step "all tests" env RUST_TEST_THREADS=6 cargo test --release --locked --workspace --no-fail-fast
)

test_crates() {
  shown_step "tests of the crates and the databases" \
    cargo test --release --locked --workspace --exclude messaging --exclude e2e
}

test_messaging() {
  shown_step "tests of messaging on real brokers" cargo test --release --locked -p messaging
}

test_system() {
  shown_step "tests of the running system" cargo test --release --locked -p e2e
}

# A small `./dev chaos`, with every kind of fault once for each seed. CHAOS_ORDERS and CHAOS_FAULTS make it larger.
test_promises() (
  use_chaos_project
  check_ports
  step "service images of the attacks" compose build
  step "compile the attacks" cargo build --release --locked "${COMPILED[@]}"
  trap finish_chaos EXIT
  start_empty_stack
  shown_step "attacks under load" attack --orders "${CHAOS_ORDERS:-20000}" --faults "${CHAOS_FAULTS:-81}" \
    --seed 1 --seed 2 --seed 3 --json "$ROOT/target/dev/chaos.json"
)

use_test_project() {
  export COMPOSE_PROJECT_NAME=spillway-test
  export GATEWAY_PORT=18080 AMQP_PORT=15673 RABBITMQ_UI_PORT=15674 KAFKA_PORT=19092 MAIL_PORT=11080
  export POSTGRES_PORT=15432 OTLP_PORT=14317
  # No deadline passes while a test counts stock, however slow the machine is.
  export PAYMENT_DEADLINE=24h
  use_compose_files "$ROOT/deploy/compose.test.yml"
  COMPILED=(--workspace --all-targets)
  export_addresses
}

# What tests and attacks read. Kafka's published listener asks for no user.
export_addresses() {
  export TEST_DATABASE_URL=postgres://postgres:demo-postgres@127.0.0.1:$POSTGRES_PORT/postgres
  export DATABASE_URL=$TEST_DATABASE_URL
  export AMQP_URL=amqp://e2e:demo-e2e@127.0.0.1:$AMQP_PORT/spillway
  export RABBITMQ_API_URL=http://127.0.0.1:$RABBITMQ_UI_PORT
  export KAFKA_BROKERS=localhost:$KAFKA_PORT
  export GATEWAY_URL=http://127.0.0.1:$GATEWAY_PORT
  export MAIL_URL=http://127.0.0.1:$MAIL_PORT
}

# use_compose_files EXTRA...: sets COMPOSE_FILE, so that every later `docker compose`, also one that a test
# starts, means this project. The override has to exist by then, be it empty.
use_compose_files() {
  [ -e "$OVERRIDE" ] || write_empty_override
  COMPOSE_FILE=$ROOT/docker-compose.yml:$OVERRIDE
  local extra
  for extra in "$@"; do COMPOSE_FILE+=:$extra; done
  export COMPOSE_FILE
  # How a test stops, starts and scales services.
  export SPILLWAY_COMPOSE="${DOCKER[*]} compose"
}

print_test_settings() {
  local name
  for name in COMPOSE_PROJECT_NAME COMPOSE_FILE GATEWAY_PORT AMQP_PORT RABBITMQ_UI_PORT KAFKA_PORT MAIL_PORT \
    POSTGRES_PORT OTLP_PORT PAYMENT_DEADLINE TEST_DATABASE_URL DATABASE_URL AMQP_URL RABBITMQ_API_URL KAFKA_BROKERS GATEWAY_URL \
    MAIL_URL SPILLWAY_COMPOSE; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done
}

start_test_stack() {
  check_ports
  prepare_images
  start_stack
}

finish_tests() {
  local rc=$?
  trap - EXIT
  save_container_logs
  remove_stack
  exit "$rc"
}

save_container_logs() {
  mkdir -p "$LOG_DIR/containers"
  local service
  for service in $(services_that_are); do
    compose logs --no-color --timestamps "$service" >"$LOG_DIR/containers/$service.log" 2>&1 || true
  done
  say "The containers' logs are in ${LOG_DIR#"$ROOT"/}/containers/."
}
