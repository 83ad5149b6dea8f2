//! What both formats' hosts can do.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::{
    score::{Event, Setup},
    transport::TransportState,
};

/// A host with one plugin in it. One thread plays all its roles.
///
/// Every error is the plugin's, told in one sentence.
pub trait Host {
    /// Makes the plugin ready for `setup`; deactivates it first if it is active.
    fn activate(&mut self, setup: Setup) -> Result<()>;

    /// Stops processing and deactivates. Nothing happens when the plugin is inactive.
    fn deactivate(&mut self);

    /// The host's reset: everything that sounds or waits is to be forgotten.
    fn reset(&mut self) -> Result<()>;

    /// Lets the plugin process one block and appends what it plays to `output`, at the host's samples and in
    /// the order in which it came. Returns what the call cost.
    fn process(&mut self, block: &Block<'_>, output: &mut Output) -> Result<Duration>;

    fn parameters(&mut self) -> Result<Vec<Parameter>>;

    /// Sets a parameter to a value of 0..=1: at once when inactive, else with the next block.
    fn set(&mut self, id: u32, value: f64) -> Result<()>;

    /// A parameter's present value, 0..=1.
    fn get(&mut self, id: u32) -> Result<f64>;

    fn save(&mut self) -> Result<Vec<u8>>;

    /// # Errors
    /// When the plugin refuses `state`.
    fn load(&mut self, state: &[u8]) -> Result<()>;

    /// The parameter of this name, in either case.
    ///
    /// # Errors
    /// When there is none; the sentence lists those that exist.
    fn parameter(&mut self, name: &str) -> Result<Parameter> {
        let all = self.parameters()?;
        let names = all.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", ");
        all.iter()
            .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
            .cloned()
            .with_context(|| format!("the plugin has no parameter \"{name}\", only {names}"))
    }
}

/// One process call's worth of the host's time.
#[derive(Debug)]
pub struct Block<'a> {
    /// The host's sample at which it starts.
    pub start: u64,
    pub frames: u32,
    /// `None` when the host tells nothing of its transport.
    pub transport: Option<TransportState>,
    /// All within the block, in order.
    pub events: &'a [Event],
}

/// What a plugin has given so far.
#[derive(Debug, Default)]
pub struct Output {
    pub events: Vec<Event>,
    /// The loudest sample of its audio outputs, 1 for full scale; what it leaves unwritten counts as 1 in CLAP.
    pub peak: f32,
}

/// What a host knows of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub id: u32,
    pub name: String,
}
