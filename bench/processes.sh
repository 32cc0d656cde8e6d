# shellcheck shell=bash
# What the processes of the stack have used so far; sourced by measure.sh.

parts=(serve other nginx postgres redis webdis)
declare -A pid=()

find_processes() {
  local part
  local -A file=(
    [serve]=order-api-1/pid [other]=order-api-other/pid [nginx]=nginx/pid
    [postgres]=postgres/data/postmaster.pid [redis]=redis/pid [webdis]=webdis/pid
  )
  for part in "${parts[@]}"; do
    [[ ! -s $STACK_DIR/${file[$part]} ]] || read -r "pid[$part]" <"$STACK_DIR/${file[$part]}"
  done
}

family() { # the process of a part, and those that it has started
  echo "${pid[$1]}"
  tr ' ' '\n' <"/proc/${pid[$1]}/task/${pid[$1]}/children"
}

# CPU time in hundredths of a second: of each part, processes that have ended included; of the load generators,
# which this shell has started and which have ended; of all that runs on this machine; and of that and idleness.
ticks() {
  local part process
  for part in "${parts[@]}"; do
    if [[ ! -v pid[$part] ]]; then
      echo 0
      continue
    fi
    for process in $(family "$part"); do cat "/proc/$process/stat" 2>/dev/null || true; done |
      awk '{ sub(/^.*\) /, ""); sum += $12 + $13; if (NR == 1) sum += $14 + $15 } END { print sum + 0 }'
  done
  awk '{ sub(/^.*\) /, ""); print $14 + $15 }' "/proc/$$/stat"
  awk '/^cpu / { busy = $2 + $3 + $4 + $7 + $8 + $9; print busy; print busy + $5 + $6 }' /proc/stat
}

# MiB: the most that the processes of a part ever had in memory. PostgreSQL's share most of theirs, and the kernel
# keeps no peak of a share: theirs is what they have now.
memory() {
  local process
  for process in $(family "$1"); do
    if [[ $1 == postgres ]]; then
      awk '/^Pss:/ { print $2 }' "/proc/$process/smaps_rollup" 2>/dev/null || true
    else
      awk '/^VmHWM:/ { print $2 }' "/proc/$process/status"
    fi
  done | awk '{ sum += $1 } END { printf "%.1f\n", sum / 1024 }'
}
