//! Block size is invisible.

use anyhow::Result;
use stage::{Blocks, Event, Mode, Pace, Part, Setup, Transport};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, END, TEMPO};

#[test]
fn the_answer_is_the_same_for_every_partition_into_blocks() -> Result<()> {
    let transports =
        [Transport::playing(TEMPO), Transport::playing(97.3), Transport::stopped(TEMPO), Transport::absent()];
    for transport in &transports {
        let render = |blocks| rig::play(&mut rig::clap(EFFECT, ANSWERS)?, &rig::call(), transport, blocks);
        let first = render(Blocks::Fixed(512))?;
        assert!(!first.events.is_empty(), "{transport:?}");
        let fixed = [32, 137, 4096].map(Blocks::Fixed);
        let random = [1, 2, 3].map(|seed| Blocks::Random { largest: 4096, seed });
        for blocks in fixed.into_iter().chain(random) {
            rig::assert_alike(&render(blocks)?.events, &first.events, &format!("{blocks:?} {transport:?}"));
        }
    }
    Ok(())
}

#[test]
fn the_answer_is_the_same_in_blocks_of_one_sample() -> Result<()> {
    let render = |blocks| {
        rig::play(&mut rig::clap(EFFECT, ANSWERS)?, &rig::call(), &Transport::playing(TEMPO), blocks)
    };
    assert_eq!(render(Blocks::Fixed(1))?.events, render(Blocks::Fixed(512))?.events);
    Ok(())
}

#[test]
fn both_formats_give_the_same_answer_in_every_partition() -> Result<()> {
    for transport in [Transport::playing(TEMPO), Transport::playing(97.3), Transport::stopped(TEMPO)] {
        let clap = rig::play(&mut rig::clap(EFFECT, ANSWERS)?, &rig::call(), &transport, Blocks::Fixed(512))?;
        for blocks in [Blocks::Fixed(32), Blocks::Fixed(137), Blocks::Random { largest: 2048, seed: 9 }] {
            let vst3 = rig::play(&mut rig::vst3(EFFECT, ANSWERS)?, &rig::call(), &transport, blocks)?;
            rig::assert_alike(&vst3.events, &clap.events, &format!("{blocks:?} {transport:?}"));
        }
    }
    Ok(())
}

/// Ten seconds without a note, and then the call: by then a host that runs ahead has been seen to.
fn late_call() -> Vec<Event> {
    rig::call().into_iter().map(|event| Event { at: event.at + 20 * BEAT, ..event }).collect()
}

#[test]
fn a_host_that_renders_without_saying_so_gets_the_whole_answer() -> Result<()> {
    let (score, transport, blocks) = (late_call(), Transport::playing(TEMPO), Blocks::Fixed(512));
    for (format, mut host) in rig::both(ANSWERS)? {
        let mut render = |mode| {
            let part = Part { score: &score, transport: &transport, until: END, blocks, pace: Pace::Free };
            stage::play(&mut *host, Setup { mode, ..rig::offline(blocks) }, &part)
        };
        let told = render(Mode::Offline)?.events;
        assert!(!told.is_empty(), "{format}");
        assert_eq!(render(Mode::Realtime)?.events, told, "{format}");
    }
    Ok(())
}
