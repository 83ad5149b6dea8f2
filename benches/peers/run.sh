#!/usr/bin/env bash
# Runs a peer, `torch` or `candle` with all threads, or readers of MIDI files, `pretty-midi` or `midi`; what it needs is installed
# under target/peers the first time.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "$1" in
torch)
    python=target/peers/bin/python
    if ! [ -x "$python" ]; then
        python3 -m venv target/peers >&2
        "$python" -m pip install --quiet torch numpy >&2
    fi
    exec "$python" benches/peers/lstm_by_torch.py
    ;;
candle)
    CANDLE_NUM_THREADS=$(nproc) exec cargo run --quiet --release \
        --manifest-path benches/peers/candle/Cargo.toml --target-dir target/peers-candle
    ;;
pretty-midi)
    python=target/peers-midi/bin/python
    if ! [ -x "$python" ]; then
        python3 -m venv target/peers-midi >&2
        "$python" -m pip install --quiet pretty_midi >&2
    fi
    exec "$python" benches/peers/notes_by_pretty_midi.py "${@:2}"
    ;;
midi)
    python=target/peers-midi/bin/python
    if ! "$python" -c 'import mido, symusic' 2>/dev/null; then
        python3 -m venv target/peers-midi >&2
        "$python" -m pip install --quiet mido symusic >&2
    fi
    exec "$python" benches/peers/notes_by_symusic_and_mido.py "${@:2}"
    ;;
*)
    echo "give a peer: torch, candle, pretty-midi or midi" >&2
    exit 2
    ;;
esac
