#!/usr/bin/env bash
# Has Qtractor's scanner look at the CLAP plugin: it must find both plugins, with their MIDI ports.
#
# usage: tests/hosts/qtractor.sh      on the bundle in target/bundled; exits with 77 where Qtractor is missing
# needs: Debian's qtractor
set -euo pipefail
cd "$(dirname "$0")/../.."
bundle=$PWD/target/bundled/Antiphon.clap

scanner=$(find /usr/lib /usr/libexec -name qtractor_plugin_scan -type f 2> /dev/null | head -n 1)
[[ -n $scanner ]] || {
    echo "qtractor_plugin_scan is missing: install Debian's qtractor"
    exit 77
}
[[ -e $bundle ]] || {
    echo "error: build first: cargo build --workspace --bins && target/debug/xtask bundle" >&2
    exit 1
}
found=$(echo "CLAP:$bundle" | QT_QPA_PLATFORM=offscreen timeout 60 "$scanner" | grep '^CLAP|') || {
    echo "error: Qtractor's scanner finds no plugin in $bundle" >&2
    exit 1
}
echo "finds $(cut -d '|' -f 2 <<< "$found" | paste -sd , | sed 's/,/, /g')"
