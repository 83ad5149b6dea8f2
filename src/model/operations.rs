//! Layers over whole sequences, each as one operation of candle's graph with its own gradient. Devices other
//! than the CPU have no such operations: there, each layer here and elsewhere is built from candle's own.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, CustomOp3, D, Layout, Result, Shape, Storage, Tensor, bail};
use rand::RngExt;
use rayon::prelude::*;

use super::{
    Rng,
    layers::{AFFINE, affine_tensor},
    product::{Matrix, MatrixMut, Output, Precision, Sizes, par_product},
    vector::{self, Item, WIDTH},
};

/// An affine layer: a matrix and a bias.
#[derive(Debug, Clone)]
pub struct Affine {
    /// (O, I)
    pub weight: Tensor,
    /// (O)
    pub bias: Tensor,
}

impl Affine {
    /// The layer of this name; `tensor` gives each of its tensors by name.
    pub fn named(name: &str, tensor: &impl Fn(&str) -> Result<Tensor>) -> Result<Self> {
        let [weight, bias] = AFFINE.map(|part| tensor(&affine_tensor(name, part)));
        Ok(Self { weight: weight?, bias: bias? })
    }

    /// `x · weightᵀ + bias` for `x` (N, I). On devices other than the CPU precision is single.
    pub fn forward(&self, x: &Tensor, precision: Precision) -> Result<Tensor> {
        if !x.device().is_cpu() {
            return x.matmul(&self.weight.t()?)?.broadcast_add(&self.bias);
        }
        x.contiguous()?.apply_op3(&self.weight, &self.bias, AffineOp(precision))
    }
}

/// Arguments: x (N, I), the weight (O, I), the bias (O). Result: (N, O).
struct AffineOp(Precision);

impl CustomOp3 for AffineOp {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, depth) = l1.shape().dims2()?;
        let (columns, inputs) = l2.shape().dims2()?;
        if inputs != depth || l3.shape().dims1()? != columns {
            bail!("affine: {:?}, {:?} and {:?} do not fit", l1.shape(), l2.shape(), l3.shape());
        }
        let (x, weight, bias) = (numbers(s1, l1)?, numbers(s2, l2)?, numbers(s3, l3)?);
        let mut output = bias.repeat(rows);
        let matrix = MatrixMut { numbers: &mut output, row: columns };
        let sizes = Sizes { rows, depth, columns };
        par_product(
            sizes,
            Matrix::rows(x, depth),
            Matrix::rows(weight, depth).transposed(),
            matrix,
            Output::Accumulate,
            self.0,
        );
        Ok((CpuStorage::F32(output), (rows, columns).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((rows, inputs), outputs, x_learns) = (x.dims2()?, weight.dim(0)?, x.track_op());
        let gradient = gradient.contiguous()?;
        let (mut dx, mut dweight) = (Vec::new(), vec![0.0; outputs * inputs]);
        let mut dbias = vec![0.0; outputs];
        with_numbers([x, weight, &gradient], |[x, weight, gradient]| {
            let back = Matrix::rows(gradient, outputs);
            let matrix = MatrixMut { numbers: &mut dweight, row: inputs };
            let sizes = Sizes { rows: outputs, depth: rows, columns: inputs };
            par_product(sizes, back.transposed(), Matrix::rows(x, inputs), matrix, Output::Overwrite, self.0);
            gradient.chunks_exact(outputs).for_each(|row| vector::add(&mut dbias, 1.0, row));
            if x_learns {
                dx = vec![0.0; rows * inputs];
                let matrix = MatrixMut { numbers: &mut dx, row: inputs };
                let sizes = Sizes { rows, depth: outputs, columns: inputs };
                par_product(sizes, back, Matrix::rows(weight, inputs), matrix, Output::Overwrite, self.0);
            }
        })?;
        let device = x.device();
        Ok((
            if x_learns { Some(Tensor::from_vec(dx, x.shape(), device)?) } else { None },
            Some(Tensor::from_vec(dweight, weight.shape(), device)?),
            Some(Tensor::from_vec(dbias, bias.shape(), device)?),
        ))
    }
}

/// The input of an embedding bag: for each of N notes, a few of many features, each with its amount.
#[derive(Debug, Clone)]
pub struct Bag {
    /// N + 1 positions: where the items of each note begin, and where the last ones end.
    starts: Vec<usize>,
    items: Vec<Item>,
}

impl Bag {
    /// Adds the items of the next note.
    pub fn push(&mut self, items: &[Item]) {
        self.items.extend_from_slice(items);
        self.starts.push(self.items.len());
    }

    /// Number of notes.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The items of note `n`.
    pub fn of(&self, n: usize) -> &[Item] {
        &self.items[self.starts[n]..self.starts[n + 1]]
    }
}

impl Default for Bag {
    fn default() -> Self {
        Self { starts: vec![0], items: Vec::new() }
    }
}

/// A layer for sparse features: for each note of the bag, the weighted sum of its rows of `table` (features,
/// O). Returns (N, O); O is a multiple of [`WIDTH`].
pub fn embedding_bag(bag: &Arc<Bag>, table: &Tensor) -> Result<Tensor> {
    if !table.device().is_cpu() {
        return embedding_bag_plain(bag, table);
    }
    table.apply_op1(EmbeddingBag(Arc::clone(bag)))
}

/// [`embedding_bag`], built from candle's own operations: a product with a matrix of mostly zeros.
pub fn embedding_bag_plain(bag: &Bag, table: &Tensor) -> Result<Tensor> {
    let features = table.dim(0)?;
    let mut dense = vec![0.0; bag.len() * features];
    for (n, dense) in dense.chunks_exact_mut(features).enumerate() {
        bag.of(n).iter().for_each(|item| dense[usize::from(item.row)] += item.amount);
    }
    Tensor::from_vec(dense, (bag.len(), features), table.device())?.matmul(table)
}

struct EmbeddingBag(Arc<Bag>);

impl CustomOp1 for EmbeddingBag {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (features, width) = layout.shape().dims2()?;
        let fitting = self.0.items.iter().all(|item| usize::from(item.row) < features);
        if !fitting || width % WIDTH != 0 {
            bail!("gather: the features do not fit a table of {:?}", layout.shape());
        }
        let table = numbers(storage, layout)?;
        let mut output = vec![0.0; self.0.len() * width];
        output
            .par_chunks_exact_mut(width)
            .with_min_len(64)
            .enumerate()
            .for_each(|(n, output)| vector::embedding_bag(table, self.0.of(n), output));
        Ok((CpuStorage::F32(output), (self.0.len(), width).into()))
    }

    fn bwd(&self, table: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (features, width) = table.dims2()?;
        let mut dtable = vec![0.0; features * width];
        with_numbers([&gradient.contiguous()?], |[gradient]| {
            for (n, gradient) in gradient.chunks_exact(width).enumerate() {
                for item in self.0.of(n) {
                    let at = usize::from(item.row) * width;
                    vector::add(&mut dtable[at..at + width], item.amount, gradient);
                }
            }
        })?;
        Ok(Some(Tensor::from_vec(dtable, table.shape(), table.device())?))
    }
}

/// Layer normalisation (Ba, Kiros and Hinton, 2016): each row of `x` (N, C) gets mean 0 and variance 1. It
/// has no weights of its own, since the layers after it are affine.
pub fn layer_norm(x: &Tensor) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return layer_norm_plain(x);
    }
    x.apply_op1(LayerNorm { stretches: Arc::default() })
}

/// [`layer_norm`], built from candle's own operations.
pub fn layer_norm_plain(x: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    centred.broadcast_div(&(variance + f64::from(vector::TINY))?.sqrt()?)
}

struct LayerNorm {
    /// The factor of the deviations of each row, for the backward pass.
    stretches: Arc<OnceLock<Vec<f32>>>,
}

impl CustomOp1 for LayerNorm {
    fn name(&self) -> &'static str {
        "normalise"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let x = numbers(storage, layout)?;
        let mut output = vec![0.0; rows * width];
        let pairs = x.chunks_exact(width).zip(output.chunks_exact_mut(width));
        let stretches = pairs.map(|(x, output)| vector::layer_norm(x, output)).collect();
        if self.stretches.set(stretches).is_err() {
            bail!("normalise: one operation runs once");
        }
        Ok((CpuStorage::F32(output), (rows, width).into()))
    }

    fn bwd(&self, x: &Tensor, output: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let Some(stretches) = self.stretches.get() else { bail!("normalise: backward before forward") };
        let width = x.dim(1)?;
        let mut dx = vec![0.0; x.elem_count()];
        with_numbers([output, &gradient.contiguous()?], |[output, gradient]| {
            let rows = output.chunks_exact(width).zip(gradient.chunks_exact(width));
            for (((output, gradient), dx), &stretch) in rows.zip(dx.chunks_exact_mut(width)).zip(stretches) {
                vector::layer_norm_backward(output, stretch, gradient, dx);
            }
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

/// The numbers of `x` that are above 0, and 0 for the others, with a gradient of one pass where candle's takes three.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() { x.apply_op1(Relu) } else { x.relu() }
}

struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let output = numbers(storage, layout)?.iter().map(|number| number.max(0.0)).collect();
        Ok((CpuStorage::F32(output), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, output: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let dx: Vec<f32> = with_numbers([output, &gradient.contiguous()?], |[output, gradient]| {
            output.iter().zip(gradient).map(|(&y, &dy)| if y > 0.0 { dy } else { 0.0 }).collect()
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

/// Dropout (Srivastava et al., 2014): in training, a random part of the activations is set to 0.
pub enum Dropout<'a> {
    /// No dropout, for scoring and playing.
    Nothing,
    /// The part of the activations that is dropped, above 0 and below 1, and the random generator that
    /// chooses it.
    Part(f32, &'a mut Rng),
}

impl Dropout<'_> {
    /// Sets some numbers of `x` to 0, and scales the others up so that the mean stays.
    pub fn apply(&mut self, x: &Tensor) -> Result<Tensor> {
        let Self::Part(part, rng) = self else { return Ok(x.clone()) };
        let kept = 1.0 / (1.0 - *part);
        let limit = (*part * 65_536.0) as u16;
        let amount = |drawn: u16| if drawn < limit { 0.0 } else { kept };
        let mut drawn = vec![0_u32; x.elem_count().div_ceil(2)];
        rng.fill(&mut drawn[..]);
        let mut amounts = vec![[0.0; 2]; drawn.len()];
        for (amounts, drawn) in amounts.iter_mut().zip(drawn) {
            *amounts = [amount(drawn as u16), amount((drawn >> 16) as u16)];
        }
        let mut amounts = amounts.into_flattened();
        amounts.truncate(x.elem_count());
        if x.device().is_cpu() {
            return x.apply_op1(Weigh { amounts });
        }
        x * Tensor::from_vec(amounts, x.shape(), x.device())?
    }
}

/// Multiplies by `amounts`, number by number. A product of tensors would compute a gradient for the amounts
/// too.
struct Weigh {
    amounts: Vec<f32>,
}

impl Weigh {
    fn weighed(&self, numbers: &[f32]) -> Vec<f32> {
        numbers.iter().zip(&self.amounts).map(|(number, amount)| number * amount).collect()
    }
}

impl CustomOp1 for Weigh {
    fn name(&self) -> &'static str {
        "weigh"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(self.weighed(numbers(storage, layout)?)), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let mut dx = Vec::new();
        with_numbers([&gradient.contiguous()?], |[gradient]| dx = self.weighed(gradient))?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

/// The numbers of an argument of an operation, in order.
pub fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => bail!("the numbers of {:?} are not in order: make it contiguous", layout.shape()),
    }
}

/// Passes the numbers of contiguous tensors on the CPU to a closure.
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

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn some_numbers_are_left_out_and_the_mean_stays() {
        let x = Var::from_vec(vec![1f32; 40_000], (200, 200), &Device::Cpu).expect("a shape");
        let y = Dropout::Part(0.25, &mut Rng::seed_from_u64(1)).apply(&x).expect("a shape");
        let numbers: Vec<f32> = y.flatten_all().and_then(|y| y.to_vec1()).expect("numbers");
        let left_out = numbers.iter().filter(|&&number| number == 0.0).count();
        assert!((9_600..10_400).contains(&left_out), "{left_out}");
        assert!((numbers.iter().sum::<f32>() / 40_000.0 - 1.0).abs() < 0.02);
        let gradient = y.sum_all().and_then(|sum| sum.backward()).expect("a sum");
        let gradient = gradient.get(&x).and_then(|dx| dx.flatten_all().ok()?.to_vec1::<f32>().ok());
        assert_eq!(gradient, Some(numbers));
    }
}
