# shellcheck shell=bash
# ./dev letters: the dead letters that the console has collected, without a browser.

LETTERS_API=/api/console

run_letters() {
  local command=list json='' by=${USER:-cli} reason='' rate='' all='' filter=() ids=()
  case ${1:-} in
    '' | -*) ;;
    *)
      command=$1
      shift
      ;;
  esac
  ! wants_help "$@" || command=help
  read_arguments "$@"
  case $command in
    list) list_letters ;;
    show) show_letter ;;
    replay) replay_letters ;;
    discard) discard_letters ;;
    restore) restore_letters ;;
    jobs) list_jobs ;;
    pause) change_job paused ;;
    resume) change_job running ;;
    stop) change_job stopped ;;
    help) letters_help ;;
    *) die "./dev letters does not know '$command'." "./dev letters --help says what it knows." ;;
  esac
}

letters_help() {
  cat <<'HELP'
The dead letters that the console has collected.

  ./dev letters [list]                   the open ones, the newest 100 of them
  ./dev letters show ID                  where, why and when it failed, its headers, body and history
  ./dev letters replay ID... [--rate N]  send them again, to the consumer that failed, N a second, 10 by default
  ./dev letters discard ID... --reason TEXT
  ./dev letters restore ID...            undo a discard
  ./dev letters jobs                     how far replays are
  ./dev letters pause JOB                a job of replays sends nothing for now
  ./dev letters resume JOB               and goes on, also after it has halted by itself
  ./dev letters stop JOB                 it ends; what it has not sent is open again

Instead of ids, replay, discard and restore take --all: all that are open, or discarded, and which the filters let through.

Filters of list and of --all:
  --consumer NAME --type TYPE --q TEXT   where it failed, its message type, a text in reason, headers, body or ids
  --state open|replaying|sent|handled|discarded|all

  --by NAME   who does it, for the history; $USER unless said otherwise
  --json      print the API's answer as it is
HELP
}

# Into the variables of run_letters.
read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=yes ;;
      --all) all=yes ;;
      -h | --help) ;;
      --by | --reason | --rate | --consumer | --type | --state | --q)
        [ $# -gt 1 ] || die "$1 needs a value." "./dev letters --help says which."
        case $1 in
          --by) by=$2 ;;
          --reason) reason=$2 ;;
          --rate)
            [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || die "--rate is how many letters a second, such as 50, and not '$2'."
            rate=$2
            ;;
          *) filter+=("${1#--}" "$2") ;;
        esac
        shift
        ;;
      -*) die "./dev letters does not know '$1'." "./dev letters --help says what it knows." ;;
      *)
        [[ $1 =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] ||
          die "'$1' is no id." "./dev letters shows those of dead letters, ./dev letters jobs those of jobs."
        ids+=("$1")
        ;;
    esac
    shift
  done
}

list_letters() {
  [ ${#ids[@]} -eq 0 ] || die "./dev letters list takes no ids." "One letter: ./dev letters show ID"
  ask GET "$LETTERS_API/letters?limit=100$(filter_in_address)"
  ! is_for_programs || return 0
  local i at row='%-36s  %-9s  %-30s  %6s  %-20s  %s\n'
  if [ -z "${JSON[letters.0.id]:-}" ]; then
    say "There is no such dead letter."
    return 0
  fi
  # shellcheck disable=SC2059
  printf "$row" ID STATE CONSUMER FAILED 'LAST TIME' REASON
  for ((i = 0; ; i++)); do
    at=letters.$i
    [ -n "${JSON[$at.id]:-}" ] || break
    # shellcheck disable=SC2059
    printf "$row" "${JSON[$at.id]}" "${JSON[$at.state]}" "$(one_line "${JSON[$at.consumer]}")" "${JSON[$at.failures]}" \
      "$(second_of "${JSON[$at.last_at]}")" "$(start_of "${JSON[$at.reason]}")"
  done
  [ -z "${JSON[next]:-}" ] || say "The newest $i of $(count_of_all). Filters: ./dev letters --help"
}

show_letter() {
  [ ${#ids[@]} -eq 1 ] || die "./dev letters show takes one id." "./dev letters shows the ids."
  ask GET "$LETTERS_API/letters/${ids[0]}"
  ! is_for_programs || return 0
  fact Letter id
  fact State state
  fact Consumer consumer
  fact Service service
  fact Handler handler
  fact 'Failed in' source.kind source.queue source.topic source.partition source.offset source.reason
  fact 'Sent to' source.exchange source.routing_key
  fact Replays target
  fact Message message_type message_id
  fact Order order_id version
  fact Failures failures
  fact Attempts attempts
  fact First first_at
  fact Last last_at
  fact Reason reason
  fact Revision revision
  [ "${JSON[overtaken]:-}" != true ] || printf '%-10s  %s\n' Overtaken 'yes: newer facts are known'
  fact Replay replay.state replay.by_instance replay.error
  [ "${JSON[replay.duplicate]:-}" != true ] || printf '%-10s  %s\n' Recognised 'yes: handled before, no second effect'
  fact Discarded discarded.by discarded.at discarded.reason
  list_of Headers headers name value
  list_of History history at who what detail
  say ""
  say "Body, ${JSON[body.shown]:-0} of ${JSON[body.size]:-0} bytes:"
  say "${JSON[body.text]:-${JSON[body.hex]:-}}"
}

replay_letters() {
  choose_letters replay
  ask POST "$LETTERS_API/replays" "{\"by\":$(json_text "$by")${rate:+,\"rate\":$rate},$CHOSEN}"
  ! is_for_programs || return 0
  say "Job ${JSON[id]} replays ${JSON[total]} dead letter(s), ${JSON[rate]} a second."
  say "What becomes of them: ./dev letters jobs"
}

discard_letters() {
  [ -n "$reason" ] || die "why?" "./dev letters discard ID... --reason TEXT"
  choose_letters discard
  ask POST "$LETTERS_API/letters/discard" "{\"by\":$(json_text "$by"),\"reason\":$(json_text "$reason"),$CHOSEN}"
  ! is_for_programs || return 0
  say "${JSON[count]} of $MATCHES discarded; ./dev letters restore takes that back."
}

restore_letters() {
  [ -z "$all" ] || filter+=(state discarded)
  choose_letters restore
  ask POST "$LETTERS_API/letters/restore" "{\"by\":$(json_text "$by"),$CHOSEN}"
  ! is_for_programs || return 0
  say "${JSON[count]} of $MATCHES restored."
}

list_jobs() {
  ask GET "$LETTERS_API/replays"
  ! is_for_programs || return 0
  local i at name cells row='%-36s  %-7s %6s %7s %7s %7s %7s %9s %7s %7s %7s  %s\n'
  if [ -z "${JSON[jobs.0.id]:-}" ]; then
    say "Nothing has been replayed yet."
    return 0
  fi
  # shellcheck disable=SC2059
  printf "$row" ID STATE RATE/S TOTAL WAITING SENT HANDLED DUPLICATE FAILED SILENT STOPPED 'BY, WHY'
  for ((i = 0; ; i++)); do
    at=jobs.$i
    [ -n "${JSON[$at.id]:-}" ] || break
    cells=()
    for name in id state rate total waiting sent handled duplicates failed silent stopped; do
      cells+=("${JSON[$at.$name]:-}")
    done
    # shellcheck disable=SC2059
    printf "$row" "${cells[@]}" "$(one_line "${JSON[$at.by]}${JSON[$at.why]:+, ${JSON[$at.why]}}")"
  done
}

# change_job STATE: of the one job that is named.
change_job() {
  [ ${#ids[@]} -eq 1 ] || die "which job?" "./dev letters jobs shows their ids."
  ask PATCH "$LETTERS_API/replays/${ids[0]}" "{\"by\":$(json_text "$by"),\"state\":\"$1\"}"
  ! is_for_programs || return 0
  local gone=$((JSON[total] - JSON[waiting] - JSON[stopped]))
  say "Job ${JSON[id]} is ${JSON[state]}: $gone of ${JSON[total]} dead letter(s) have been sent."
}

# choose_letters COMMAND: afterwards CHOSEN is which letters as the API takes it, and MATCHES how many those are.
choose_letters() {
  if [ -n "$all" ]; then
    [ ${#ids[@]} -eq 0 ] || die "it is either --all or ids, not both."
    count_matches
    CHOSEN="\"filter\":$(filter_in_json),\"expected\":$MATCHES"
  else
    [ ${#ids[@]} -gt 0 ] || die "which letters?" "./dev letters $1 ID..., or --all for all that the filters let through"
    [ ${#filter[@]} -eq 0 ] || die "filters go with --all, not with ids."
    CHOSEN="\"letters\":$(ids_in_json)" MATCHES=${#ids[@]}
  fi
}

# Prints the answer as it is if that is wanted; reads it otherwise.
is_for_programs() {
  if [ -n "$json" ]; then say "$ANSWER"; else read_json "$ANSWER" && false; fi
}

# Afterwards MATCHES is how many letters --all means; the API compares it with what it finds.
count_matches() {
  ask GET "$LETTERS_API/letters?limit=1$(filter_in_address)"
  read_json "$ANSWER"
  [ "${JSON[count_is_more]}" = false ] || die "more than ${JSON[count]} dead letters match." "Narrow it down by filters."
  MATCHES=${JSON[count]}
  [ "$MATCHES" != 0 ] || die "no dead letter matches."
}

count_of_all() {
  [ "${JSON[count_is_more]}" = false ] || { echo "more than ${JSON[count]}" && return; }
  echo "${JSON[count]}"
}

filter_in_address() {
  local i
  for ((i = 0; i < ${#filter[@]}; i += 2)); do printf '&%s=%s' "${filter[i]}" "$(url_text "${filter[i + 1]}")"; done
}

filter_in_json() {
  local i comma=''
  printf '{'
  for ((i = 0; i < ${#filter[@]}; i += 2)); do
    printf '%s"%s":%s' "$comma" "${filter[i]}" "$(json_text "${filter[i + 1]}")"
    comma=,
  done
  printf '}'
}

ids_in_json() {
  local list
  list=$(printf '"%s",' "${ids[@]}")
  echo "[${list%,}]"
}

# fact NAME PATH...: one line with the values that are there, or none.
fact() {
  local name=$1 path values=()
  shift
  for path in "$@"; do [ -z "${JSON[$path]:-}" ] || values+=("$(one_line "${JSON[$path]}")"); done
  [ ${#values[@]} -eq 0 ] || printf '%-10s  %s\n' "$name" "${values[*]}"
}

# list_of NAME PATH FIELD...: the elements of an array, one a line.
list_of() {
  local name=$1 path=$2 i field line
  shift 2
  [ -n "${JSON[$path.0.$1]+there}" ] || return 0
  say ""
  say "$name:"
  for ((i = 0; ; i++)); do
    [ -n "${JSON[$path.$i.$1]+there}" ] || break
    line=''
    for field in "$@"; do line+="  ${JSON[$path.$i.$field]:-}"; done
    one_line "$line"
  done
}

# Without the fractions of a second.
second_of() { echo "${1:0:19}Z"; }

# As much of a reason as has room beside the rest.
start_of() {
  local text
  text=$(one_line "$1")
  [ ${#text} -le 80 ] || text="${text:0:77}..."
  echo "$text"
}
