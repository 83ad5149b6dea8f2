"""Writes lstm.toml: an LSTM's numbers as ONNX Runtime computes them, to hold the fused LSTM against.

    python3 -m venv .venv && .venv/bin/pip install numpy onnx onnxruntime
    .venv/bin/python tests/golden/lstm_by_onnxruntime.py > tests/golden/lstm.toml
"""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

BATCH, TIME, INPUTS, HIDDEN = 2, 6, 3, 8


def main():
    chance = np.random.default_rng(20)
    draw = lambda *shape: chance.uniform(-1, 1, shape).astype(np.float32).round(3)
    w_ih, w_hh, bias = draw(4 * HIDDEN, INPUTS), draw(4 * HIDDEN, HIDDEN), draw(4 * HIDDEN)
    x, state = draw(BATCH, TIME, INPUTS), draw(2, BATCH, HIDDEN)
    hidden, last = run(w_ih, w_hh, bias, x, state)
    print("# By lstm_by_onnxruntime.py, with ONNX Runtime", onnxruntime.__version__)
    print(f"batch = {BATCH}\ntime = {TIME}\ninputs = {INPUTS}\nhidden = {HIDDEN}")
    named = dict(w_ih=w_ih, w_hh=w_hh, bias=bias, x=x, state=state, outputs=hidden, last_cells=last)
    for name, numbers in named.items():
        print(f"{name} = [{', '.join(f'{float(n):.7g}' if n % 1 else f'{float(n):.1f}' for n in numbers.ravel())}]")


def run(w_ih, w_hh, bias, x, state):
    """Hidden states (B, T, H) and the last cells (B, H); ONNX orders gates i, o, f, g and puts time first."""
    i, f, g, o = range(4)
    ordered = lambda m: m.reshape(4, HIDDEN, -1)[[i, o, f, g]].reshape(1, 4 * HIDDEN, -1)
    tensor = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    node = helper.make_node("LSTM", ["x", "w", "r", "b", "", "h", "c"], ["y", "", "yc"], hidden_size=HIDDEN)
    graph = helper.make_graph([node], "lstm", [tensor(n) for n in "xwrbhc"], [tensor("y"), tensor("yc")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    biases = np.concatenate([ordered(bias)[..., 0], np.zeros((1, 4 * HIDDEN), np.float32)], axis=1)
    inputs = dict(x=x.transpose(1, 0, 2), w=ordered(w_ih), r=ordered(w_hh), b=biases, h=state[:1], c=state[1:])
    y, cells = session.run(None, {name: np.ascontiguousarray(array) for name, array in inputs.items()})
    return y[:, 0].transpose(1, 0, 2), cells[0]


if __name__ == "__main__":
    main()
