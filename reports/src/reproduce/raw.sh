set -eu

# The QEMU of each side: a path, or a command with its first arguments, split at white space.
SRC_QEMU=${SRC_QEMU:-{{EMULATOR}}}
DST_QEMU=${DST_QEMU:-{{EMULATOR}}}

# A QEMU that is not there shows nothing.
there() { # the variable, and the command that it is
    command -v "${2:-}" >/dev/null 2>&1 || {
        echo "NOT TRIED: ${2:-nothing} is not there: name another QEMU by $1"
        exit 2
    }
}
# shellcheck disable=SC2086
there SRC_QEMU $SRC_QEMU
# shellcheck disable=SC2086
there DST_QEMU $DST_QEMU

DIR=$(mktemp -d)
SRC_PID='' DST_PID=''
export DIR SRC_PID DST_PID
clear_away() {
    for pid in $SRC_PID $DST_PID; do
        kill -9 "$pid" 2>/dev/null || :
    done
    rm -rf "$DIR"
}
# The player alone says that the failure shows, by 9: whatever else ends the script could not be tried.
end() {
    status=$?
    clear_away
    case $status in
        0) exit 0 ;;
        9) exit 1 ;;
        *) exit 2 ;;
    esac
}
trap end EXIT
trap 'exit 2' HUP INT TERM

# The guest: a boot sector that writes its memory from {{START}} to {{END}} lap after lap.
base64 -d >"$DIR/boot" <<'END'
{{IMAGE}}
END
truncate -s {{IMAGE_BYTES}} "$DIR/boot"
{{DISK}}
# The source.
# shellcheck disable=SC2016,SC2086
$SRC_QEMU {{SOURCE}} &
SRC_PID=$!

# The destination.
# shellcheck disable=SC2016,SC2086
$DST_QEMU {{DESTINATION}} &
DST_PID=$!

python3 -u - <<'{{PYTHON_END}}'
LAP, MARK, START, END = {{LAP}}, {{MARK}}, {{START}}, {{END}}  # where the guest has its laps, and its memory
{{PLAYER}}

def play():
{{STEPS}}

try:
    source = Side("source", "SRC_QEMU", os.environ["SRC_PID"])
    destination = Side("destination", "DST_QEMU", os.environ["DST_PID"])
except (Shows, OSError) as why:
    print(f"NOT TRIED: {why}")
    sys.exit(2)
try:
    play()
except Shows as why:
    print(f"THE FAILURE SHOWS: {why}")
    sys.exit(9)
print("all as it should be")
{{PYTHON_END}}
