# shellcheck shell=bash
# The secure system: deploy/compose.secure.yml, laid over docker-compose.yml in a project of its own. Its passwords, keys and
# certificates are in .secrets/PROJECT, which git ignores and only its owner can enter.

# wants_secure ARGUMENTS...
wants_secure() { case " $* " in *" --secure "*) ;; *) return 1 ;; esac }

is_secure() { [[ $(project) == *-secure ]]; }

# use_secrets: where Compose finds them.
use_secrets() {
  export SPILLWAY_SECRETS
  SPILLWAY_SECRETS=$ROOT/.secrets/$(project)
}

# Whether nothing has to be made: certificates near their end are made anew while the system runs.
secrets_are_good() {
  is_secure || return 0
  [ -s "$SPILLWAY_SECRETS/ca.pem" ] &&
    [ -n "$(find "$SPILLWAY_SECRETS/ca.pem" -mtime -80 2>/dev/null)" ]
}

# make_secrets: passwords once, certificates when they are missing or near their end. In a container of the image of
# PostgreSQL, which has openssl, so that it is the same on every machine, and without a network.
make_secrets() {
  is_secure || return 0
  check_passwords
  mkdir -p "$SPILLWAY_SECRETS"
  chmod 700 "$ROOT/.secrets" "$SPILLWAY_SECRETS"
  local before
  before=$(cat "$SPILLWAY_SECRETS/ca.pem" 2>/dev/null || true)
  step "passwords and certificates" make_secrets_in_container
  # Whoever runs holds the old ones.
  [ "$(cat "$SPILLWAY_SECRETS/ca.pem")" = "$before" ] || RECREATE=(--force-recreate)
}

make_secrets_in_container() {
  docker run --rm --network none --user "$(id -u):$(id -g)" --entrypoint bash \
    --volume "$SPILLWAY_SECRETS:/secrets" --volume "$ROOT/deploy:/deploy:ro" \
    "$(compose config --images postgres)" /deploy/secure/make /secrets /deploy
}

# Passwords are in the volumes as well: without the ones that were made with them nobody gets in.
check_passwords() {
  [ ! -s "$SPILLWAY_SECRETS/passwords/postgres" ] || return 0
  [ -n "$(docker volume ls --quiet --filter "name=^$(project)_postgres\$")" ] || return 0
  die "the data of $(project) is there, and its passwords in ${SPILLWAY_SECRETS#"$ROOT"/} are gone." \
    "Bring the folder back, or remove the data: ./dev reset$(flag)"
}

remove_secrets() {
  ! is_secure || rm -rf "$SPILLWAY_SECRETS"
}

# test_secure: the secure system as a whole, on a stack of its own.
test_secure() (
  use_project test-secure
  check_ports
  step "service images of the secure system" compose build
  trap remove_secure_project EXIT
  remove_stack
  remove_secrets
  start_stack
  shown_step "tests of the secure system" cargo test --release --locked -p e2e --test secure
)

remove_secure_project() {
  local rc=$?
  trap - EXIT
  [ "$rc" -eq 0 ] || save_container_logs
  remove_stack
  remove_secrets
  exit "$rc"
}

print_secure_addresses() {
  local gateway
  gateway=http://localhost:$(setting GATEWAY_PORT 8080)
  cat <<ADDRESSES

  Page        $gateway/   asks for the admin token where it is needed
  API pages   $gateway/order/docs/     $gateway/inventory/docs/   $gateway/notification/docs/
              $gateway/console/docs/
  E-mails     http://localhost:$(setting MAIL_PORT 1080)/
  RabbitMQ    https://localhost:$(setting RABBITMQ_UI_PORT 15672)/   (guest)   amqps://localhost:$(setting AMQP_PORT 5672)/
  Kafka       $(kafka_brokers)   (SASL_SSL, e2e)
  Secrets     ${SPILLWAY_SECRETS#"$ROOT"/}/operator/   admin-token, ca.pem, and the passwords of guest, e2e and postgres

ADDRESSES
}
