//! What goes to the instrument: the only code that calls the host's event output.

mod instrument;

pub use self::instrument::Instrument;
use self::instrument::{Debt, Owner};
use super::port::{Arrival, Gesture, Port, Refused, Sound};
use crate::music::{
    note::Velocity,
    note_tracker::{CHANNELS, Pedal, Place, Zone},
    schedule::Schedule,
};

/// What is planned, what sounds, and what is owed.
#[derive(Debug)]
pub(super) struct Output {
    pub schedule: Schedule,
    instrument: Instrument,
    /// The host has refused what cannot be left out; nothing of the plugin's own goes out before the next block.
    blocked: bool,
}

/// Whether what the player plays goes to the instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThruGate {
    Open,
    Closed,
}

/// Something on its way out.
enum Leaving<E> {
    Passed(Arrival<E>),
    Own(u32, Sound),
}

impl Output {
    /// Allocates all it will ever need.
    pub fn new(instrument: Instrument) -> Self {
        Self { schedule: Schedule::new(), instrument, blocked: false }
    }

    /// What is owed when no more is sent: all that sounds.
    pub fn leave(mut self) -> Instrument {
        self.instrument.owe_all();
        self.instrument
    }

    /// Pays what is owed, first of all.
    pub fn begin_block(&mut self, port: &mut impl Port) {
        self.blocked = false;
        self.pay(0, port);
    }

    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Whether the answer's own note sounds here.
    pub fn answers_on(&self, place: Place) -> bool {
        self.instrument.owner(place) == Owner::Answer
    }

    /// A note of the answer begins. A key that is another's, or that is owed its end, is left alone.
    pub fn strike(
        &mut self,
        place: Place,
        velocity: Velocity,
        offset: u32,
        port: &mut impl Port,
    ) -> Result<(), Refused> {
        let is_free = self.instrument.owner(place) == Owner::Nobody && !self.instrument.owes(place);
        if self.blocked || !is_free {
            return Err(Refused);
        }
        self.send(Leaving::Own(offset, Sound::NoteOn(place, velocity)), port)?;
        self.instrument.sounds(place);
        Ok(())
    }

    /// Ends a note of the key's owner, for whatever cause: now, or as soon as the host takes it.
    pub fn release(&mut self, place: Place, offset: u32, port: &mut impl Port) {
        self.instrument.owe(place);
        self.pay(offset, port);
    }

    /// Ends all that the player has struck and pressed.
    pub fn release_all_played(&mut self, offset: u32, port: &mut impl Port) {
        self.instrument.owe_all_played(None, Zone::Off);
        (0..CHANNELS).for_each(|channel| self.instrument.owe_pedal(channel));
        self.pay(offset, port);
    }

    /// The pitch of a channel comes back to the centre, if it was bent.
    pub fn unbend(&mut self, channel: u8, offset: u32, port: &mut impl Port) {
        let is_bent = self.instrument.is_bent(channel) && !self.blocked;
        if is_bent && self.send(Leaving::Own(offset, Sound::Unbend { channel }), port).is_ok() {
            self.instrument.bends(channel, false);
        }
    }

    /// All that sounds is to end, where nothing can be sent now.
    pub fn owe_all(&mut self) {
        self.instrument.owe_all();
    }

    /// A strike of the player's takes its key over. What is owed on the key goes first, lest it end the new note.
    pub fn pass_strike<P: Port>(
        &mut self,
        place: Place,
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
        self.instrument.struck(place);
        Ok(())
    }

    /// The release of a strike that has passed; where the host refuses it, it is owed.
    pub fn pass_release<P: Port>(
        &mut self,
        place: Place,
        arrival: Arrival<P::Event>,
        port: &mut P,
    ) -> Result<(), Refused> {
        let sent = self.send(Leaving::Passed(arrival), port);
        match sent {
            Ok(()) => self.instrument.lifted(place),
            Err(_) => self.instrument.owe(place),
        }
        sent
    }

    /// A release whose strike is not known: it is the player's where the key is, and ends no note of the answer.
    pub fn pass_stray_release<P: Port>(
        &mut self,
        place: Place,
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

    /// Anything else of the player's: through a closed thru gate, only what undoes something that has passed before.
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
        let is_pressed = |channel| self.instrument.is_pressed(channel);
        match gesture {
            Gesture::AllOff { channel } => self.instrument.is_played(channel, zone),
            Gesture::AllSoundOff { channel } => self.instrument.is_played(Some(channel), zone),
            Gesture::Pedal { channel, pedal } => pedal == Pedal::Up && is_pressed(channel),
            Gesture::ResetControllers { channel } => zone.reached(Some(channel)).any(is_pressed),
            Gesture::Bend { channel, is_bent } => !is_bent && self.instrument.is_bent(channel),
            _ => false,
        }
    }

    /// A gesture has passed, or was refused by the host; what it should have undone is then owed.
    fn settle(&mut self, gesture: Gesture, zone: Zone, sent: Result<(), Refused>) {
        let instrument = &mut self.instrument;
        match (gesture, sent) {
            (Gesture::AllOff { channel }, _) => Self::settle_all_off(instrument, channel, zone, sent),
            (Gesture::AllSoundOff { channel }, _) => {
                Self::settle_all_off(instrument, Some(channel), zone, sent);
            }
            (Gesture::Pedal { channel, pedal: Pedal::Down }, Ok(())) => instrument.pressed(channel),
            (Gesture::Pedal { channel, pedal: Pedal::Up }, Ok(())) => instrument.unpressed(channel),
            (Gesture::Pedal { channel, pedal: Pedal::Up }, Err(_)) => instrument.owe_pedal(channel),
            (Gesture::ResetControllers { channel }, _) => {
                for channel in zone.reached(Some(channel)) {
                    match sent {
                        Ok(()) => {
                            instrument.unpressed(channel);
                            instrument.bends(channel, false);
                        }
                        Err(_) => instrument.owe_pedal(channel),
                    }
                }
            }
            (Gesture::Bend { channel, is_bent }, Ok(())) => instrument.bends(channel, is_bent),
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
            Ok(()) => instrument.lifted_all(channel, zone),
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
                Ok(()) => self.instrument.paid(debt),
                Err(_) => self.blocked = true,
            }
        }
    }

    /// The one way out.
    fn send<P: Port>(&mut self, leaving: Leaving<P::Event>, port: &mut P) -> Result<(), Refused> {
        match leaving {
            Leaving::Passed(arrival) => port.pass(arrival),
            Leaving::Own(offset, sound) => port.play(offset, sound),
        }
    }
}
