# shellcheck shell=bash
# ./dev chaos: attacks the system under load and judges it, on a Compose project of its own, removed
# afterwards. The binary `chaos` does it from the host, through the Docker API and the published ports.

run_chaos() {
  require_rust
  compile
  ! wants_help "$@" || exec "$ROOT/target/release/chaos" "$@"
  take_guarantee_away "$@"
  ensure_engine
  use_project chaos
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
