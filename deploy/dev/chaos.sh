# shellcheck shell=bash
# ./dev chaos: attacks the system under load and judges it, on a Compose project of its own, removed
# afterwards. The binary `chaos` does it from the host, through the Docker API and the published ports. With --cluster
# the system has three nodes of each broker.

run_chaos() {
  require_rust
  compile
  ! wants_help "$@" || exec "$ROOT/target/release/chaos" "$@"
  take_guarantee_away "$@"
  ensure_engine
  if wants_cluster "$@"; then use_project chaos-cluster; else use_project chaos; fi
  check_memory
  check_ports
  prepare_images
  trap remove_project EXIT
  start_empty_stack
  attack "$@"
}

# take_guarantee_away ARGUMENTS...: what `--without GUARANTEE` means for the services. Wrong arguments end here.
take_guarantee_away() {
  local settings line
  settings=$("$ROOT/target/release/chaos" --settings "$@")
  for line in $settings; do export "${line?}"; done
}

# attack ARGUMENTS...: on the stack that is there.
attack() {
  rm -rf "$LOG_DIR/chaos"
  "$ROOT/target/release/chaos" "$@"
}
