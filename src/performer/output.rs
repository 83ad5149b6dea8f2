//! What goes to the instrument: the only code that calls the host's event output.

mod instrument;

pub use self::instrument::Instrument;
use self::instrument::{Debt, Owner};
use super::port::{Arrival, Gesture, Port, Refused, Sound};
use crate::music::{
    note::Velocity,
    note_tracker::{CHANNELS, ChannelKey, Pedal, Zone},
    schedule::Schedule,
};

/// The notes that are planned, those that sound, and the events that the instrument is owed.
#[derive(Debug)]
pub(super) struct Output {
    pub schedule: Schedule,
    instrument: Instrument,
    /// The host has refused an event that cannot be left out. The plugin sends no event of its own before
    /// the next block, unless a strike of the player needs the key's debt paid first.
    blocked: bool,
}

/// Whether what the player plays goes to the instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThruGate {
    Open,
    Closed,
}

/// An event to send: the player's to pass on, or the plugin's own with its offset in the block.
enum Leaving<E> {
    Passed(Arrival<E>),
    Own(u32, Sound),
}

impl Output {
    /// Allocates all it will ever need.
    pub fn new(instrument: Instrument) -> Self {
        Self { schedule: Schedule::new(), instrument, blocked: false }
    }

    /// Ends the output: all that sounds is owed its end.
    pub fn leave(mut self) -> Instrument {
        self.instrument.owe_all();
        self.instrument
    }

    /// Sends what the instrument is owed, before anything else in the block.
    pub fn begin_block(&mut self, port: &mut impl Port) {
        self.blocked = false;
        self.pay(0, port);
    }

    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Whether a note of the answer sounds on this key.
    pub fn answers_on(&self, place: ChannelKey) -> bool {
        self.instrument.owner(place) == Owner::Answer
    }

    /// Begins a note of the answer. Refuses a key that already sounds or that is still owed a note-off.
    pub fn strike(
        &mut self,
        place: ChannelKey,
        velocity: Velocity,
        offset: u32,
        port: &mut impl Port,
    ) -> Result<(), Refused> {
        let is_free = self.instrument.owner(place) == Owner::Nobody && !self.instrument.owes(place);
        if self.blocked || !is_free {
            return Err(Refused);
        }
        self.send(Leaving::Own(offset, Sound::NoteOn(place, velocity)), port)?;
        self.instrument.answer_strikes(place);
        Ok(())
    }

    /// Ends a note of the key's owner now, or as soon as the host takes the note-off.
    pub fn release(&mut self, place: ChannelKey, offset: u32, port: &mut impl Port) {
        self.instrument.owe(place);
        self.pay(offset, port);
    }

    /// Releases all keys and pedals of the player.
    pub fn release_all_played(&mut self, offset: u32, port: &mut impl Port) {
        self.instrument.owe_all_played(None, Zone::Off);
        (0..CHANNELS).for_each(|channel| self.instrument.owe_pedal(channel));
        self.pay(offset, port);
    }

    /// Sets the pitch bend of a channel back to the centre, if it was bent.
    pub fn unbend(&mut self, channel: u8, offset: u32, port: &mut impl Port) {
        let is_bent = self.instrument.is_bent(channel) && !self.blocked;
        if is_bent && self.send(Leaving::Own(offset, Sound::Unbend { channel }), port).is_ok() {
            self.instrument.set_bent(channel, false);
        }
    }

    /// Marks all that sounds as owed its end, where nothing can be sent now.
    pub fn owe_all(&mut self) {
        self.instrument.owe_all();
    }

    /// Passes on a strike of the player, who then owns the key. A note-off that is owed on the key is sent
    /// first, so that it cannot end the new note.
    pub fn pass_strike<P: Port>(
        &mut self,
        place: ChannelKey,
        arrival: Arrival<P::Event>,
        port: &mut P,
    ) -> Result<(), Refused> {
        if self.instrument.owes(place) {
            self.blocked = false;
            self.pay(arrival.offset, port);
        }
        if self.instrument.owes(place) || self.answers_on(place) {
            return Err(Refused);
        }
        self.send(Leaving::Passed(arrival), port)?;
        self.instrument.player_strikes(place);
        Ok(())
    }

    /// Passes on the release of a strike that was passed on. Where the host refuses it, it is owed.
    pub fn pass_release<P: Port>(
        &mut self,
        place: ChannelKey,
        arrival: Arrival<P::Event>,
        port: &mut P,
    ) -> Result<(), Refused> {
        let sent = self.send(Leaving::Passed(arrival), port);
        match sent {
            Ok(()) => self.instrument.player_releases(place),
            Err(_) => self.instrument.owe(place),
        }
        sent
    }

    /// Passes on a release whose strike is not known. It counts as the player's where the player owns the
    /// key, and never ends a note of the answer.
    pub fn pass_stray_release<P: Port>(
        &mut self,
        place: ChannelKey,
        thru_gate: ThruGate,
        arrival: Arrival<P::Event>,
        port: &mut P,
    ) -> Result<(), Refused> {
        match self.instrument.owner(place) {
            Owner::Player { .. } => self.pass_release(place, arrival, port),
            Owner::Nobody if thru_gate == ThruGate::Open => self.send(Leaving::Passed(arrival), port),
            Owner::Nobody | Owner::Answer => Ok(()),
        }
    }

    /// Passes on any other event of the player. Through a closed thru gate, only an event that undoes an
    /// earlier one is passed on.
    pub fn pass<P: Port>(
        &mut self,
        arrival: Arrival<P::Event>,
        thru_gate: ThruGate,
        zone: Zone,
        port: &mut P,
    ) -> Result<(), Refused> {
        if thru_gate == ThruGate::Closed && !self.undoes(arrival.gesture, zone) {
            return Ok(());
        }
        let sent = self.send(Leaving::Passed(arrival), port);
        self.settle(arrival.gesture, zone, sent);
        sent
    }

    fn undoes(&self, gesture: Gesture, zone: Zone) -> bool {
        let is_pressed = |channel| self.instrument.is_pedal_down(channel);
        match gesture {
            Gesture::AllOff { channel } => self.instrument.is_played(channel, zone),
            Gesture::AllSoundOff { channel } => self.instrument.is_played(Some(channel), zone),
            Gesture::Pedal { channel, pedal } => pedal == Pedal::Up && is_pressed(channel),
            Gesture::ResetControllers { channel } => zone.reached(Some(channel)).any(is_pressed),
            Gesture::Bend { channel, is_bent } => !is_bent && self.instrument.is_bent(channel),
            _ => false,
        }
    }

    /// Records a gesture that was passed on. If the host refused it, what it should have undone is owed
    /// instead.
    fn settle(&mut self, gesture: Gesture, zone: Zone, sent: Result<(), Refused>) {
        let instrument = &mut self.instrument;
        match (gesture, sent) {
            (Gesture::AllOff { channel }, _) => Self::settle_all_off(instrument, channel, zone, sent),
            (Gesture::AllSoundOff { channel }, _) => {
                Self::settle_all_off(instrument, Some(channel), zone, sent);
            }
            (Gesture::Pedal { channel, pedal: Pedal::Down }, Ok(())) => instrument.pedal_down(channel),
            (Gesture::Pedal { channel, pedal: Pedal::Up }, Ok(())) => instrument.pedal_up(channel),
            (Gesture::Pedal { channel, pedal: Pedal::Up }, Err(_)) => instrument.owe_pedal(channel),
            (Gesture::ResetControllers { channel }, _) => {
                for channel in zone.reached(Some(channel)) {
                    match sent {
                        Ok(()) => {
                            instrument.pedal_up(channel);
                            instrument.set_bent(channel, false);
                        }
                        Err(_) => instrument.owe_pedal(channel),
                    }
                }
            }
            (Gesture::Bend { channel, is_bent }, Ok(())) => instrument.set_bent(channel, is_bent),
            _ => {}
        }
    }

    fn settle_all_off(
        instrument: &mut Instrument,
        channel: Option<u8>,
        zone: Zone,
        sent: Result<(), Refused>,
    ) {
        match sent {
            Ok(()) => instrument.player_releases_all(channel, zone),
            Err(_) => instrument.owe_all_played(channel, zone),
        }
    }

    /// Sends what the instrument is still owed.
    fn pay(&mut self, offset: u32, port: &mut impl Port) {
        while !self.blocked
            && let Some(debt) = self.instrument.first_debt()
        {
            let sound = match debt {
                Debt::NoteOff(place) => Sound::NoteOff(place),
                Debt::PedalUp { channel } => Sound::PedalUp { channel },
            };
            match self.send(Leaving::Own(offset, sound), port) {
                Ok(()) => self.instrument.settle(debt),
                Err(_) => self.blocked = true,
            }
        }
    }

    /// Sends an event to the host; nothing else does.
    fn send<P: Port>(&mut self, leaving: Leaving<P::Event>, port: &mut P) -> Result<(), Refused> {
        match leaving {
            Leaving::Passed(arrival) => port.pass(arrival),
            Leaving::Own(offset, sound) => port.play(offset, sound),
        }
    }
}
