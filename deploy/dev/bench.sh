# shellcheck shell=bash
# ./dev bench: measures on a Compose project of its own, removed afterwards. The binary `bench` does it from the
# host; the load generator runs inside the project's network.

run_bench() {
  require_rust
  compile
  ! wants_help "$@" || exec "$ROOT/target/release/bench" "$@"
  "$ROOT/target/release/bench" --check "$@"
  ensure_engine
  use_project bench
  check_ports
  prepare_images
  trap remove_project EXIT
  start_empty_stack
  "$ROOT/target/release/bench" "$@"
}
