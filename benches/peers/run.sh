#!/usr/bin/env bash
# Runs a peer's script with PyTorch, which is installed into target/peers the first time.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=target/peers/bin/python
if ! [ -x "$python" ]; then
    python3 -m venv target/peers >&2
    "$python" -m pip install --quiet torch numpy >&2
fi
exec "$python" "benches/peers/$1"
