//! Any bytes as a saved state, by themselves and as the JSON within: it is refused or taken, and the plugin plays on.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use test_host::{Blocks, Clap, Event, Host, Mode, Pace, Part, Setup, Transport};

thread_local! {
    // SAFETY: the framework's entry is a valid one.
    static HOST: RefCell<Clap> = RefCell::new(
        unsafe { Clap::in_process((&raw const antiphon::plugin::clap_entry).cast(), "audio.antiphon.midi") }
            .expect("the plugin is there"),
    );
}

fuzz_target!(|bytes: &[u8]| {
    HOST.with_borrow_mut(|host| {
        let json = [&(bytes.len() as u64).to_le_bytes()[..], bytes].concat();
        for state in [bytes, &json] {
            let _ = host.load(state);
        }
        let score = Event::note(1, 20, 60, 90);
        let transport = Transport::playing(120.0);
        let blocks = Blocks::Fixed(64);
        let part = Part { score: &score, transport: &transport, until: 64, blocks, pace: Pace::Free };
        let setup = Setup { sample_rate: 48_000.0, largest_block: 64, mode: Mode::Offline };
        test_host::play(host, setup, &part).expect("it plays on");
    });
});
