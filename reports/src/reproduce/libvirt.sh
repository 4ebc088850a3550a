# Words are split on purpose, and functions are called by what a variable says.
# shellcheck disable=SC2016,SC2086,SC2317
set -u
export LC_ALL=C

# Where the two daemons are, for virsh: as qemu+ssh://root at a host, /system.
: "${SRC_URI:?the libvirt URI of the source}" "${DST_URI:?the libvirt URI of the destination}"
# The destination, as the source's daemon reaches it.
DST_PEER_URI=${DST_PEER_URI:-$DST_URI}
# virsh, and what runs a command on each host, as `ssh source`; nothing where it is this one. Each is split at
# white space.
VIRSH=${VIRSH:-virsh}
SRC_RUN=${SRC_RUN:-}
DST_RUN=${DST_RUN:-}

NAME={{NAME}}
IMAGE={{IMAGE_PATH}}

src() { $VIRSH -q -c "$SRC_URI" "$@"; }
dst() { $VIRSH -q -c "$DST_URI" "$@"; }

clear_away() {
    for side in src dst; do
        "$side" destroy "$NAME"
        "$side" undefine "$NAME"
    done >/dev/null 2>&1 </dev/null
    { $SRC_RUN rm -f "$IMAGE"; $DST_RUN rm -f "$IMAGE"; } </dev/null
}
trap clear_away EXIT
trap 'exit 2' HUP INT TERM

# What the script itself needs; without it nothing is tried.
must() { "$@" || { echo "NOT TRIED: $*" >&2; exit 2; }; }

failed=0
fails() {
    echo "THE FAILURE SHOWS: $*"
    failed=1
}
is() { # what, as it is, as it should be
    echo "$1: $2"
    [ "$2" = "$3" ] || fails "$1 is $2, and should be $3"
}
state() {
    now=$("$1" domstate "$NAME" 2>/dev/null </dev/null) || now=absent
    echo "$now" | head -n 1
}
persistent() { "$1" dominfo "$NAME" 2>/dev/null </dev/null | awk '/^Persistent:/ { print $2 }'; }
lap() { # the guest counts its laps in its memory
    "$1" qemu-monitor-command "$NAME" --hmp 'xp /1xw {{LAP}}' 2>/dev/null </dev/null | awk 'NF > 1 { print $2; exit }'
}
guest() { # whether it goes on
    first=$(lap "$1")
    tries={{TRIES}}
    while [ "$tries" -gt 0 ]; do
        sleep 1
        [ "$(lap "$1")" = "$first" ] || { echo goes on; return; }
        tries=$((tries - 1))
    done
    echo stands still
}

# The guest: a boot sector that writes its memory from {{START}} to {{END}} lap after lap.
boot_image() {
    base64 -d <<'END'
{{IMAGE}}
END
    head -c {{PADDING}} /dev/zero
}
boot_image | $SRC_RUN tee "$IMAGE" >/dev/null || exit 2
boot_image | $DST_RUN tee "$IMAGE" >/dev/null || exit 2

domain() {
    cat <<'{{XML_END}}'
{{XML}}
{{XML_END}}
}

{{PREPARE}}

echo "virsh migrate {{MIGRATE_TOLD}}"
timeout {{DEADLINE}} $VIRSH -q -c "$SRC_URI" migrate {{MIGRATE}} </dev/null || {
    fails "the migration: exit status $?"
    exit 1
}

{{CHECKS}}
[ "$failed" = 0 ] && echo "all as it should be"
exit "$failed"
