//! `cargo xtask window openings`: the window opens and closes again and again while the plugin plays.

use std::{
    num::NonZeroU32,
    process,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use egui::Ui;
use nice_plug::editor::{ParentWindowHandle, dpi::LogicalSize};
use nice_plug_egui::{App, EguiWindow, EguiWindowSettings, Frame, baseview::Window};
use test_host::{
    Clap, Host, Mode, Setup,
    clap::Pixels,
    play::{Block, Output, Parameter},
    screen::Screen,
};

use super::{BLOCK, Display, SAMPLE_RATE, TURN_S, instance, play_phrases};
use crate::memory;

/// Number of first openings that are not counted: they fill caches of the display, of fonts and of shaders.
const WARM: u32 = 20;
/// Most bytes that an opening may leave behind on average, beyond what an empty window leaves. It should be
/// none, but the library's own share varies by some KiB from run to run. The plugin's fonts would be 500 KiB,
/// a picture 3,000.
const MOST_LEFT: f64 = 16.0 * 1024.0;
/// Time that no opening and no block takes unless something hangs.
const LONGEST_STEP: Duration = Duration::from_secs(60);
/// Number of blocks for which the window is open; below, for which it is closed.
const OPEN_BLOCKS: u32 = 20;
const CLOSED_BLOCKS: u32 = 5;

/// Open and close the window again and again while the plugin plays, and fail if it leaks or hangs
#[derive(clap::Args)]
pub struct Arguments {
    /// How often to open it
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u32).range(i64::from(WARM) + 1..))]
    times: u32,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let _display = Display::open()?;
    let alive = watch();
    let empty = measure(What::Empty, arguments.times, &alive)?;
    let ours = measure(What::Ours, arguments.times, &alive)?;
    println!("an empty window of the library");
    println!("                {}", empty.line());
    println!("the plugin's window");
    println!("                {}", ours.line());
    ensure!(empty.hanging + ours.hanging == 0, "notes were left hanging");
    let left = ours.heap - empty.heap;
    println!("the plugin      {left:.0} bytes of the heap for each opening beyond what the library keeps");
    ensure!(left < MOST_LEFT, "each opening of the plugin's window leaves {left:.0} bytes behind");
    Ok(())
}

/// The window that is opened and closed while the plugin plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// A window of the window library without content.
    Empty,
    /// The plugin's window.
    Ours,
}

/// The bytes that each opening and closing has left behind on average, and counts of the notes meanwhile.
struct Leak {
    times: u32,
    notes: usize,
    hanging: usize,
    heap: f64,
    resident: f64,
}

impl Leak {
    fn line(&self) -> String {
        let Self { times, notes, hanging, heap, resident } = self;
        format!(
            "opened {times} times while {notes} notes sounded, {hanging} hanging; each leaves {:.1} KiB of the heap and \
             {:.1} KiB of memory",
            heap / 1024.0,
            resident / 1024.0
        )
    }
}

fn measure(what: What, times: u32, alive: &Sender<()>) -> Result<Leak> {
    let mut clap = instance()?;
    // A short answer, so that none still sounds when the next phrase begins.
    clap.set_text("Length", "4")?;
    let size = clap.make_window(1.0)?;
    let screen = Screen::open(size)?;
    clap.close_window()?;
    let alive = alive.clone();
    let mut opener = Opener {
        clap,
        empty: None,
        screen,
        size,
        what,
        alive,
        block: 0,
        openings: 0,
        times,
        left: Vec::new(),
    };
    let blocks = times * (OPEN_BLOCKS + CLOSED_BLOCKS) + 1;
    let seconds = (f64::from(blocks) * f64::from(BLOCK) / SAMPLE_RATE / TURN_S).ceil() * TURN_S;
    let played = play_phrases(&mut opener, seconds, Mode::Realtime)?;
    let warm = opener.left.get(WARM as usize..).context("the window was opened often enough to be warm")?;
    let each = |of: fn(&Footprint) -> usize| growth(warm.iter().map(of).collect());
    Ok(Leak {
        times,
        notes: played.notes().len(),
        hanging: played.hanging().len(),
        heap: each(|footprint| footprint.heap),
        resident: each(|footprint| footprint.resident),
    })
}

/// A host that opens and closes a window between the blocks.
struct Opener {
    clap: Clap,
    empty: Option<EmptyWindow>,
    screen: Screen,
    size: Pixels,
    what: What,
    alive: Sender<()>,
    block: u32,
    openings: u32,
    times: u32,
    /// Memory of the process some blocks after each closing.
    left: Vec<Footprint>,
}

impl Opener {
    fn act(&mut self) -> Result<()> {
        let place = self.block % (OPEN_BLOCKS + CLOSED_BLOCKS);
        if place == 0 && self.left.len() < self.openings as usize {
            self.left.push(Footprint::now()?);
        }
        match place {
            0 if self.openings < self.times => self.open()?,
            OPEN_BLOCKS if self.openings < self.times => self.close()?,
            _ => {}
        }
        self.block += 1;
        self.alive.send(()).context("the watch goes on")
    }

    fn open(&mut self) -> Result<()> {
        match self.what {
            What::Empty => self.empty = Some(EmptyWindow::open(self.screen.window(), self.size)?),
            What::Ours => {
                self.clap.make_window(1.0)?;
                // SAFETY: the screen lives longer than the window in it, which is closed below.
                unsafe { self.clap.show_window(self.screen.window()) }?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        match self.what {
            What::Empty => self.empty = None,
            What::Ours => self.clap.close_window()?,
        }
        self.openings += 1;
        Ok(())
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

    fn process(&mut self, block: &Block<'_>, output: &mut Output) -> Result<Duration> {
        self.act()?;
        self.clap.process(block, output)
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

/// An empty window of the plugin's window library: what it leaves behind is not the plugin's. It is closed on
/// drop.
struct EmptyWindow(Option<Window>);

impl EmptyWindow {
    /// Opens an empty window inside an X11 window, which must outlive it.
    ///
    /// # Errors
    /// When the library cannot open a window here.
    fn open(parent: u32, size: Pixels) -> Result<Self> {
        let parent = NonZeroU32::new(parent).context("a window has a number")?;
        let settings = EguiWindowSettings::new()
            .with_title("Empty")
            .with_size(LogicalSize::new(f64::from(size.width), f64::from(size.height)))
            .with_parent(Some(&ParentWindowHandle::XcbWindow(parent)));
        let window = EguiWindow::create(settings, EmptyContent)
            .map_err(|error| anyhow!("the library opens no window: {error}"))?;
        window.show().map_err(|error| anyhow!("the library shows no window: {error}"))?;
        Ok(Self(Some(window)))
    }
}

impl Drop for EmptyWindow {
    fn drop(&mut self) {
        if let Some(window) = self.0.take() {
            window.close();
        }
    }
}

struct EmptyContent;

impl App for EmptyContent {
    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        ui.ctx().request_repaint();
    }
}

/// Memory of this process, in bytes.
#[derive(Debug, Clone, Copy)]
struct Footprint {
    /// Bytes that are allocated and not freed.
    heap: usize,
    /// Resident bytes, without those that the allocator keeps for reuse.
    resident: usize,
}

impl Footprint {
    /// Measures the memory. This first gives free memory back to the system.
    ///
    /// # Errors
    /// When the system gives no figures.
    fn now() -> Result<Self> {
        memory::give_back();
        let heap = memory::in_use().context("the system's allocator tells no figures")?;
        let resident = memory::resident().context("the system tells no figures of a process")?;
        Ok(Self { heap, resident })
    }
}

/// Growth from one measure to the next: from the median of the first half to that of the second. Medians,
/// since what the display's library holds for a moment or gives back late is many times what could leak.
fn growth(mut measures: Vec<usize>) -> f64 {
    let middle = measures.len() / 2;
    let (first, second) = measures.split_at_mut(middle);
    let median = |half: &mut [usize]| {
        half.sort_unstable();
        half.get(half.len() / 2).map_or(0.0, |measure| *measure as f64)
    };
    (median(second) - median(first)) / middle.max(1) as f64
}

/// Ends this program where no sign of life has come for [`LONGEST_STEP`], since a hanging window cannot end
/// itself.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_is_told_whatever_is_held_for_a_moment() {
        let leaking: Vec<usize> = (0..180).map(|opening| 1_000_000 + 54 * opening).collect();
        assert!((growth(leaking.clone()) - 54.0).abs() < 1.0);
        let mut held = leaking;
        held[0] += 5_000_000;
        held[179] -= 500_000;
        assert!((growth(held) - 54.0).abs() < 2.0);
        assert!(growth(vec![7; 180]).abs() < f64::EPSILON);
    }
}
