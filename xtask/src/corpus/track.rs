//! The events of one track, as far as there is sense in them.

use midly::{EventIter, MetaMessage, TrackEventKind};

use super::Refusal;

const META: u8 = 0xFF;
/// A number of variable length has no more bytes.
const LONGEST_NUMBER: usize = 4;

/// Events with their ticks from the beginning of the track. A status byte holds on across meta events and SysEx, as other
/// programs write and read it. What stands behind the end of the track is read too, up to what is no event.
pub struct Track<'a> {
    stream: EventIter<'a>,
    status: Option<u8>,
    tick: u64,
    has_ended: bool,
}

impl<'a> Track<'a> {
    pub fn new(stream: EventIter<'a>) -> Self {
        Self { stream, status: None, tick: 0, has_ended: false }
    }

    /// Where the track ends, once all is read.
    pub fn end(&self) -> u64 {
        self.tick
    }
}

impl<'a> Iterator for Track<'a> {
    type Item = Result<(u64, TrackEventKind<'a>), Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let unread = self.stream.unread();
            if unread.is_empty() {
                return None;
            }
            if self.stream.running_status().is_none() {
                *self.stream.running_status_mut() = self.status;
            }
            // The parser stops silently at what it does not understand.
            if let Some(Ok(event)) = self.stream.next() {
                self.status = self.stream.running_status().or(self.status);
                self.tick += u64::from(event.delta.as_int());
                if event.kind == TrackEventKind::Meta(MetaMessage::EndOfTrack) {
                    self.has_ended = true;
                    // Padding is no music.
                    self.status = None;
                }
                return Some(Ok((self.tick, event.kind)));
            }
            if let Some((delta, rest)) = odd_meta(unread) {
                self.tick += u64::from(delta);
                self.stream = EventIter::new(rest);
                continue;
            }
            self.stream = EventIter::new(&[]);
            return if self.has_ended { None } else { Some(Err(Refusal::Malformed)) };
        }
    }
}

/// The delta of a meta event that is as long as it says, and what follows it: whatever its data are, they can be left out.
fn odd_meta(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (delta, rest) = number(bytes)?;
    let (&[META, _], rest) = rest.split_first_chunk()? else { return None };
    let (length, rest) = number(rest)?;
    Some((delta, rest.get(usize::try_from(length).ok()?..)?))
}

/// A number of variable length, and what follows it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let digits = bytes.iter().take(LONGEST_NUMBER).position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, rest) = bytes.split_at(digits);
    Some((digits.iter().fold(0, |number, digit| number << 7 | u32::from(digit & 0x7F)), rest))
}
