#!/usr/bin/env bash
# Puts the VST3 plugin on a track of Ardour, without a window, plays the demo's phrase into the track over JACK and hears
# what comes out: more notes than were played, and none that hangs.
#
# usage: tests/hosts/ardour.sh      on the bundle in target/bundled; exits with 77 where a program is missing
# needs: Ardour 7 and jackd; Debian 12: ardour jackd2, and to build libjack-jackd2-dev pkg-config
set -euo pipefail
cd "$(dirname "$0")/../.."
ardour_library=/usr/lib/ardour7
# One phrase; its answer is waited for.
seconds=5

fail() {
    tail -n 3 "$home"/*.log >&2
    echo "error: $*" >&2
    exit 1
}

for tool in jackd jack_lsp ardour7-lua "$ardour_library/ardour-vst3-scanner"; do
    command -v "$tool" > /dev/null || {
        echo "$tool is missing: install Debian's ardour and jackd2"
        exit 77
    }
done
xtask=${XTASK:-target/debug/xtask}
bundle=target/bundled/Antiphon.vst3
[[ -x $xtask && -d $bundle ]] || {
    echo "error: build first: cargo build --workspace --bins --features jack && target/debug/xtask bundle" >&2
    exit 1
}

"$xtask" window play --help > /dev/null 2>&1 || {
    echo "this xtask knows no JACK: build it with --features jack"
    exit 77
}

# A home of its own, so that nothing of the player's is read or written.
home=$(mktemp -d)
source tests/hosts/common.sh
trap finish EXIT
unset XDG_CACHE_HOME XDG_DATA_HOME
export HOME=$home XDG_CONFIG_HOME=$home/.config JACK_NO_AUDIO_RESERVATION=1 JACK_DEFAULT_SERVER=antiphon-$$

# Ardour loses an asynchronous server in its first seconds.
jackd -n "$JACK_DEFAULT_SERVER" -r -S -t 20000 -d dummy -r 48000 -p 512 > "$home/jack.log" 2>&1 &
started+=($!)
until_true "JACK" timeout 2 jack_lsp

mkdir -p "$home/.vst3" "$XDG_CONFIG_HOME/ardour7"
cp -r "$bundle" "$home/.vst3/"
# Ardour believes what was scanned only if that is younger than the plugin by a second or more.
find "$home/.vst3" -type f -exec touch -d '1 hour ago' {} +
LD_LIBRARY_PATH=$ardour_library "$ardour_library/ardour-vst3-scanner" -f "$home/.vst3/Antiphon.vst3" \
    > "$home/scan.log" 2>&1 || fail "Ardour's scanner refuses the bundle"

SESSION=$home/session SECONDS_OPEN=60 ardour7-lua "$PWD/tests/hosts/ardour.lua" > "$home/ardour.log" 2>&1 &
started+=($!)
until_true "Ardour's MIDI port" has_port 'ardour:Antiphon/midi_out 1'
# Ardour connects its own ports behind that.
sleep 2
"$xtask" window play --into 'ardour:Antiphon/midi_in 1' --from 'ardour:Antiphon/midi_out 1' --seconds "$seconds" ||
    fail "no answer comes out of Ardour"
