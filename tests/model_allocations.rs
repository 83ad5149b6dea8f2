//! Models play on threads that must not wait: after the state is made, nothing is allocated.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use antiphon::{
    model::{Chance, Taste, embedded},
    music::{
        note::{Key, RelativeNote, Velocity},
        time::Seconds,
    },
};
use rand_pcg::rand_core::SeedableRng;

/// Counts what each thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn hearing_drawing_and_forgetting_allocate_nothing() {
    for model in embedded() {
        let (mut state, mut chance) = (model.silence(), Chance::seed_from_u64(1));
        let mut note = RelativeNote {
            step: Seconds(0.1),
            duration: Seconds(0.3),
            key: Key::saturating(60),
            velocity: Velocity::saturating(64),
        };
        let before = ALLOCATIONS.with(Cell::get);
        for _ in 0..3 {
            for temperature in [0.0, 0.7, 1.0] {
                model.hear(&mut state, note);
                note = model.draw(&mut state, &Taste { temperature }, Seconds(0.05), &mut chance);
            }
            model.forget(&mut state);
        }
        assert_eq!(ALLOCATIONS.with(Cell::get), before, "{}", model.name());
    }
}
