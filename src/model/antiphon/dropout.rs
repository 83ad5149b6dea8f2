//! Dropout (Srivastava et al., 2014): while it learns, the network does without some of its numbers, others each time.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rand::RngExt;

use crate::model::{
    Chance,
    storage::{numbers, with_numbers},
};

/// What is left out.
pub enum Dropout<'a> {
    /// Nothing: to score and to play.
    Nothing,
    /// This part of the numbers, above 0 and below 1, by this chance.
    Part(f32, &'a mut Chance),
}

impl Dropout<'_> {
    /// Some numbers of `x` become nought, the others so much larger that their mean stays.
    pub fn apply(&mut self, x: &Tensor) -> Result<Tensor> {
        let Self::Part(part, chance) = self else { return Ok(x.clone()) };
        let kept = 1.0 / (1.0 - *part);
        let limit = (*part * 65_536.0) as u16;
        let amount = |_| if chance.random::<u16>() < limit { 0.0 } else { kept };
        let amounts: Vec<f32> = (0..x.elem_count()).map(amount).collect();
        if x.device().is_cpu() {
            return x.apply_op1(Weigh { amounts });
        }
        x * Tensor::from_vec(amounts, x.shape(), x.device())?
    }
}

/// Number by number, so much of it. A product of tensors would have a gradient for the amounts too.
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

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn some_numbers_are_left_out_and_the_mean_stays() {
        let x = Var::from_vec(vec![1f32; 40_000], (200, 200), &Device::Cpu).expect("a shape");
        let y = Dropout::Part(0.25, &mut Chance::seed_from_u64(1)).apply(&x).expect("a shape");
        let numbers: Vec<f32> = y.flatten_all().and_then(|y| y.to_vec1()).expect("numbers");
        let left_out = numbers.iter().filter(|&&number| number == 0.0).count();
        assert!((9_600..10_400).contains(&left_out), "{left_out}");
        assert!((numbers.iter().sum::<f32>() / 40_000.0 - 1.0).abs() < 0.02);
        let gradient = y.sum_all().and_then(|sum| sum.backward()).expect("a sum");
        let gradient = gradient.get(&x).and_then(|dx| dx.flatten_all().ok()?.to_vec1::<f32>().ok());
        assert_eq!(gradient, Some(numbers));
    }
}
