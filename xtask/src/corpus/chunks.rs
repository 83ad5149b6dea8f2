//! The chunks of a MIDI file, bare or in a RIFF file: whether they are all there, before the parser sees them.

use super::Refusal;

/// The length of a chunk's name and length.
const CHUNK_HEAD: usize = 8;
/// In a bare file, where the division stands: its first byte is below 0 where time is in film frames.
const DIVISION: usize = 12;
/// Frames a second, as SMPTE counts them.
const FRAMES: [u8; 4] = [24, 25, 29, 30];

/// Whether a file that begins like this may be a MIDI file.
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

/// The bare MIDI file in a file's bytes, with all its chunks, and how many tracks more its header promises.
pub fn bare(bytes: &[u8]) -> Result<(&[u8], u16), Refusal> {
    check_head(bytes)?;
    let (bare, is_cut) = if bytes.starts_with(b"RIFF") { unwrapped(bytes)? } else { (bytes, false) };
    match missing_tracks(bare)? {
        1.. if is_cut => Err(Refusal::Truncated),
        missing => Ok((bare, missing)),
    }
}

/// What a RIFF file carries, and whether that is less than it says. The lengths that it tells of itself and of its `data` are often
/// wrong; what is in the data tells whether it is whole.
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
        // Chunks begin at even places.
        rest = body.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    Err(Refusal::Truncated)
}

/// Every chunk must be as long as it says: the parser would quietly take less. A file that ends between two tracks is read, for
/// there are programs that miscount.
fn missing_tracks(bytes: &[u8]) -> Result<u16, Refusal> {
    let declared = bytes.get(10..12).map(|n| u16::from_be_bytes([n[0], n[1]]));
    let Some(declared) = declared else { return Err(Refusal::Truncated) };
    check_division(bytes)?;
    let (mut rest, mut tracks) = (bytes, 0);
    while let Some((head, body)) = rest.split_first_chunk::<CHUNK_HEAD>() {
        // The parser takes the opposite of a number of frames in every head, also in those that count for nothing; -128 has none.
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
