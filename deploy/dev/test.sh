# shellcheck shell=bash
# ./dev test: everything that CI runs, on a Compose project with ports of its own, removed afterwards.

run_tests() {
  local what=${1:-all}
  case $what in
    lint) ;;
    all | unit | messaging | e2e | browser | chaos | cluster | secure | up | env | down) ensure_engine ;;
    *) die "there are no tests '$what'." "It may be: lint, unit, messaging, e2e, browser, chaos, cluster, secure, up, env, down." ;;
  esac
  use_project test
  expect_prometheus ''
  COMPILED=(--workspace --all-targets)
  case $what in
    all)
      require_browser
      FETCHED+=(fetch_axe_core_once fetch_stand_ins)
      run_lints
      test_everything
      test_promises
      say "All passed."
      ;;
    lint) run_lints ;;
    unit) on_test_stack test_crates ;;
    messaging) on_test_stack test_messaging ;;
    e2e) on_test_stack test_system ;;
    browser)
      prepare_browser
      on_test_stack test_page
      ;;
    chaos)
      prepare_images
      test_promises
      ;;
    cluster)
      prepare_images
      test_cluster
      ;;
    secure)
      prepare_images
      test_secure
      ;;
    up) start_test_stack ;;
    env) print_settings test ;;
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

# What lints, and later tests, need from the network.
FETCHED=(fetch_kubernetes_validate_once)

run_lints() {
  require_rust
  require_kubernetes
  ensure_packages node=nodejs
  step "cargo fmt" cargo fmt --all --check
  # The network is waited for most of the time, and compiling never waits. Only one of the two may install packages.
  together fetch_all lint_rust
  step "words and numbers of the page" node --test services/console/page/tests/*.test.js
  step "objects for Kubernetes" validate_kubernetes
}

fetch_all() {
  local fetch
  for fetch in "${FETCHED[@]}"; do "$fetch"; done
}

lint_rust() {
  # In the release profile like everything else, so that build scripts run once.
  step "cargo clippy" cargo clippy --release --locked --workspace --all-targets -- -D warnings
  # Its target is left out where everything is tested, because it needs a system of its own.
  step "cargo clippy, secure" cargo clippy --release --locked --workspace --test secure -- -D warnings
  step "cargo doc" env RUSTDOCFLAGS=-Dwarnings cargo doc --release --locked --workspace --no-deps
  step "pages and rooms" test_pages
}

# What the pages claim, and which crate and which room knows which. The tests of the package `pages` are named, because
# of that package alone, with features of its own, everything that it depends on would be compiled once more.
test_pages() {
  local names=("$ROOT"/e2e/pages/tests/*.rs)
  names=("${names[@]##*/}")
  names=("${names[@]%.rs}")
  cargo test --release --locked --workspace --no-fail-fast "${names[@]/#/--test=}"
}

# On a stack that is gone before the attacks begin.
test_everything() (
  trap finish_tests EXIT
  prepare_browser
  remove_stack
  start_test_stack
  test_alerts
  compile
  # Most tests wait for brokers more than they compute, so there are more at once than cores.
  shown_step "all tests" env RUST_TEST_THREADS=6 cargo test --release --locked --workspace --no-fail-fast
)

test_crates() {
  shown_step "tests of the crates and the databases" \
    cargo test --release --locked --workspace --exclude messaging --exclude messaging-tests --exclude e2e --exclude browser
}

test_messaging() {
  shown_step "tests of messaging on real brokers" cargo test --release --locked -p messaging -p messaging-tests
}

test_system() {
  test_alerts
  compile
  shown_step "tests of the running system" cargo test --release --locked -p e2e
}

# Before the tests, which have Prometheus fire them.
test_alerts() { step "rules and alerts (promtool)" check_rules; }

# Its screenshots are in target/screenshots.
test_page() {
  shown_step "tests of the console's page in a browser" cargo test --release --locked -p browser
}

# A small `./dev chaos`, with every kind of fault once for each seed. CHAOS_ORDERS and CHAOS_FAULTS make it larger.
test_promises() (
  use_project chaos
  check_ports
  step "service images of the attacks" compose build
  compile
  trap remove_project EXIT
  start_empty_stack
  shown_step "attacks under load" attack --orders "${CHAOS_ORDERS:-12000}" --faults "${CHAOS_FAULTS:-90}" \
    --seed 1 --seed 2 --seed 3 --json "$ROOT/target/dev/chaos.json"
)

# A small `./dev chaos --cluster`, with every kind of fault once.
test_cluster() (
  use_project chaos-cluster
  check_memory
  check_ports
  step "service images of the cluster" compose build
  compile
  trap remove_project EXIT
  start_empty_stack
  shown_step "attacks on a cluster" attack --cluster --orders "${CLUSTER_ORDERS:-1500}" --faults "${CLUSTER_FAULTS:-35}" \
    --seed 1 --json "$ROOT/target/dev/cluster.json"
)

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
