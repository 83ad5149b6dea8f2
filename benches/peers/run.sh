#!/usr/bin/env bash
# Runs a peer, `torch` or `candle`, with all threads; what it needs is installed under target/peers the first time.
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
*)
    echo "give a peer: torch, candle or pretty-midi" >&2
    exit 2
    ;;
esac
