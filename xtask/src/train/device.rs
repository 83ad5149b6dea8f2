//! Where a network learns.

use anyhow::{Context, Result, bail};
use candle_core::{Device, Var, utils};

use antiphon::model::Preset;

use super::Variables;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Processor {
    /// All cores, by operations made for it
    Cpu,
    /// The first NVIDIA GPU, by candle's own operations; antiphon only
    Cuda,
}

impl Processor {
    /// Fails where there is no such processor, or this program or the preset cannot use it.
    pub fn device(self, preset: Preset) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda if preset != Preset::Antiphon => {
                bail!("`--device cuda` trains antiphon only: leave it out for {}", preset.name())
            }
            Self::Cuda if !utils::cuda_is_available() => bail!(
                "this program was built without CUDA: use `cargo run --release --package xtask --features cuda -- \
                 train`, which needs NVIDIA's toolkit"
            ),
            Self::Cuda => {
                Device::new_cuda(0).context("there is no GPU that CUDA can use: leave out `--device cuda`")
            }
        }
    }
}

/// The same variables where `device` finds them.
pub fn moved(variables: Variables, device: &Device) -> Result<Variables> {
    let moved = variables.into_iter().map(|(name, var)| match device {
        Device::Cpu => Ok((name, var)),
        _ => Ok((name, Var::from_tensor(&var.to_device(device)?)?)),
    });
    moved.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(preset: Preset) -> String {
        Processor::Cuda.device(preset).expect_err("it cannot be used").to_string()
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_program_without_cuda_says_how_to_build_one_with_it() {
        assert!(refused(Preset::Antiphon).contains("--features cuda -- train`"));
    }

    #[test]
    fn a_classic_is_trained_on_the_cpu_alone() {
        let classic = Preset::named("classic-25").expect("a preset");
        assert!(refused(classic).contains("leave it out for classic-25"));
    }
}
