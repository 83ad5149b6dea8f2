//! How likely each key is to be the next one.

use super::vector;
use crate::music::note::Key;

/// The odds of all keys as the network judges them, before temperature, focus and any limit. They sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyOdds([f32; Key::COUNT]);

impl KeyOdds {
    /// From the logits of all keys. Realtime-safe.
    pub fn of(logits: &[f32]) -> Self {
        let mut odds = [f32::NEG_INFINITY; Key::COUNT];
        for (odds, logit) in odds.iter_mut().zip(logits) {
            *odds = *logit;
        }
        let sum = vector::soften(&mut odds);
        vector::share_out(&mut odds, sum);
        Self(odds)
    }

    /// How likely a key is, 0..=1.
    pub fn of_key(&self, key: Key) -> f32 {
        self.0[key.index()]
    }

    /// In the order of the keys.
    pub fn all(&self) -> &[f32; Key::COUNT] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odds_of_all_keys_sum_to_one_and_follow_the_logits() {
        let mut logits = [0.0; Key::COUNT];
        logits[60] = 127f32.ln();
        let odds = KeyOdds::of(&logits);
        assert!((odds.all().iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((odds.of_key(Key::saturating(60)) - 0.5).abs() < 1e-5);
    }
}
