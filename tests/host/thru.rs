//! What the player plays on its way to the instrument.

use anyhow::Result;
use stage::{Blocks, Event, Transport};

use crate::rig::{self, EFFECT};

#[test]
fn with_thru_on_every_event_passes_at_its_own_sample() -> Result<()> {
    let score = [Event::note(1000, 5000, 60, 90), Event::note(3001, 2048, 64, 1)].concat();
    let mut score = score;
    stage::score::sort(&mut score);
    for host in [&mut rig::clap(EFFECT, &[])? as &mut dyn stage::Host, &mut rig::vst3(EFFECT, &[])?] {
        let heard = rig::play(host, &score, &Transport::playing(120.0), Blocks::Fixed(64), 7000)?;
        assert_eq!(heard.events, score);
    }
    Ok(())
}
