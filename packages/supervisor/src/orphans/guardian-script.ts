import { TOKEN_VARIABLE } from "./hub-mark.ts";
import { setLocksLimit } from "./launch-shim.ts";

/**
 * The guardian: `sh -c SCRIPT orchestrator-guardian TOKEN DIGITS`. It reads what it is told from its standard input until the end of
 * it, which comes when the hub is gone, however it died. Unless the last word was `bye`, it then kills what carries the hub's mark
 * and removes the files that it was told of.
 *
 * Why a shell script: one lives as long as its hub and does nothing in that time, so it should cost nothing. Measured while waiting:
 * dash 0.3 MB of its own, bash 0.5 MB, Perl 3 MB, Python 7 MB, Node 16 MB (44 MB resident); it starts in 4 ms, and there is one on
 * every Unix. Only Python could become the new parent of what is left (PR_SET_CHILD_SUBREAPER), which the marks make needless. A
 * parent-death signal (`setpriv --pdeathsig`) reaches only the child itself, none of its children, and is lost when a program
 * changes its user.
 *
 * The record goes last, and stays where a control group does: the next hub goes on with it.
 *
 * Words: `file PATH` removed if it is still the same file then; `socket PATH` removed if it is a socket; `record PATH` removed, because
 * its name holds the token; `forget PATH`; `group PID` a process group, for systems without /proc; `cgroup DIR` where control groups of the hub lie.
 */
export const GUARDIAN_SCRIPT = `trap '' HUP INT QUIT TERM PIPE ALRM USR1 USR2 TSTP TTIN TTOU
${setLocksLimit("unlimited")}
token=$1 digits=$2
shift 2
cd /

stamp() { stat -c %d:%i:%z -- "$1" 2>/dev/null || stat -f %d:%i:%Fc -- "$1" 2>/dev/null; }

start_of() {
  if [ ! -d /proc/self ]; then
    start=$(ps -o lstart= -p "$1" 2>/dev/null)
    [ -n "$start" ]; return
  fi
  text=
  while IFS= read -r part; do text="$text $part"; done < "/proc/$1/stat" || return 1
  set -f; set -- \${text##*) }; set +f
  start=\${20}
  case $1 in Z | X | '') return 1 ;; esac
}

is_marked() {
  while IFS= read -r part; do
    case $part in
      "Max file locks "*)
        set -f; set -- "$1" $part; set +f
        case $5 in "$digits"???????) return 0 ;; esac
        break ;;
    esac
  done < "/proc/$1/limits"
  grep -qsF "${TOKEN_VARIABLE}=$token" "/proc/$1/environ"
}

candidates() {
  command -v grep > /dev/null && command -v xargs > /dev/null || { printf '%s\\n' /proc/[0-9]*/limits; return; }
  printf '%s\\n' /proc/[0-9]*/limits | xargs grep -ls "^Max file locks  *$digits"
  printf '%s\\n' /proc/[0-9]*/environ | xargs grep -lsF "${TOKEN_VARIABLE}=$token"
}

sweep() {
  killed=0
  for entry in $(candidates); do
    pid=\${entry#/proc/} pid=\${pid%/*}
    start_of "$pid" || continue
    before=$start
    is_marked "$pid" && start_of "$pid" && [ "$start" = "$before" ] || continue
    kill -9 "$pid" && killed=$((killed + 1))
  done
}

end_groups() {
  for fact in "$@"; do
    case $fact in
      "cgroup "*) for dir in "\${fact#cgroup }/orchestrator-$token"-[0-9]*; do echo 1 > "$dir/cgroup.kill"; done ;;
      "group "*)
        fact=\${fact#group }
        start_of "\${fact%% *}" && [ "$start" = "\${fact#* }" ] && kill -9 "-\${fact%% *}" ;;
    esac
  done
}

remove_files() {
  for fact in "$@"; do
    case $fact in
      "file "*) fact=\${fact#file } path=/\${fact#*/}; [ "$(stamp "$path")" = "\${fact%%/*}" ] && rm -f -- "$path" ;;
      "socket "*) [ -S "\${fact#socket }" ] && rm -f -- "\${fact#socket }" ;;
    esac
  done
}

remove_group() {
  for sub in "$1"/*/; do [ -d "$sub" ] && remove_group "\${sub%/}"; done
  rmdir "$1"
}

remove_groups() {
  stays=0
  for fact in "$@"; do
    case $fact in
      "cgroup "*)
        for dir in "\${fact#cgroup }/orchestrator-$token"-*; do
          [ ! -d "$dir" ] || remove_group "$dir" || stays=1
        done ;;
    esac
  done
  return "$stays"
}

remove_record() {
  for fact in "$@"; do
    case $fact in
      "record "*) case \${fact##*/} in *"$token"*) rm -f -- "\${fact#record }" ;; esac ;;
    esac
  done
}

while IFS= read -r word; do
  case $word in
    bye) exit 0 ;;
    "file "*) path=\${word#file }; mark=$(stamp "$path") && set -- "$@" "file $mark$path" ;;
    "group "*) pid=\${word#group }; start_of "$pid" && set -- "$@" "group $pid $start" ;;
    "forget "*)
      word=\${word#forget } count=$#
      while [ "$count" -gt 0 ]; do
        case $1 in *" $word" | "file "*[!/]"$word" | "group $word "*) ;; *) set -- "$@" "$1" ;; esac
        shift; count=$((count - 1))
      done ;;
    *) set -- "$@" "$word" ;;
  esac
done

end_groups "$@"
quiet=0 left=150
while [ "$quiet" -lt 5 ] && [ "$left" -gt 0 ]; do
  [ -d /proc/self ] && sweep || killed=0
  if [ "$killed" -gt 0 ]; then quiet=0; else quiet=$((quiet + 1)); fi
  [ "$quiet" -eq 1 ] && remove_files "$@"
  left=$((left - 1))
  sleep 0.1 || sleep 1
done
end_groups "$@"
remove_files "$@"
left=50
until remove_groups "$@"; do
  left=$((left - 1))
  [ "$left" -gt 0 ] || exit 1
  sleep 0.1 || sleep 1
done
remove_record "$@"
`;
