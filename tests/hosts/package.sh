#!/usr/bin/env bash
# Unpacks the archive that musicians download, plays the demo's phrase into the program and into the instrument slot in
# Ardour over JACK, and records what both sound like: call and answer are to be heard. Nothing of Rust is needed but `xtask`,
# which plays.
#
# usage: tests/hosts/package.sh ARCHIVE [FOLDER]      the recordings go to FOLDER, target/package unless given
# needs: an xtask that was built with --features jack, by the name in XTASK or in target/debug; Ardour 7, jackd and Xvfb; Debian 12:
#        ardour jackd2 xvfb xauth libgl1-mesa-dri libglx-mesa0 unzip
set -euo pipefail
archive=$(realpath "${1:?"usage: tests/hosts/package.sh ARCHIVE [FOLDER]"}")
cd "$(dirname "$0")/../.."
recordings=${2:-target/package}
xtask=$(realpath "${XTASK:-target/debug/xtask}")
ardour_library=/usr/lib/ardour7
# One phrase; its answer is waited for six seconds more.
seconds=5
recorded=11
# Of 32,767: what is below can hardly be heard.
SILENCE=300

fail() {
    tail -n 3 "$home"/*.log >&2
    echo "error: $*" >&2
    exit 1
}

mkdir -p "$recordings"
recordings=$(realpath "$recordings")
lua=$PWD/tests/hosts/ardour.lua
# A home of its own, so that nothing of the player's is read or written.
home=$(mktemp -d)
source tests/hosts/common.sh
trap finish EXIT
for tool in unzip Xvfb jackd jack_lsp jack_rec ardour7-lua "$ardour_library/ardour-vst3-scanner" "$xtask"; do
    command -v "$tool" > /dev/null || fail "$tool is missing; the head of $0 names the packages"
done
unset XDG_CACHE_HOME XDG_DATA_HOME
export HOME=$home XDG_CONFIG_HOME=$home/.config JACK_NO_AUDIO_RESERVATION=1

# start LOG COMMAND...: runs it until the end.
start() {
    local log=$home/$1.log
    shift
    "$@" > "$log" 2>&1 &
    started+=($!)
}

# peak FILE FROM: the largest sample from that second on, of 32,767.
peak() {
    tail -c "+$((45 + $2 * 48000 * 2))" "$1" | od -An -v -t d2 -w2 |
        awk '{ size = $1 < 0 ? -$1 : $1 } size > peak { peak = size } END { print peak + 0 }'
}

# answers NAME MIDI_IN MIDI_OUT AUDIO: what is played there sounds, and what is answered after it, too.
answers() {
    local recording=$recordings/$1.wav call answer
    jack_rec -f "$recording" -d "$recorded" -b 16 "$4" > "$home/recording.log" 2>&1 &
    local recorder=$!
    "$xtask" window play --into "$2" --from "$3" --seconds "$seconds" || fail "no answer comes out of $1"
    wait "$recorder" || fail "$1 was not recorded"
    call=$(peak "$recording" 0)
    answer=$(peak "$recording" "$((seconds + 2))")
    ((call > SILENCE && answer > SILENCE)) || fail "$1 is not heard: the call's peak is $call, the answer's $answer of 32767"
    echo "$1: peak $call of 32767, behind the call $answer; $recording"
}

unzip -q "$archive" -d "$home/unpacked"
folder=$(echo "$home"/unpacked/*)
(cd "$folder" && sha256sum --quiet -c checksums.txt) || fail "a file of the archive is not what its checksum says"
echo "unpacked: $(grep -c . "$folder/checksums.txt") files, all as their checksums say"

mkfifo "$home/number"
start screen Xvfb -displayfd 3 -screen 0 1920x1200x24 -nolisten tcp 3<> "$home/number"
read -r -t 20 number < "$home/number" || fail "Xvfb tells no display"
export DISPLAY=:$number LIBGL_ALWAYS_SOFTWARE=1
# start_jack NAME: a server without hardware, one for each host: it stands still for long when a client is ended by force.
start_jack() {
    export JACK_DEFAULT_SERVER=antiphon-$1
    # Ardour loses an asynchronous server in its first seconds.
    start "jack-$1" jackd -n "$JACK_DEFAULT_SERVER" -r -S -t 20000 -d dummy -r 48000 -p 512
    until_true "JACK" timeout 2 jack_lsp
}

start_jack program
start program "$folder/antiphon-standalone" --backend jack
until_true "the program's MIDI port" has_port 'antiphon:midi_output'
sleep 2
answers program antiphon:midi_input antiphon:midi_output antiphon:output_1

start_jack ardour
mkdir -p "$home/.vst3" "$XDG_CONFIG_HOME/ardour7"
cp -r "$folder/Antiphon.vst3" "$home/.vst3/"
# Ardour believes what was scanned only if that is younger than the plugin by a second or more.
find "$home/.vst3" -type f -exec touch -d '1 hour ago' {} +
LD_LIBRARY_PATH=$ardour_library "$ardour_library/ardour-vst3-scanner" -f "$home/.vst3/Antiphon.vst3" \
    > "$home/scan.log" 2>&1 || fail "Ardour's scanner refuses the bundle"
PLUGIN="Antiphon (instrument slot)" SESSION=$home/session SECONDS_OPEN=60 start ardour ardour7-lua "$lua"
until_true "Ardour's audio port" has_port 'ardour:Antiphon/audio_out 1'
# Ardour connects its own ports behind that.
sleep 2
answers ardour 'ardour:Antiphon/midi_in 1' 'ardour:Antiphon/midi_out 1' 'ardour:Antiphon/audio_out 1'
