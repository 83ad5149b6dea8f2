//! Matrix products in mixed precision on the matrix unit that some x86-64 processors have (AMX: Intel, *64 and IA-32
//! Architectures Software Developer's Manual*, volume 1, chapter 18): factors are rounded to bf16, sums have single
//! precision.

use std::{marker::PhantomData, sync::OnceLock};

use half::bf16;

/// Number of rows of a tile, and number of sums in a row.
pub const SIDE: usize = 16;
/// Number of factors in a row of a tile.
pub const DEPTH: usize = 32;
/// Number of tiles side by side in a block.
const TILES: usize = 4;
/// Number of columns in a block.
pub const PANEL: usize = TILES * SIDE;

/// [`DEPTH`] factors of a row.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Line([bf16; DEPTH]);

/// [`DEPTH`] rows of [`PANEL`] factors, tile by tile, in the layout that TDPBF16PS asks for (VNNI). Each number has
/// two factors of a column: that of an even row in its lower half, that of the next row in its upper half.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Block([[[u32; SIDE]; DEPTH / 2]; TILES]);

impl Line {
    pub const ZERO: Self = Self([bf16::ZERO; DEPTH]);
}

impl Block {
    pub const ZERO: Self = Self([[[0; SIDE]; DEPTH / 2]; TILES]);

    /// Replaces a column.
    pub fn set_column(&mut self, column: usize, line: &Line) {
        let tile = &mut self.0[column / SIDE];
        for (row, [even, odd]) in tile.iter_mut().zip(line.0.as_chunks().0) {
            row[column % SIDE] = u32::from(even.to_bits()) | u32::from(odd.to_bits()) << 16;
        }
    }
}

/// The matrix unit, which this process may use.
#[derive(Debug, Clone, Copy)]
pub struct Unit(());

impl Unit {
    /// The unit, where the processor has one and the system lets this process use it. The first call asks for that, for
    /// as long as the process lives. Any thread; may wait for another thread that asks.
    pub fn get() -> Option<Self> {
        static UNIT: OnceLock<Option<Unit>> = OnceLock::new();
        *UNIT.get_or_init(|| machine::request().then_some(Self(())))
    }

    /// Rounds the first [`DEPTH`] numbers to a line. Panics where there are fewer.
    pub fn round_line(self, numbers: &[f32], line: &mut Line) {
        let numbers = numbers.first_chunk().expect("a line's numbers");
        // SAFETY: whoever has a unit may use it.
        unsafe { machine::round_line(numbers, line) };
    }

    /// Rounds [`DEPTH`] rows of [`PANEL`] numbers to a block. They begin `stride` numbers apart. Panics where
    /// there are fewer.
    pub fn round_block(self, numbers: &[f32], stride: usize, block: &mut Block) {
        assert!(stride >= PANEL && numbers.len() >= (DEPTH - 1) * stride + PANEL);
        // SAFETY: whoever has a unit may use it, and the assertion keeps all rows inside the slice.
        unsafe { machine::round_block(numbers, stride, block) };
    }

    /// Runs `multiply` with the tiles of this thread.
    ///
    /// # Safety
    /// `multiply` must neither call this again nor wait for a thread pool, which may do so on this thread: the tiles
    /// are given back once.
    pub unsafe fn with_tiles<R>(self, multiply: impl FnOnce(&Tiles) -> R) -> R {
        // SAFETY: whoever has a unit may use it.
        unsafe { machine::configure() };
        multiply(&Tiles(PhantomData))
    }
}

/// The tiles of this thread, ready for products. They stay on it.
pub struct Tiles(PhantomData<*const ()>);

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: whoever has tiles may use the unit.
        unsafe { machine::release() };
    }
}

impl Tiles {
    /// `output += lines · panel` for [`SIDE`] rows of as many lines as the panel has blocks. The [`PANEL`] sums of a row
    /// begin `stride` numbers after those of the row before. Panics where there are fewer lines or the output is too
    /// short.
    pub fn multiply(&self, lines: &[Line], panel: &[Block], output: &mut [f32], stride: usize) {
        assert!(!panel.is_empty() && lines.len() == SIDE * panel.len());
        assert!(stride >= PANEL && output.len() >= (SIDE - 1) * stride + PANEL);
        // SAFETY: the tiles of this thread are configured, and the assertions keep all rows inside the slices.
        unsafe { machine::multiply(lines, panel, output, stride) };
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod machine {
    use std::{
        arch::{
            asm,
            x86_64::{
                __cpuid_count, __m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_loadu_ps,
                _mm512_permutexvar_epi16,
            },
        },
        mem::transmute,
    };

    use super::{Block, DEPTH, Line, PANEL, SIDE};

    /// What the unit is told about its tiles: all eight have [`SIDE`] rows of 64 bytes.
    #[repr(C, align(64))]
    struct Configuration([u8; 64]);

    const CONFIGURATION: Configuration = {
        let mut bytes = [0; 64];
        bytes[0] = 1;
        let mut tile = 0;
        while tile < 8 {
            bytes[16 + 2 * tile] = 64;
            bytes[48 + tile] = SIDE as u8;
            tile += 1;
        }
        Configuration(bytes)
    };

    /// Whether the processor has the unit, and Linux lets this process use it from now on.
    pub fn request() -> bool {
        // Bits of the CPUID leaf 7 (Intel, as above, volume 2, table 1-17), and a call of Linux (*Using XSTATE features in
        // user space applications*, in the documentation of its kernel).
        const BF16: u32 = 1 << 22;
        const TILE: u32 = 1 << 24;
        const ARCH_REQ_XCOMP_PERM: libc::c_int = 0x1023;
        const XFEATURE_XTILEDATA: libc::c_ulong = 18;
        let features = __cpuid_count(7, 0).edx;
        // SAFETY: the call takes numbers, and allows what it is asked for or does nothing.
        features & BF16 != 0
            && features & TILE != 0
            && is_x86_feature_detected!("avx512bf16")
            && is_x86_feature_detected!("avx512bw")
            && unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) } == 0
    }

    /// [`super::Unit::round_line`]. The unit must be available.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub unsafe fn round_line(numbers: &[f32; DEPTH], line: &mut Line) {
        // SAFETY: the numbers are two vectors, a line is as long as one, and any bits are a line.
        unsafe {
            let low = _mm512_loadu_ps(numbers.as_ptr());
            let high = _mm512_loadu_ps(numbers.as_ptr().add(SIDE));
            *line = transmute::<__m512bh, Line>(_mm512_cvtne2ps_pbh(high, low));
        }
    }

    /// [`super::Unit::round_block`]. The unit must be available, and the slice as long as that says.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub unsafe fn round_block(numbers: &[f32], stride: usize, block: &mut Block) {
        // From the factors of an even row, then those of the odd one, to pairs of them.
        const ORDER: [u16; DEPTH] = {
            let mut order = [0; DEPTH];
            let mut n = 0;
            while n < DEPTH {
                order[n] = (n / 2 + n % 2 * SIDE) as u16;
                n += 1;
            }
            order
        };
        // SAFETY: each of these is as long as a vector, any bits are one, and all rows are inside the slice.
        unsafe {
            let order = transmute::<[u16; DEPTH], __m512i>(ORDER);
            for pair in 0..DEPTH / 2 {
                let even = numbers.as_ptr().add(2 * pair * stride);
                let odd = even.add(stride);
                for (tile, at) in block.0.iter_mut().zip((0..PANEL).step_by(SIDE)) {
                    let (even, odd) = (_mm512_loadu_ps(even.add(at)), _mm512_loadu_ps(odd.add(at)));
                    let factors = transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(odd, even));
                    tile[pair] = transmute::<__m512i, [u32; SIDE]>(_mm512_permutexvar_epi16(order, factors));
                }
            }
        }
    }

    /// Configures the tiles of this thread. The unit must be available.
    pub unsafe fn configure() {
        // SAFETY: the unit is available, and the configuration is a valid one.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &CONFIGURATION, options(nostack, readonly, preserves_flags))
        };
    }

    /// Gives the tiles back. The unit must be available.
    pub unsafe fn release() {
        // SAFETY: the unit is available.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    }

    /// [`super::Tiles::multiply`]. The tiles must be configured, the panel not empty, and the slices as long as that says.
    pub unsafe fn multiply(lines: &[Line], panel: &[Block], output: &mut [f32], stride: usize) {
        // Tiles 0 to 3 are sums, 4 is a tile of the lines, 5 and 6 are tiles of the panel.
        // SAFETY: each turn of the loop reads one line of each row, and one block.
        unsafe {
            asm!(
                "tileloadd tmm0, [{output} + {stride}]",
                "tileloadd tmm1, [{output} + {stride} + 64]",
                "tileloadd tmm2, [{output} + {stride} + 128]",
                "tileloadd tmm3, [{output} + {stride} + 192]",
                "2:",
                "tileloadd tmm4, [{lines} + {depth}]",
                "tileloadd tmm5, [{panel} + {width}]",
                "tileloadd tmm6, [{panel} + {width} + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm5",
                "tileloadd tmm5, [{panel} + {width} + 2048]",
                "tdpbf16ps tmm1, tmm4, tmm6",
                "tileloadd tmm6, [{panel} + {width} + 3072]",
                "tdpbf16ps tmm2, tmm4, tmm5",
                "tdpbf16ps tmm3, tmm4, tmm6",
                "add {lines}, 64",
                "add {panel}, 4096",
                "dec {blocks}",
                "jnz 2b",
                "tilestored [{output} + {stride}], tmm0",
                "tilestored [{output} + {stride} + 64], tmm1",
                "tilestored [{output} + {stride} + 128], tmm2",
                "tilestored [{output} + {stride} + 192], tmm3",
                lines = inout(reg) lines.as_ptr() => _,
                depth = in(reg) panel.len() * size_of::<Line>(),
                panel = inout(reg) panel.as_ptr() => _,
                width = in(reg) size_of::<Line>(),
                blocks = inout(reg) panel.len() => _,
                output = in(reg) output.as_mut_ptr(),
                stride = in(reg) stride * size_of::<f32>(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _,
                options(nostack),
            );
        }
    }
}

/// There is no unit elsewhere, or no call is known that allows its use.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod machine {
    use super::{Block, DEPTH, Line};

    pub fn request() -> bool {
        false
    }

    pub unsafe fn round_line(_: &[f32; DEPTH], _: &mut Line) {
        unreachable!("nobody has a unit")
    }

    pub unsafe fn round_block(_: &[f32], _: usize, _: &mut Block) {
        unreachable!("nobody has a unit")
    }

    pub unsafe fn configure() {
        unreachable!("nobody has a unit")
    }

    pub unsafe fn release() {
        unreachable!("nobody has a unit")
    }

    pub unsafe fn multiply(_: &[Line], _: &[Block], _: &mut [f32], _: usize) {
        unreachable!("nobody has a unit")
    }
}
