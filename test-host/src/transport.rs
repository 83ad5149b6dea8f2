//! The host's transport: a script of sections, and the playhead that follows it.

/// The script of the host's transport; without sections the host reports no transport at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Transport {
    sections: Vec<Section>,
}

/// A stretch of the script, from one sample of the host's clock until the next section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Section {
    pub at: u64,
    pub playing: bool,
    /// Position of the song at this section's first sample, in quarter notes; `None` continues from where it
    /// was.
    pub beats: Option<f64>,
    /// Quarter notes per minute at the section's first sample.
    pub tempo: f64,
    /// Change of tempo, in quarter notes per minute per second.
    pub ramp: f64,
    /// Beats per bar, and the note value of one: 3 and 4 in three-four time.
    pub signature: (u8, u8),
    /// A bar line, in quarter notes, and the number of the bar that it begins: bars are counted from it.
    pub bar_line: (f64, i32),
    /// The range of the song that repeats, in quarter notes. Needs a steady tempo.
    pub cycle: Option<(f64, f64)>,
}

/// The transport as a plugin sees it at the start of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransportState {
    pub playing: bool,
    pub beats: f64,
    pub tempo: f64,
    /// Change of tempo, in quarter notes per minute per sample.
    pub tempo_increment: f64,
    pub signature: (u8, u8),
    pub bar_line: (f64, i32),
    pub cycle: Option<(f64, f64)>,
}

impl Transport {
    /// A host that reports no transport.
    pub const fn absent() -> Self {
        Self { sections: Vec::new() }
    }

    /// Plays from the song's start, in common time.
    pub fn playing(tempo: f64) -> Self {
        let section = Section {
            at: 0,
            playing: true,
            beats: Some(0.0),
            tempo,
            ramp: 0.0,
            signature: (4, 4),
            bar_line: (0.0, 0),
            cycle: None,
        };
        Self { sections: vec![section] }
    }

    /// Stands still at the song's start.
    pub fn stopped(tempo: f64) -> Self {
        Self::playing(tempo).changed(|section| section.playing = false)
    }

    /// The same script with its newest section changed.
    pub fn changed(mut self, change: impl FnOnce(&mut Section)) -> Self {
        if let Some(newest) = self.sections.last_mut() {
            change(newest);
        }
        self
    }

    /// A further section from sample `at` on, which goes on like the one before it except for `change`.
    pub fn then(mut self, at: u64, change: impl FnOnce(&mut Section)) -> Self {
        if let Some(&before) = self.sections.last() {
            let mut section = Section { at, beats: None, ..before };
            change(&mut section);
            self.sections.push(section);
        }
        self
    }
}

/// Follows a [`Transport`] from block to block. Positions are computed from the last jump and never summed up
/// over blocks, so that they do not depend on the partition into blocks.
#[derive(Debug)]
pub struct Playhead<'a> {
    transport: &'a Transport,
    next: usize,
    current: Option<Section>,
    /// The sample and the beat from which the present stretch is computed.
    anchor: (u64, f64),
    sample_rate: f64,
}

impl<'a> Playhead<'a> {
    pub fn new(transport: &'a Transport, sample_rate: f64) -> Self {
        Self { transport, next: 0, current: None, anchor: (0, 0.0), sample_rate }
    }

    /// Where the song is at sample `at`, which must not lie before the last one asked for.
    pub fn advance(&mut self, at: u64) -> Option<TransportState> {
        while let Some(section) = self.transport.sections.get(self.next).filter(|section| section.at <= at) {
            let beats = section.beats.unwrap_or_else(|| self.beats(section.at));
            self.anchor = (section.at, beats);
            self.current = Some(*section);
            self.next += 1;
        }
        let section = self.current?;
        // A song that is beyond its cycle's end does not jump back.
        if let Some((start, end)) = section.cycle
            && self.anchor.1 < end
            && self.beats(at) >= end
        {
            self.anchor = (at, self.beats(at) - (end - start));
        }
        Some(TransportState {
            playing: section.playing,
            beats: self.beats(at),
            tempo: self.tempo(at),
            tempo_increment: if section.playing { section.ramp / self.sample_rate } else { 0.0 },
            signature: section.signature,
            bar_line: section.bar_line,
            cycle: section.cycle,
        })
    }

    /// The next sample after `at` at which the song jumps or a section begins: a block must not cross it.
    pub fn next_cut(&self, at: u64) -> Option<u64> {
        let section = self.transport.sections.get(self.next).map(|section| section.at);
        let wrap = self.current.filter(|current| current.playing).and_then(|current| {
            let beats_left = current.cycle?.1 - self.beats(at);
            let samples = (beats_left * 60.0 / current.tempo * self.sample_rate).ceil();
            (samples > 0.0).then_some(at + samples as u64)
        });
        section.into_iter().chain(wrap).min()
    }

    /// Changes the host's sample rate at sample `at`; the song continues from where it is.
    pub fn change_rate(&mut self, at: u64, sample_rate: f64) {
        let (beats, tempo) = (self.beats(at), self.tempo(at));
        self.anchor = (at, beats);
        if let Some(current) = &mut self.current {
            current.at = at;
            current.tempo = tempo;
        }
        self.sample_rate = sample_rate;
    }

    fn beats(&self, at: u64) -> f64 {
        let Some(section) = self.current.filter(|section| section.playing) else { return self.anchor.1 };
        let seconds = (at - self.anchor.0) as f64 / self.sample_rate;
        let tempo = self.tempo(self.anchor.0);
        self.anchor.1 + (tempo + section.ramp * seconds / 2.0) * seconds / 60.0
    }

    fn tempo(&self, at: u64) -> f64 {
        let Some(section) = self.current else { return 120.0 };
        let seconds = if section.playing { (at - section.at) as f64 / self.sample_rate } else { 0.0 };
        section.tempo + section.ramp * seconds
    }
}

impl TransportState {
    /// Position of the song in seconds, at the present tempo.
    pub fn seconds(&self) -> f64 {
        self.beats * 60.0 / self.tempo
    }

    /// The present bar's number and its start in quarter notes.
    pub fn bar(&self) -> (i32, f64) {
        let length = f64::from(self.signature.0) * 4.0 / f64::from(self.signature.1);
        let (line, number) = self.bar_line;
        let bars = ((self.beats - line) / length).floor();
        (number + bars as i32, line + bars * length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 48_000.0;

    fn beats(playhead: &mut Playhead, at: u64) -> f64 {
        playhead.advance(at).expect("there is a transport").beats
    }

    #[test]
    fn a_cycle_wraps_at_its_end_and_not_from_beyond() {
        let song = Transport::playing(120.0).changed(|section| section.cycle = Some((1.0, 2.0)));
        let mut playhead = Playhead::new(&song, RATE);
        assert_eq!(beats(&mut playhead, 0), 0.0);
        assert_eq!(playhead.next_cut(0), Some(48_000));
        assert_eq!(beats(&mut playhead, 48_000), 1.0);
        assert_eq!(playhead.next_cut(48_000), Some(72_000));
        let beyond = song.then(48_001, |section| section.beats = Some(5.0));
        let mut playhead = Playhead::new(&beyond, RATE);
        assert_eq!(beats(&mut playhead, 48_001), 5.0);
        assert_eq!(beats(&mut playhead, 72_001), 6.0);
    }

    #[test]
    fn a_stopped_song_stays_and_goes_on_from_there() {
        let song = Transport::playing(60.0)
            .then(48_000, |section| section.playing = false)
            .then(96_000, |section| section.playing = true);
        let mut playhead = Playhead::new(&song, RATE);
        assert_eq!(beats(&mut playhead, 50_000), 1.0);
        assert_eq!(beats(&mut playhead, 120_000), 1.5);
    }

    #[test]
    fn bars_of_another_length_are_counted_from_where_they_begin() {
        let song = Transport::playing(60.0).then(192_000, |section| {
            section.signature = (3, 4);
            section.bar_line = (4.0, 1);
        });
        let mut playhead = Playhead::new(&song, RATE);
        let mut bar = |at| playhead.advance(at).expect("there is a transport").bar();
        assert_eq!([bar(144_000), bar(240_000), bar(384_000)], [(0, 0.0), (1, 4.0), (2, 7.0)]);
    }

    #[test]
    fn a_ramp_moves_tempo_and_place_together() {
        let song = Transport::playing(60.0).changed(|section| section.ramp = 60.0);
        let mut playhead = Playhead::new(&song, RATE);
        let place = playhead.advance(48_000).expect("there is a transport");
        assert_eq!((place.tempo, place.beats), (120.0, 1.5));
    }
}
