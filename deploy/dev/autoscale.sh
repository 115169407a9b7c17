# shellcheck shell=bash
# ./dev autoscale: scales services on Compose by the files that KEDA gets on Kubernetes.

run_autoscale() {
  require_rust
  compile
  ! wants_help "$@" || exec "$ROOT/target/release/autoscale" "$@"
  # A file that cannot be obeyed is an error of its own, whether anything runs or not.
  "$ROOT/target/release/autoscale" --check "$@"
  require_running_system
  addresses localhost
  # In place of this shell, so that Ctrl-C reaches the program alone, which finishes what it has begun.
  exec "$ROOT/target/release/autoscale" "$@"
}
