//! Block size is invisible.

use anyhow::Result;
use stage::{Blocks, Transport};

use crate::rig::{self, ANSWERS, EFFECT, TEMPO};

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
