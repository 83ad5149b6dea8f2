#!/usr/bin/env bash
# Opens the standalone program and, in Ardour, the VST3 plugin on a screen that nobody sees, plays into both over JACK,
# and keeps pictures of what a player would see.
#
# usage: tests/hosts/window.sh [FOLDER]      the pictures go to FOLDER, target/window unless given
#        It fails with a sentence where a picture is blank, or does not show what it is for. It wants a calm machine: on
#        one that is busy JACK throws Ardour out.
# needs: Xvfb, jackd, jack_lsp, xdotool, import, convert and identify (ImageMagick) and Ardour 7; Debian 12: xvfb libgl1-mesa-dri libglx-mesa0
#        jackd2 xdotool imagemagick ardour, and to build the program libasound2-dev libjack-jackd2-dev
#        pkg-config
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() {
    echo "error: $*" >&2
    exit 1
}

for tool in cargo Xvfb jackd jack_lsp xdotool import convert identify ardour ardour7-lua; do
    command -v "$tool" > /dev/null || fail "$tool is missing; the head of $0 names the packages"
done
ardour_library=/usr/lib/ardour7
[[ -x $ardour_library/ardour-vst3-scanner ]] || fail "$ardour_library/ardour-vst3-scanner is missing; install Ardour 7"

pictures=${1:-target/window}
mkdir -p "$pictures"
pictures=$(cd "$pictures" && pwd)
cargo build --workspace --bins --features standalone,jack
target/debug/xtask bundle > /dev/null
xtask=$PWD/target/debug/xtask
standalone=$PWD/target/debug/antiphon-standalone
bundle=$PWD/target/bundled/Antiphon.vst3

# The window's usual size is 1120 x 740; a blank one has a colour or two.
FEWEST_COLOURS=30

# A home of its own, so that nothing of the player's is read or written.
home=$(mktemp -d)
started=()
player=
finish() {
    # It waits for ever where its server has gone.
    if [[ $player ]]; then kill "$player" 2> /dev/null || true; fi
    while ((${#started[@]})); do stop; done
    rm -rf "$home"
}
trap finish EXIT
unset XDG_CACHE_HOME XDG_DATA_HOME
export HOME=$home XDG_CONFIG_HOME=$home/.config
export JACK_NO_AUDIO_RESERVATION=1

# start LOG COMMAND...: runs it until the end, or until `stop`.
start() {
    local log=$home/$1.log
    shift
    "$@" > "$log" 2>&1 &
    started+=($!)
}

# Ends what was started last; by force after five seconds, since a client that waits for JACK may wait for ever.
stop() {
    local process=${started[-1]}
    unset 'started[-1]'
    kill "$process" 2> /dev/null || return 0
    for _ in {1..25}; do
        kill -0 "$process" 2> /dev/null || break
        sleep 0.2
    done
    kill -KILL "$process" 2> /dev/null || true
    wait "$process" 2> /dev/null || true
}

# until_true WHAT COMMAND...: tries for half a minute.
until_true() {
    local what=$1 until=$((SECONDS + 30))
    shift
    while ((SECONDS < until)); do
        if "$@" > /dev/null 2>&1; then return; fi
        sleep 0.2
    done
    tail -n 3 "$home"/*.log >&2
    fail "$what did not come within 30 seconds"
}

has_port() { timeout 2 jack_lsp | grep -q "$1"; }

# picture NAME [WINDOW [GEOMETRY]]: keeps what the window shows, or the whole screen.
picture() {
    import -window "${2:-root}" ${3:+-crop "$3" +repage} "$pictures/$1.png"
    (($(identify -format %k "$pictures/$1.png") >= FEWEST_COLOURS)) || fail "$pictures/$1.png is blank"
    echo "written         $pictures/$1.png"
}

# shows NAME WHAT COLOUR LIKENESS GEOMETRY COUNT: a picture has so many pixels at least of about that colour there.
shows() {
    local found
    found=$(convert "$pictures/$1.png" -alpha off -crop "$5" +repage -fuzz "$4" -fill black +opaque "$3" -fill white \
        -opaque "$3" -format '%[fx:int(mean*w*h+0.5)]' info:)
    ((found >= $6)) || fail "$pictures/$1.png shows no $2: $found pixels of $3"
}

# upper_edge NAME: that of the groups of controls, which stand above the foot, in points: beside all letters there is
# nothing but the colour of their ground.
upper_edge() {
    convert "$pictures/$1.png" -alpha off -depth 8 -crop 1x690+12+0 +repage txt:- |
        awk -F '[,:]' '{ line[$2] = $0 } END { y = 689; while (line[y] ~ /#171B21/) y--; print y + 1 }'
}

# shows_an_answer NAME: call and answer before the line of now, ghosts beyond it, and glow above the keys.
shows_an_answer() {
    shows "$1" "call" "#4791B8" 16% "800x$((top - 200))+40+120" 300
    shows "$1" "answer" "#C0841F" 16% "800x$((top - 200))+40+120" 300
    shows "$1" "ghosts" "#8A5F20" 18% "262x$((top - 200))+848+120" 100
    shows "$1" "glow" "#F0A01E" 5% "1100x13+10+$((top - 70))" 20
}

# shows_saved NAME: the message, and the file is there.
shows_saved() {
    shows "$1" "message of a saved take" "#56B4E9" 5% "4x30+8+98" 60
    find "$home" -name '*take.mid' -size +100c | grep -q . || fail "no take was saved"
    find "$home" -name '*take.mid' -delete
}

# point X Y, click X Y: in the plugin's window.
point() { xdotool mousemove --window "$window" "$1" "$2" && sleep 1.2; }
click() { xdotool mousemove --window "$window" "$1" "$2" click 1 && sleep 0.8; }
press() { xdotool key "$1" && sleep 0.6; }

# rest: the pointer goes where it points to nothing.
rest() { xdotool mousemove 1919 1199; }

# play_until PORT SECONDS: begins to play, and comes back so many seconds after the first note.
play_until() {
    "$xtask" window play --into "$1" --seconds 9 &
    player=$!
    sleep "$(awk "BEGIN { print $2 + 0.6 }")"
}

mkfifo "$home/number"
start screen Xvfb -displayfd 3 -screen 0 1920x1200x24 -nolisten tcp 3<> "$home/number"
read -r -t 20 number < "$home/number" || fail "Xvfb tells no display"
export DISPLAY=:$number LIBGL_ALWAYS_SOFTWARE=1

# start_jack OPTION...: a server without hardware. Its name is always the same: JACK knows eight names at most, and one
# that was ended by force keeps its own until it comes back.
start_jack() {
    export JACK_DEFAULT_SERVER=antiphon-window
    start jack jackd -n "$JACK_DEFAULT_SERVER" -r -t 20000 "$@" -d dummy -r 48000 -p 512
    until_true "JACK" timeout 2 jack_lsp
}

# The program.
start_jack
start standalone "$standalone" --backend jack
until_true "the program's MIDI port" has_port midi_input
port=$(jack_lsp | grep midi_input)
until_true "the program's window" xdotool search --name '^Antiphon'
window=$(xdotool search --name '^Antiphon' | tail -n 1)
rest
sleep 2
picture standalone-before "$window"
top=$(upper_edge standalone-before)
((top > 300 && top < 600)) || fail "$pictures/standalone-before.png shows no groups of controls"
play_until "$port" 7.2
picture standalone-answer "$window"
shows_an_answer standalone-answer
wait "$player"
sleep 1
for group in "when 444 5" "what 222 451" "how-wild 222 673" "where-it-goes 222 895"; do
    read -r name width left <<< "$group"
    picture "standalone-$name" "$window" "${width}x$((700 - top))+$left+$top"
done
click 43 718
picture standalone-saved "$window"
shows_saved standalone-saved
click 155 25
picture standalone-presets "$window"
press Escape
click 812 25
picture standalone-models "$window"
press Escape
click 634 $((top + 126))
picture standalone-scales "$window"
press Escape
click 84 $((top + 99))
xdotool type 55 && sleep 0.5
picture standalone-typing "$window"
press Escape
point 732 $((top + 50))
picture standalone-tooltip "$window"
rest
xdotool windowsize "$window" 1020 640 && sleep 1
picture standalone-smallest "$window"
xdotool windowsize "$window" 1800 1100 && sleep 1
picture standalone-large "$window"
stop
stop

# The plugin in Ardour, which loses an asynchronous server in its first seconds.
start_jack -S
mkdir -p "$home/.vst3/presets/Antiphon/Antiphon" "$home/.config/ardour7"
cp -r "$bundle" "$home/.vst3/"
# Ardour believes what was scanned only if that is younger than the plugin by a second or more.
find "$home/.vst3" -type f -exec touch -d '1 hour ago' {} +
LD_LIBRARY_PATH=$ardour_library "$ardour_library/ardour-vst3-scanner" -f "$home/.vst3/Antiphon.vst3" > "$home/scan.log" 2>&1
# make_session NAME: a session with the plugin on a track.
make_session() {
    SESSION=$home/$1 ardour7-lua "$PWD/tests/hosts/ardour.lua" > "$home/session.log" 2>&1 ||
        fail "$(grep Error "$home/session.log")"
}
make_session plain

# A preset whose state names a model file that is not there: format and class as in src/presets.rs.
LOST_MODEL=/home/player/models/lost.safetensors
state="{\"version\":\"0.1.0\",\"params\":{},\"fields\":{\"model-file\":\"\\\"$LOST_MODEL\\\"\"}}"
# little COUNT NUMBER: so many bytes, the least first.
little() { for ((byte = 0; byte < $1; byte++)); do printf "\\x$(printf %02x $((($2 >> (8 * byte)) & 255)))"; done; }
{
    printf 'VST3'; little 4 1
    printf '416E746970686F6E4D69646946783031'; little 8 $((48 + ${#state}))
    printf '%s' "$state"
    printf 'List'; little 4 1
    printf 'Comp'; little 8 48; little 8 ${#state}
} > "$home/.vst3/presets/Antiphon/Antiphon/Lost model.vstpreset"
export LOST_MODEL
make_session lost

# Answers to what Ardour asks on its first start.
touch "$home/.config/ardour7/.a7"
echo '<instant><no-memory-warning/></instant>' > "$home/.config/ardour7/instant.xml"
cat > "$home/.config/ardour7/config" << 'END'
<Ardour>
  <Config><Option name="try-autostart-engine" value="1"/></Config>
  <Extra><AudioMIDISetup><EngineStates>
    <State backend="JACK" driver="" device="" input-device="" output-device="" sample-rate="0" buffer-size="0"
      n-periods="0" input-latency="0" output-latency="0" input-channels="0" output-channels="0" lm-input="" lm-output=""
      active="1" use-buffered-io="0" midi-option="" lru="1"/>
  </EngineStates></AudioMIDISetup></Extra>
</Ardour>
END

# open_plugin: by a double click on the plugin in Ardour's mixer.
open_plugin() {
    xdotool mousemove 1323 72 click 1
    sleep 2
    xdotool mousemove 339 187 click --repeat 2 --delay 80 1
    for _ in {1..30}; do
        if xdotool search --name '^Antiphon$'; then return; fi
        sleep 0.2
    done
    return 1
}

# open_ardour SESSION: opens it and the plugin's window.
open_ardour() {
    start ardour ardour --no-announcements --no-splash "$1"
    until_true "Ardour's MIDI port" has_port 'ardour:Antiphon/midi_in 1'
    sleep 4
    until_true "the plugin's window in Ardour" open_plugin
    rest
    # The host's window comes first, and the plugin's within it after a while.
    sleep 3
    window=$(xdotool search --name '^Antiphon$' | tail -n 1)
}

open_ardour "$home/plain"
play_until 'ardour:Antiphon/midi_in 1' 7.2
picture ardour-screen
picture ardour-answer "$window"
shows_an_answer ardour-answer
wait "$player"
sleep 1
click 43 718
picture ardour-saved "$window"
shows_saved ardour-saved
stop
stop

# The same with a model file that is gone, on a new server, which knows nothing of the Ardour before.
start_jack -S

open_ardour "$home/lost"
picture ardour-lost-model "$window"
shows ardour-lost-model "message of a missing model" "#F07A3C" 5% 4x30+8+98 60
stop
