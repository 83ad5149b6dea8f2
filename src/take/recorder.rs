//! The take recorder: reads the event log and keeps the take.

use std::sync::Arc;

use parking_lot::Mutex;
use rtrb::Consumer;

use super::Take;
use crate::{
    event_log::{Event, Record},
    music::time::{SampleRate, SampleTime},
};

/// A recorder that threads share, but not the audio thread. Holding its lock for long disturbs no playing,
/// but is to be avoided: the lane holds ten seconds.
pub type SharedRecorder = Arc<Mutex<TakeRecorder>>;

/// Keeps the current take, and the one before it until something is played again: a host resets whenever it
/// stops, and what was just played is not to be lost.
#[derive(Debug)]
pub struct TakeRecorder {
    lane: Option<Consumer<Record>>,
    take: Take,
    former: Option<Take>,
}

impl TakeRecorder {
    /// Reads another lane from now on, after reading what is left on the one before.
    pub fn follow(&mut self, lane: Consumer<Record>) {
        self.catch_up();
        self.lane = Some(lane);
    }

    /// Adds all new records to the take. For any thread but audio; cheap if there are none.
    pub fn catch_up(&mut self) {
        while let Some(Ok(record)) = self.lane.as_mut().map(Consumer::pop) {
            self.write(record);
        }
    }

    /// The current take.
    pub fn take(&self) -> &Take {
        &self.take
    }

    /// The take to save: the current one, or the one before while nothing has been played in this one.
    pub fn latest(&self) -> &Take {
        match &self.former {
            Some(former) if self.take.is_empty() => former,
            _ => &self.take,
        }
    }

    /// A copy of [`Self::latest`] at `now` on the instance's clock: held notes have lasted until then.
    pub fn latest_until(&self, now: SampleTime) -> Take {
        match &self.former {
            Some(former) if self.take.is_empty() => former.clone(),
            _ => self.take.clone().until(now),
        }
    }

    fn write(&mut self, record: Record) {
        if let Event::Began(rate) = record.event {
            let ended = std::mem::replace(&mut self.take, Take::new(rate));
            if !ended.is_empty() {
                self.former = Some(ended.ended());
            }
        }
        self.take.record(record);
        if !self.take.is_empty() {
            self.former = None;
        }
    }
}

impl Default for TakeRecorder {
    fn default() -> Self {
        Self { lane: None, take: Take::new(SampleRate(48_000.0)), former: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::event_log,
        music::{
            note::{Key, Velocity},
            note_tracker::ChannelKey,
        },
    };

    const RATE: SampleRate = SampleRate(48_000.0);

    fn strike(key: u8) -> Event {
        Event::Struck(ChannelKey { channel: 0, key: Key::saturating(key) }, Velocity::saturating(80))
    }

    fn keys(take: &Take) -> Vec<u8> {
        take.call().iter().map(|note| note.place.key.number()).collect()
    }

    #[test]
    fn a_take_can_be_saved_after_a_reset_until_the_next_one_is_played() {
        let mut recorder = TakeRecorder::default();
        for (key, saved) in [(60, vec![60]), (62, vec![62])] {
            let (mut lane, reader) = event_log();
            recorder.follow(reader);
            for event in [Event::Began(RATE), strike(key), Event::Began(RATE)] {
                lane.tell(SampleTime(0), event).expect("room");
            }
            drop(lane);
            recorder.catch_up();
            assert!(recorder.take().is_empty());
            assert_eq!(keys(recorder.latest()), saved);
        }
    }

    #[test]
    fn a_full_lane_loses_what_it_must_and_says_so_afterwards() {
        let (mut lane, reader) = event_log();
        let mut recorder = TakeRecorder::default();
        recorder.follow(reader);
        let told = (0..10_000).take_while(|at| lane.tell(SampleTime(*at), strike(60)).is_ok()).count();
        assert!((1_000..10_000).contains(&told));
        recorder.catch_up();
        assert_eq!(recorder.take().call().held().count(), 1);
        let later = SampleTime(20_000);
        lane.tell(later, Event::LetGo).expect("there is room again");
        recorder.catch_up();
        assert_eq!((recorder.take().call().len(), recorder.take().call().held().count()), (told, 0));
    }

    #[test]
    fn a_note_that_is_held_while_the_take_is_saved_lasts_until_then() {
        let (mut lane, reader) = event_log();
        let mut recorder = TakeRecorder::default();
        recorder.follow(reader);
        lane.tell(SampleTime(0), Event::Began(RATE)).expect("room");
        lane.tell(SampleTime(100), strike(60)).expect("room");
        recorder.catch_up();
        assert_eq!(recorder.latest_until(SampleTime(96_000)).now(), SampleTime(96_000));
    }
}
