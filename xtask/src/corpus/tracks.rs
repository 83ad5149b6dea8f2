//! The tracks of a Standard MIDI File, bare or in a RIFF file: its chunks, and the valid events and names in
//! them.

use encoding_rs::{SHIFT_JIS, WINDOWS_1252};
use midly::{EventIter, MetaMessage, TrackEventKind};

use super::Refusal;

/// Bytes of a chunk's head: its name and its length.
const CHUNK_HEAD: usize = 8;
/// Offset of the division in a bare file. Its first byte is negative if time is in film frames.
const DIVISION: usize = 12;
/// Film frames per second, as SMPTE counts them.
const FRAMES: [u8; 4] = [24, 25, 29, 30];
const META: u8 = 0xFF;
/// Largest number of bytes of a variable-length number.
const LONGEST_NUMBER: usize = 4;

/// Checks whether a file that begins like this may be a MIDI file.
pub fn check_head(bytes: &[u8]) -> Result<(), Refusal> {
    let is_wrapped = || bytes.starts_with(b"RIFF") && bytes.get(8..12).is_some_and(|kind| kind == b"RMID");
    match bytes {
        [] => Err(Refusal::Empty),
        [b'M', b'T', b'h', b'd', ..] => Ok(()),
        _ if b"MThd".starts_with(bytes) => Err(Refusal::Truncated),
        _ if is_wrapped() => Ok(()),
        _ => Err(Refusal::NotMidi),
    }
}

/// The bare MIDI file in a file's bytes, with all its chunks, and the number of promised tracks that are
/// missing.
pub fn bare(bytes: &[u8]) -> Result<(&[u8], u16), Refusal> {
    check_head(bytes)?;
    let (bare, is_cut) = if bytes.starts_with(b"RIFF") { unwrapped(bytes)? } else { (bytes, false) };
    match missing_tracks(bare)? {
        1.. if is_cut => Err(Refusal::Truncated),
        missing => Ok((bare, missing)),
    }
}

/// The contents of a RIFF file, and whether they are shorter than it says. The lengths that it gives for
/// itself and its `data` are often wrong; the data themselves tell whether they are whole.
fn unwrapped(bytes: &[u8]) -> Result<(&[u8], bool), Refusal> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((head, body)) = rest.split_first_chunk::<CHUNK_HEAD>() {
        let [.., a, b, c, d] = *head;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if head.starts_with(b"data") {
            let data = &body[..length.min(body.len())];
            return if data.starts_with(b"RIFF") {
                Err(Refusal::NotMidi)
            } else {
                check_head(data).map(|()| (data, data.len() < length))
            };
        }
        // Chunks begin at even offsets.
        rest = body.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    Err(Refusal::Truncated)
}

/// The number of missing tracks. Every chunk must be as long as it says, since the parser silently accepts
/// less. A file that ends between two tracks is read, since some programs miscount.
fn missing_tracks(bytes: &[u8]) -> Result<u16, Refusal> {
    let declared = bytes.get(10..12).map(|n| u16::from_be_bytes([n[0], n[1]]));
    let Some(declared) = declared else { return Err(Refusal::Truncated) };
    check_division(bytes)?;
    let (mut rest, mut tracks) = (bytes, 0);
    while let Some((head, body)) = rest.split_first_chunk::<CHUNK_HEAD>() {
        // The parser negates the number of frames in every head, even in one that is ignored; -128 would
        // overflow.
        if head.starts_with(b"MThd") && body.get(DIVISION - CHUNK_HEAD) == Some(&0x80) {
            return Err(Refusal::NoTime);
        }
        let [.., a, b, c, d] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok();
        let Some(after) = length.and_then(|length| body.get(length..)) else {
            // Padding after the last track is not a chunk.
            return if tracks >= declared { Ok(0) } else { Err(Refusal::Truncated) };
        };
        tracks = tracks.saturating_add(u16::from(head.starts_with(b"MTrk")));
        rest = after;
    }
    match rest {
        _ if tracks >= declared => Ok(0),
        [] if tracks > 0 => Ok(declared - tracks),
        _ => Err(Refusal::Truncated),
    }
}

fn check_division(bytes: &[u8]) -> Result<(), Refusal> {
    match bytes.get(DIVISION) {
        Some(&division @ 0x81..) if !FRAMES.contains(&division.wrapping_neg()) => {
            Err(Refusal::OddFrames(division.wrapping_neg()))
        }
        _ => Ok(()),
    }
}

/// Events with their ticks from the beginning of the track. Running status continues across meta events and
/// SysEx, as other programs write and read it. Events after the end of the track are read too, up to the
/// first invalid one.
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

    /// The tick at which the track ends, once all is read.
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
            // The parser stops silently at bytes that it does not understand.
            if let Some(Ok(event)) = self.stream.next() {
                self.status = self.stream.running_status().or(self.status);
                self.tick += u64::from(event.delta.as_int());
                if event.kind == TrackEventKind::Meta(MetaMessage::EndOfTrack) {
                    self.has_ended = true;
                    // Padding is not music.
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

/// The delta of a meta event that is as long as it says, and the bytes after it. Its data can be skipped,
/// whatever they are.
fn odd_meta(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (delta, rest) = number(bytes)?;
    let (&[META, _], rest) = rest.split_first_chunk()? else { return None };
    let (length, rest) = number(rest)?;
    Some((delta, rest.get(usize::try_from(length).ok()?..)?))
}

/// A variable-length number, and the bytes after it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let digits = bytes.iter().take(LONGEST_NUMBER).position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, rest) = bytes.split_at(digits);
    Some((digits.iter().fold(0, |number, digit| number << 7 | u32::from(digit & 0x7F)), rest))
}

/// Decodes a name: as UTF-8 if it is valid, else as Shift-JIS or Latin-1, whichever is likelier. `None` if it
/// is empty.
pub fn decoded(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) if is_shift_jis(bytes) => SHIFT_JIS.decode_without_bom_handling(bytes).0,
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    };
    // Some programs end a name with a zero byte, as C does.
    let name = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
    (!name.is_empty()).then(|| name.chars().map(shown).collect())
}

/// Replaces control characters, which a terminal would obey, by their Unicode pictures, or else by a full stop.
fn shown(letter: char) -> char {
    match letter {
        '\0'..='\x1F' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('.'),
        '\x7F' => '\u{2421}',
        // Marks that change the direction of writing.
        '\u{80}'..='\u{9F}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            '.'
        }
        _ => letter,
    }
}

/// Whether the bytes are valid Shift-JIS and likelier so than Latin-1. This needs letters of two bytes whose
/// first byte is no letter in Latin-1, and which are not inside a word of ASCII letters.
fn is_shift_jis(bytes: &[u8]) -> bool {
    let Some(text) = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes) else {
        return false;
    };
    // Letters of the private use area, which no name has.
    if text.chars().any(|letter| ('\u{E000}'..='\u{F8FF}').contains(&letter)) {
        return false;
    }
    let is_letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let (mut at, mut kana, mut has_sign, mut has_kana) = (0, 0, false, false);
    while at < bytes.len() {
        // Half-width katakana take one byte each. The same bytes are signs and capitals in Latin-1, which
        // rarely meet.
        (kana, has_sign) = match bytes[at] {
            byte @ 0xA1..=0xDF => (kana + 1, has_sign || byte < 0xC0),
            _ => (0, false),
        };
        has_kana |= kana > 2 && has_sign;
        match bytes[at] {
            0x81..=0x9F => {
                let within_a_word =
                    is_letter(Some(at + 1)) && (is_letter(at.checked_sub(1)) || is_letter(Some(at + 2)));
                if !within_a_word {
                    return true;
                }
                at += 2;
            }
            0xE0..=0xFC => at += 2,
            _ => at += 1,
        }
    }
    has_kana
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_three_alphabets_keep_their_letters() {
        let names: [(&[u8], &str); 13] = [
            ("Klavier größer".as_bytes(), "Klavier größer"),
            ("ピアノ右手".as_bytes(), "ピアノ右手"),
            (b"Kl\xE4vier gr\xFC\xDFt \xA9 2008", "Klävier grüßt © 2008"),
            (b"Pr\xE9lude", "Prélude"),
            (b"\xC9tude n\xBA 3", "Étude nº 3"),
            (b"Cora\xE7\xE3o", "Coração"),
            (b"C\x9Cur don\x92t", "Cœur don’t"),
            (b"\x83s\x83A\x83m\x89E\x8E\xE8", "ピアノ右手"),
            (b"\x8F\xE3 (Right)", "上 (Right)"),
            (b"Piano \x89E", "Piano 右"),
            (b"\xCB\xDF\xB1\xC9", "ﾋﾟｱﾉ"),
            (b"\xF6fter", "öfter"),
            (b"M\xC4\xD6\xDC", "MÄÖÜ"),
        ];
        for (bytes, name) in names {
            assert_eq!(decoded(bytes).as_deref(), Some(name), "{bytes:?}");
        }
    }

    #[test]
    fn no_letter_of_a_name_moves_the_terminal() {
        assert_eq!(decoded(b"red\x1B[31m\nnew\ttab\x7F").as_deref(), Some("red␛[31m␊new␉tab␡"));
        assert_eq!(decoded("a\u{9B}31m\u{202E}b".as_bytes()).as_deref(), Some("a.31m.b"));
        assert_eq!(decoded(b"ended\0").as_deref(), Some("ended"));
    }

    #[test]
    fn a_name_of_nothing_is_none() {
        assert_eq!(decoded(b""), None);
        assert_eq!(decoded(b" \t\0"), None);
    }
}
