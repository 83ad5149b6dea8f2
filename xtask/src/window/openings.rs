//! `cargo xtask window openings`: the window opens and closes again and again while the plugin plays.

use std::{
    fs, process,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use stage::{
    Clap, Host, Mode, Setup,
    host::{Block, Heard, Parameter},
    screen::Screen,
};

use super::{
    display::Display,
    music::{self, SAMPLE_RATE},
};
use crate::memory;

/// The first openings fill caches of the display, of fonts and of shaders.
const WARM: u32 = 20;
/// What one opening may leave behind on average, in KiB. The window's library forgets the keyboard's map each time, which
/// is 54; a picture of this window would be 3,000, its fonts 500.
const MOST_LEFT_KIB: f64 = 128.0;
/// No opening and no block takes so long, unless something hangs.
const LONGEST_STEP: Duration = Duration::from_secs(60);
/// Blocks for which the window is open, and closed.
const OPEN_BLOCKS: u32 = 20;
const CLOSED_BLOCKS: u32 = 5;

/// Open and close the window again and again while the plugin plays, and fail if it leaks or hangs
#[derive(clap::Args)]
pub struct Arguments {
    /// How often
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u32).range(i64::from(WARM) + 1..))]
    times: u32,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let _display = Display::open()?;
    let alive = watch();
    let mut clap = music::instance()?;
    let screen = Screen::open(clap.make_window(1.0)?)?;
    clap.close_window()?;
    let mut opener = Opener { clap, screen, alive, block: 0, openings: 0, warm_kib: None };
    let blocks = arguments.times * (OPEN_BLOCKS + CLOSED_BLOCKS);
    let seconds = f64::from(blocks) * 512.0 / SAMPLE_RATE;
    let played = music::play(&mut opener, seconds, Mode::Realtime)?;
    let warm = opener.warm_kib.context("the window was opened often enough to be warm")?;
    let left = (resident_kib()? - warm) / f64::from(opener.openings - WARM);
    println!("opened          {} times while {} notes sounded", opener.openings, played.notes().len());
    println!("memory          {warm:.0} KiB after {WARM} openings, {left:.1} KiB more for each one since");
    ensure!(left < MOST_LEFT_KIB, "each opening leaves {left:.1} KiB behind");
    Ok(())
}

/// Opens and closes the window between the blocks.
struct Opener {
    clap: Clap,
    screen: Screen,
    alive: Sender<()>,
    block: u32,
    openings: u32,
    /// What the process took when it was warm.
    warm_kib: Option<f64>,
}

impl Opener {
    fn act(&mut self) -> Result<()> {
        match self.block % (OPEN_BLOCKS + CLOSED_BLOCKS) {
            0 => {
                self.clap.make_window(1.0)?;
                // SAFETY: the screen lives longer than the window in it, which is closed below.
                unsafe { self.clap.show_window(self.screen.window()) }?;
            }
            OPEN_BLOCKS => {
                self.clap.close_window()?;
                self.openings += 1;
                if self.openings == WARM {
                    self.warm_kib = Some(resident_kib()?);
                }
            }
            _ => {}
        }
        self.block += 1;
        self.alive.send(()).context("the watch goes on")
    }
}

impl Host for Opener {
    fn activate(&mut self, setup: Setup) -> Result<()> {
        self.clap.activate(setup)
    }

    fn deactivate(&mut self) {
        self.clap.deactivate();
    }

    fn reset(&mut self) -> Result<()> {
        self.clap.reset()
    }

    fn process(&mut self, block: &Block<'_>, heard: &mut Heard) -> Result<Duration> {
        self.act()?;
        self.clap.process(block, heard)
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>> {
        self.clap.parameters()
    }

    fn set(&mut self, id: u32, value: f64) -> Result<()> {
        self.clap.set(id, value)
    }

    fn get(&mut self, id: u32) -> Result<f64> {
        self.clap.get(id)
    }

    fn save(&mut self) -> Result<Vec<u8>> {
        self.clap.save()
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.clap.load(state)
    }
}

/// Ends this program where nothing has happened for long: what hangs cannot end itself.
fn watch() -> Sender<()> {
    let (alive, sign) = channel();
    thread::spawn(move || {
        loop {
            match sign.recv_timeout(LONGEST_STEP) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("error: the window hangs: nothing has happened for {LONGEST_STEP:?}");
                    process::exit(1);
                }
            }
        }
    });
    alive
}

/// What this process takes of the machine's memory, without what the allocator keeps for the next time.
fn resident_kib() -> Result<f64> {
    memory::give_back();
    let status =
        fs::read_to_string("/proc/self/status").context("the system tells no figures of a process")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure =
        line.and_then(|line| line.split_whitespace().next()).context("there is no figure of memory")?;
    Ok(figure.parse()?)
}
