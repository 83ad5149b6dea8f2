#!/usr/bin/env bash
# Builds `xtask` with CUDA, on a machine that has neither a GPU nor NVIDIA's toolkit: the toolkit comes from PyPI. What
# it leaves in target/cuda/xtask runs on Linux where NVIDIA's driver and the libraries of the same toolkit are.
#
# usage: xtask/cuda.sh              CUDA_COMPUTE_CAP=90 xtask/cuda.sh builds for Hopper GPUs alone; the default is every
#                                   GPU from Ampere on, which compiles the kernels at start
# needs: Python 3 with venv, pip and a C++ compiler; 2 GB under target/cuda
set -euo pipefail
cd "$(dirname "$0")/.."
cuda=$PWD/target/cuda
version='13.0.*'

mkdir -p "$cuda/home/lib"
[[ -x $cuda/python/bin/pip ]] || python3 -m venv "$cuda/python"
"$cuda/python/bin/pip" install --quiet --disable-pip-version-check \
    nvidia-cuda-{nvcc,crt,runtime,nvrtc,cccl}=="$version" nvidia-nvvm=="$version" nvidia-cublas=="$version" \
    'nvidia-curand==10.4.*'
toolkit=$(echo "$cuda"/python/lib/python3*/site-packages/nvidia/cu13)

# The linker looks for names without a version.
for library in "$toolkit"/lib/*.so.*; do
    name=${library##*/}
    ln -sf "$library" "$cuda/home/lib/${name%%.so.*}.so"
done
# The driver's library comes with a GPU. Here a stand-in is linked, which says that there is no GPU (error 100).
if [[ ! -e $cuda/home/lib/libcuda.so.1 ]]; then
    grep -ohE '\bcu[A-Z][A-Za-z0-9]*(_v[0-9]+|_ptsz|_ptds)?\b' "$toolkit/include/cuda.h" | sort -u |
        sed 's/.*/int &(void) { return 100; }/' |
        gcc -shared -w -x c - -Wl,-soname,libcuda.so.1 -o "$cuda/home/lib/libcuda.so.1"
fi
ln -sf libcuda.so.1 "$cuda/home/lib/libcuda.so"

PATH="$toolkit/bin:$PATH" NVCC="$toolkit/bin/nvcc" CUDA_HOME="$cuda/home" CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-80} \
    cargo build --release --package xtask --features cuda --locked --target-dir "$cuda/build"
cp "$cuda/build/release/xtask" "$cuda/xtask"
cat <<END
$cuda/xtask is built. On a machine with a GPU, LD_LIBRARY_PATH must name the folder of libcublas.so.13; here, without
one: LD_LIBRARY_PATH=$toolkit/lib:$cuda/home/lib
END
