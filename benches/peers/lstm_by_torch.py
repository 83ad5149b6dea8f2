"""Notes a second that two LSTMs of PyTorch learn from: the peer of `xtask/src/bench.rs`, with its numbers."""

import json
import time

import torch

BATCH, TIME, INPUTS, LAYERS, STEPS = 64, 128, 128, 2, 4

torch.set_num_threads(2)
torch.manual_seed(1)


def speed(hidden):
    lstm = torch.nn.LSTM(INPUTS, hidden, LAYERS, batch_first=True)
    adam = torch.optim.Adam(lstm.parameters(), lr=1e-3)
    x = torch.rand(BATCH, TIME, INPUTS) * 2 - 1

    def step():
        adam.zero_grad()
        output, _ = lstm(x)
        output.square().sum(dim=2).mean().backward()
        adam.step()

    step()
    begun = time.perf_counter()
    for _ in range(STEPS):
        step()
    return STEPS * BATCH * TIME / (time.perf_counter() - begun)


print(json.dumps({f"{LAYERS}x{hidden}": speed(hidden) for hidden in (128, 256, 512)}))
