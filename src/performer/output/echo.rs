//! Whether what comes in is what has gone out: two instances in a ring, or a cable from the instrument back.

use crate::music::{
    note::{Key, Velocity},
    time::{SampleRate, SampleTime, Seconds},
};

/// A note that has gone out may come back within this: some blocks, or a cable and a converter.
const WINDOW: Seconds = Seconds(0.1);
/// So many strikes in a row that came back are no chance: no player strikes the same keys as loud by hundredths.
const CERTAIN: u8 = 2;
/// So many of the newest strikes are known.
const KNOWN: usize = 32;

/// The newest strikes that have gone out, and whether they come back. Realtime-safe.
#[derive(Debug, Default)]
pub struct Echo {
    sent: [Option<Sent>; KNOWN],
    next: usize,
    suspicion: u8,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    key: Key,
    velocity: Velocity,
    at: SampleTime,
    by: Sender,
}

/// Who has struck what went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Player,
    Answer,
}

impl Echo {
    pub fn sent(&mut self, key: Key, velocity: Velocity, at: SampleTime, by: Sender) {
        self.sent[self.next] = Some(Sent { key, velocity, at, by });
        self.next = (self.next + 1) % KNOWN;
    }

    /// Whether a strike that comes in has gone out before and is to be ignored. What the player has struck can only come
    /// back while its key is down: a key is not struck twice before its release.
    pub fn returns(
        &mut self,
        key: Key,
        velocity: Velocity,
        at: SampleTime,
        is_held: impl Fn(Key) -> bool,
        rate: SampleRate,
    ) -> bool {
        let same = |sent: &Sent| {
            let is_recent = at - sent.at <= rate.samples(WINDOW);
            let fits = sent.by == Sender::Answer || is_held(key);
            (sent.key, sent.velocity) == (key, velocity) && is_recent && fits
        };
        let found = self.sent.iter_mut().find(|sent| sent.as_ref().is_some_and(same));
        match found {
            // Each comes back once.
            Some(sent) => {
                *sent = None;
                self.suspicion = (self.suspicion + 1).min(CERTAIN * 2);
                self.suspicion >= CERTAIN
            }
            None => {
                self.suspicion = self.suspicion.saturating_sub(1);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(1_000.0);

    fn strike(echo: &mut Echo, key: u8, velocity: u8, at: u64) -> bool {
        let key = Key::saturating(key);
        echo.returns(key, Velocity::saturating(velocity), SampleTime(at), |_| false, RATE)
    }

    fn send(echo: &mut Echo, key: u8, at: u64) {
        echo.sent(Key::saturating(key), Velocity::saturating(80), SampleTime(at), Sender::Answer);
    }

    #[test]
    fn one_strike_alike_is_chance_and_the_second_is_not() {
        let mut echo = Echo::default();
        send(&mut echo, 60, 0);
        send(&mut echo, 64, 50);
        assert!(!strike(&mut echo, 60, 80, 10));
        assert!(strike(&mut echo, 64, 80, 60));
    }

    #[test]
    fn another_velocity_or_another_time_is_the_players_own() {
        let mut echo = Echo::default();
        for at in 0..8 {
            send(&mut echo, 60, at * 500);
            assert!(!strike(&mut echo, 60, 81, at * 500 + 10));
            assert!(!strike(&mut echo, 60, 80, at * 500 + 101));
        }
    }

    #[test]
    fn a_player_who_repeats_a_key_is_no_echo() {
        let mut echo = Echo::default();
        for at in (0..2_000).step_by(60) {
            assert!(!strike(&mut echo, 60, 80, at));
            echo.sent(Key::saturating(60), Velocity::saturating(80), SampleTime(at), Sender::Player);
        }
    }
}
