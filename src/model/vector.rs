//! Loops over many numbers, compiled for the widest vectors that the processor turns out to have.
//!
//! Realtime-safe throughout: no allocation, and the processor is asked only once.

/// Compiles a loop for three kinds of processor and takes the best at run time; `FUSED` tells it that `mul_add` is one instruction.
macro_rules! vectorised {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $given:ty)? = $body:ident) => {
        $(#[$doc])*
        pub fn $name($($arg: $type),*) $(-> $given)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn wide($($arg: $type),*) $(-> $given)? {
                    $body::<true>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn common($($arg: $type),*) $(-> $given)? {
                    $body::<true>($($arg),*)
                }
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the processor has just said that it has the feature.
                    return unsafe { wide($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has just said that it has both features.
                    return unsafe { common($($arg),*) };
                }
            }
            $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}

mod adam;
mod cell;
mod rows;
mod scalar;
mod sums;
mod tile;

pub use self::{
    adam::{AdamStep, adam},
    cell::{cell, cell_backward},
    rows::{TINY, normalise, normalise_backward, share_out, soften, soften_backward},
    sums::{Item, WIDTH, add, dot, gather, multiply, scale_and_add},
    tile::{Line, PANEL, TILE, tile},
};

/// Whether a vector holds sixteen numbers and there are thirty-two of them.
fn has_widest_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    let widest = is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let widest = false;
    widest
}
