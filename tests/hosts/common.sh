# What the scripts of hosts share. To be sourced, in a folder `$home` of their own, with a function `fail` that says a sentence
# and ends the script.

# Ended by force when the script ends, with the folder.
started=()
finish() {
    for process in "${started[@]}"; do kill -KILL "$process" 2> /dev/null || true; done
    wait 2> /dev/null || true
    rm -rf "$home"
}

# until_true WHAT COMMAND...: waits half a minute at most.
until_true() {
    local what=$1
    shift
    for _ in {1..150}; do
        if "$@" > /dev/null 2>&1; then return; fi
        sleep 0.2
    done
    fail "$what did not come within 30 seconds"
}

has_port() { timeout 2 jack_lsp | grep -q "$1"; }
