//! How time is cut into process calls.

/// The sizes of blocks, in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    Fixed(u32),
    /// Anything from 1 to `largest`, small ones as often as large ones; the same for the same seed.
    Random {
        largest: u32,
        seed: u64,
    },
}

impl Blocks {
    /// The largest block that can come.
    pub const fn largest(self) -> u32 {
        match self {
            Self::Fixed(size) => size,
            Self::Random { largest, .. } => largest,
        }
    }

    /// One size after the other, without end, each at least 1.
    pub fn sizes(self) -> impl Iterator<Item = u32> {
        let mut state = match self {
            Self::Fixed(_) => 0,
            Self::Random { seed, .. } => seed,
        };
        std::iter::repeat_with(move || match self {
            Self::Fixed(size) => size.max(1),
            Self::Random { largest, .. } => {
                let draw = split_mix(&mut state);
                let bits = (draw >> 32) as u32 % (largest.max(1).ilog2() + 1);
                let below = largest.max(1) >> bits;
                1 + draw as u32 % below
            }
        })
    }
}

/// Vigna's SplitMix64.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_sizes_stay_within_their_bounds_and_repeat_for_one_seed() {
        let blocks = Blocks::Random { largest: 4096, seed: 7 };
        let sizes: Vec<u32> = blocks.sizes().take(1000).collect();
        assert!(sizes.iter().all(|size| (1..=4096).contains(size)));
        assert!(sizes.iter().any(|&size| size < 16) && sizes.iter().any(|&size| size > 2048));
        assert_eq!(sizes, blocks.sizes().take(1000).collect::<Vec<_>>());
    }
}
