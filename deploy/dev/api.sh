# shellcheck shell=bash
# Asks the HTTP API behind the gateway and reads its JSON. With bash and grep alone, so that whoever has only Docker
# needs nothing more.

# How long an answer is waited for, in seconds.
ANSWER_PATIENCE=30

# ask METHOD PATH [JSON]: afterwards STATUS is the status of the answer, and ANSWER its body. Ends here unless the
# answer is a success, with what the problem says in one line.
ask() {
  local LC_ALL=C method=$1 path=$2 body=${3:-} port answer head
  port=$(port GATEWAY_PORT)
  local request="$method $path HTTP/1.1"$'\r\n'"Host: localhost:$port"$'\r\nConnection: close\r\n'
  # In this locale the length of a text is its length in bytes.
  [ -z "$(setting ADMIN_TOKEN "")" ] || request+="Authorization: Bearer $(setting ADMIN_TOKEN "")"$'\r\n'
  [ -z "$body" ] || request+=$'Content-Type: application/json\r\n'"Content-Length: ${#body}"$'\r\n'
  answer=$(exchange "$port" "$request"$'\r\n'"$body") || true
  [[ $answer =~ ^HTTP/1\.1\ ([0-9]{3}) ]] || die "nothing answers at http://localhost:$port." "Start it: ./dev up"
  STATUS=${BASH_REMATCH[1]}
  head=${answer%%$'\r\n\r\n'*}
  ANSWER=${answer:${#head}+4}
  [[ $ANSWER == '{'* ]] || die "http://localhost:$port$path answers with status $STATUS and no JSON."
  [[ $STATUS == 2?? ]] || die_of_problem
}

# exchange PORT REQUEST: everything that is answered.
exchange() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf '%s' "$2" >&3 && timeout "$ANSWER_PATIENCE" cat <&3) 2>/dev/null
}

die_of_problem() {
  local text i at
  read_json "$ANSWER"
  text="${JSON[title]:-status $STATUS}"
  [ -z "${JSON[detail]:-}" ] || text+=": ${JSON[detail]}"
  for ((i = 0; ; i++)); do
    at=errors.$i
    [ -n "${JSON[$at.field]+there}" ] || break
    text+="; ${JSON[$at.field]}${JSON[$at.pointer]:+ at ${JSON[$at.pointer]}}: ${JSON[$at.detail]-${JSON[$at.message]-}}"
  done
  die "$(one_line "$text")"
}

# Every value that read_json has found, by its path, such as letters.0.id.
declare -A JSON

# A string, a mark, or a number or word. What is between them is white space.
JSON_TOKEN='"([^"\\]|\\.)*"|[][{},:]|[^][{},:" ]+'

# read_json TEXT: fills JSON. Null is empty, and nothing says that an object or an array was there.
read_json() {
  # By IFS the parts of a path are joined.
  local IFS=. tokens token depth=0 is_key='' at=() is_array=()
  JSON=()
  mapfile -t tokens < <(printable "$1" | LC_ALL=C grep --text --only-matching --extended-regexp "$JSON_TOKEN")
  for token in "${tokens[@]}"; do
    case $token in
      '{')
        is_array[++depth]='' is_key=yes
        ;;
      '[')
        is_array[++depth]=yes at[depth]=0 is_key=''
        ;;
      '}' | ']')
        unset "at[depth]"
        depth=$((depth - 1)) is_key=''
        ;;
      ,) if [ -n "${is_array[depth]}" ]; then at[depth]=$((at[depth] + 1)); else is_key=yes; fi ;;
      :) is_key='' ;;
      *)
        unquote "$token"
        if [ -n "$is_key" ]; then at[depth]=$TEXT; else JSON[${at[*]:-.}]=$TEXT; fi
        ;;
    esac
  done
}

# unquote TOKEN: afterwards TEXT is what it says. Control characters stay escaped, but for the end of a line and the
# tabulator: a body is somebody else's text, and a terminal obeys them.
unquote() {
  TEXT=$1
  case $TEXT in
    null) TEXT='' ;;
    \"*)
      TEXT=${TEXT:1:-1}
      [[ $TEXT == *\\* ]] || return 0
      # A character that is in no JSON stands for the backslash meanwhile.
      TEXT=${TEXT//\\\\/$'\1'}
      TEXT=${TEXT//\\\"/\"} TEXT=${TEXT//\\\//\/} TEXT=${TEXT//\\n/$'\n'} TEXT=${TEXT//\\t/$'\t'}
      TEXT=${TEXT//$'\1'/\\}
      ;;
  esac
}

# printable TEXT: without the characters by which JSON may still steer a terminal: those behind 7E, and those that
# turn the direction of writing.
printable() {
  LC_ALL=C sed 's/\x7f/?/g; s/\xc2[\x80-\x9f]/?/g; s/\xe2\x80[\x8e\x8f\xaa-\xae]/?/g; s/\xe2\x81[\xa6-\xa9]/?/g' <<<"$1"
}

one_line() {
  local text=${1//$'\n'/ }
  echo "${text//$'\t'/ }"
}

# json_text TEXT: as a string of JSON.
json_text() {
  local text=$1 backslash=\\
  text=${text//"$backslash"/"$backslash$backslash"}
  text=${text//\"/"$backslash\""}
  text=${text//$'\n'/"${backslash}n"}
  printf '"%s"' "${text//$'\t'/"${backslash}t"}"
}

# url_text TEXT: as a part of an address.
url_text() {
  local LC_ALL=C text=$1 i char code
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    case $char in
      [a-zA-Z0-9._~-]) printf '%s' "$char" ;;
      *)
        printf -v code '%d' "'$char"
        printf '%%%02X' $((code & 255))
        ;;
    esac
  done
}
