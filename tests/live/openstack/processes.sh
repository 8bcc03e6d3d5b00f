# Sourced by up.sh and down.sh: where things are, and how a process is started, waited for and stopped.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${CLOUDMESH_LIVE_DIR:-/var/tmp/cloudmesh-live}/openstack
host=127.0.0.1
base=${CLOUDMESH_LIVE_PORT_BASE:-21000}
venv=$state/venv
sql_port=$((base + 3306)) queue_port=$((base + 5672)) epmd_port=$((base + 4369)) erlang_port=$((base + 5673))

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }
fail() { echo "live openstack: $*" >&2; exit 1; }

running() {  # NAME
    local pid; pid=$(cat "$state/run/$1.pid" 2>/dev/null) || return 1
    [ "$(ps -o sid= -p "$pid" 2>/dev/null | tr -d ' ')" = "$pid" ]  # leader of its own session: ours, no recycled number
}

start() {  # NAME COMMAND...
    local name=$1; shift
    running "$name" && return
    setsid nohup "$@" >>"$state/log/$name.log" 2>&1 </dev/null &
    echo $! >"$state/run/$name.pid"
}

await() {  # NAME CHECK...: until the check succeeds, at most two minutes and only while the process lives
    local name=$1 end=$((SECONDS + 120)); shift
    until "$@" >/dev/null 2>&1; do
        running "$name" || fail "$name ended: $(tail -n 3 "$state/log/$name.log")"
        [ $SECONDS -lt $end ] || fail "$name does not answer; see $state/log/$name.log"
        sleep 0.2
    done
}

listening() { (exec 3<>"/dev/tcp/$host/$1"); }
answering() { curl -sS -o /dev/null --max-time 20 "http://$host:$1/"; }

stop() {  # NAME...: all at once, politely, and after ten seconds not so politely
    local name pid pids=()
    for name; do
        running "$name" && pids+=("$(cat "$state/run/$name.pid")")
        rm -f "$state/run/$name.pid"
    done
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
    for _ in $(seq 100); do
        for pid in "${pids[@]}"; do kill -0 -- "-$pid" 2>/dev/null && sleep 0.1 && continue 2; done
        return 0
    done
    for pid in "${pids[@]}"; do kill -KILL -- "-$pid" 2>/dev/null; done
}
