//! The numbers inside tensors, as slices.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The numbers of an operation's argument, in order.
pub fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => bail!("the numbers of {:?} are not in order: make it contiguous", layout.shape()),
    }
}

/// Lends the numbers of contiguous tensors on the CPU.
pub fn with_numbers<const N: usize, R>(
    tensors: [&Tensor; N],
    run: impl FnOnce([&[f32]; N]) -> R,
) -> Result<R> {
    let locked = tensors.map(Tensor::storage_and_layout);
    let mut slices: [&[f32]; N] = [&[]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&locked) {
        match &**storage {
            Storage::Cpu(storage) => *slice = numbers(storage, layout)?,
            _ => bail!("this operation runs on the CPU"),
        }
    }
    Ok(run(slices))
}
