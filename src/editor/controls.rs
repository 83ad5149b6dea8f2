//! The groups of controls: where each parameter stands, grouped as a musician thinks of them, and one
//! sentence on each.

use egui::{Align2, Rect, Ui, pos2, vec2};

use super::{
    binding::Bindings,
    style::{BODY, GAP, PANEL, ROUND, TEXT, write},
    widgets::{KNOB_HEIGHT, ROW_HEIGHT, Use, show_knob, show_row},
};

/// The height of a group's title, with the space below it.
const TITLE_HEIGHT: f32 = 24.0;

/// The groups, from the left.
const GROUPS: [Group; 4] = [
    Group {
        title: "When",
        knobs: &["patience", "silence", "length"],
        columns: &[
            &["cue", "cue-key", "cue-controller", "alignment", "tempo-from-playing", "advance"],
            &["answer-length", "answer-bars", "trade-bars", "part", "pace-follow", "key-follow"],
        ],
        width: 2.05,
    },
    Group {
        title: "What",
        knobs: &["density", "memory"],
        columns: &[&["scale", "key", "harmony", "register-low", "register-high", "polyphony"]],
        width: 1.0,
    },
    Group {
        title: "How wild",
        knobs: &["temperature", "focus"],
        columns: &[&[
            "pitch-temperature",
            "timing-temperature",
            "velocity-follow",
            "variation",
            "seed",
            "style",
            "you",
        ]],
        width: 1.0,
    },
    Group {
        title: "Where it goes",
        knobs: &["velocity-scale", "swing"],
        columns: &[&[
            "quantise",
            "quantise-strength",
            "output-channel",
            "input-channel",
            "mpe",
            "thru",
            "sound-level",
        ]],
        width: 1.0,
    },
];

const HINTS: [(&str, &str); 50] = [
    ("model", "Which network answers."),
    (
        "you",
        "How far a personal model plays like you. At 0 % answers do not follow your key, pace and dynamics either.",
    ),
    ("memory", "How many of the newest notes an answer goes by."),
    ("temperature", "How adventurous the choices are: 0 takes the likeliest, 1 the odds of the network."),
    (
        "patience",
        "How long you strike nothing before Antiphon takes the floor: 2.5 beats at 75 %, 4.5 at most.",
    ),
    ("silence", "The longest silence: it ends your call in any case."),
    ("length", "The longest answer."),
    ("thru", "Whether what you play is passed on to the instrument."),
    ("seed", "Another seed, another answer; the same one, the same answer."),
    (
        "variation",
        "Whether each turn has a chance of its own, or the same memory always gives the same answer.",
    ),
    ("bypass", "Everything passes, nothing is answered."),
    ("pitch-temperature", "Multiplies the temperature of the keys."),
    ("timing-temperature", "Multiplies the temperature of steps and durations."),
    ("focus", "How likely a choice must be, beside the likeliest one, to be considered at all."),
    ("density", "The most notes in a second."),
    ("register-low", "The lowest key of an answer."),
    ("register-high", "The highest key of an answer."),
    ("key", "The root of the scale."),
    ("scale", "No other keys are played in an answer; Auto leans towards the key that you are in."),
    ("polyphony", "The most notes that sound at once; one more ends the one that would end first."),
    ("velocity-follow", "How far the dynamics are drawn towards yours."),
    ("key-follow", "How far the keys are drawn to the scale that you keep to, where Scale is Auto."),
    ("pace-follow", "How far the notes per second are drawn towards yours."),
    ("style", "What kind of music you play; Open goes by what it hears."),
    ("tempo-from-playing", "Where no song runs, answers keep to the beat of your newest notes."),
    ("quantise", "The grid on which the notes of an answer begin."),
    ("quantise-strength", "How far notes are moved towards the grid."),
    ("swing", "Where in its pair every second line of a straight grid lies."),
    ("velocity-scale", "How much louder or softer an answer is sent out."),
    ("advance", "How much earlier an answer goes out, for an instrument that sounds late."),
    ("output-channel", "The MIDI channel on which an answer goes out."),
    ("sound", "Whether what goes out is heard as well, on an electric piano of its own."),
    ("sound-level", "How loud its own electric piano is."),
    ("listen", "Off: nothing is heard or remembered, and the memory stays as it is."),
    (
        "harmony",
        "Who says what the harmony is: your hand below middle C, or the notes held on a channel, which are no music then.",
    ),
    (
        "mpe",
        "For an MPE keyboard: answers go to a channel on which nothing is held, with the pitch bend at its centre.",
    ),
    ("input-channel", "The MIDI channel that is listened to; the others pass all the same."),
    ("panic", "Releases everything that has gone out, and ends the turn."),
    ("re-roll", "Throws away what is planned, and goes on otherwise."),
    ("clear-memory", "Forgets all that was played; the take is kept."),
    ("reset-seed", "Begins all chance anew, from the seed that is set."),
    (
        "mode",
        "How it plays with you: call and response, trading bars, playing along, or an answer without end.",
    ),
    ("answer-length", "How long an answer is, in mode Answer."),
    ("answer-bars", "The bars of an answer, where its length is set in bars."),
    ("trade-bars", "The bars of each side, in mode Trade."),
    ("part", "What Antiphon plays beside you, in mode Together."),
    ("cue", "What gives the floor to Antiphon, in modes Answer and Endless."),
    ("cue-key", "The key that is the cue; it is not played then."),
    ("cue-controller", "The controller that is the cue, from 64 up."),
    ("alignment", "Whether Antiphon waits for your song's next beat or bar to come in."),
];

/// The height of the groups, which the longest column of rows decides.
pub fn height(bindings: &Bindings) -> f32 {
    GAP + TITLE_HEIGHT + KNOB_HEIGHT + GAP / 2.0 + rows(bindings) as f32 * ROW_HEIGHT + GAP
}

/// Draws all groups into `area`, side by side.
pub fn draw(ui: &mut Ui, area: Rect, bindings: &mut Bindings) {
    let areas = columns(area, &GROUPS.map(|group| group.width), GAP);
    for (group, area) in GROUPS.iter().zip(areas) {
        ui.painter().rect_filled(area, ROUND, PANEL);
        let (title, knobs, columns) = inside(area, group);
        write(ui.painter(), title, Align2::LEFT_TOP, group.title, BODY, TEXT);
        for (id, place) in group.knobs.iter().zip(knobs) {
            show_knob(ui, place, bindings, id, hint(id), in_use(bindings, id));
        }
        for (ids, column) in group.columns.iter().zip(&columns) {
            for (row, id) in there(bindings, ids).into_iter().enumerate() {
                show_row(ui, row_of(*column, row), bindings, id, hint(id), in_use(bindings, id));
            }
        }
    }
}

/// What the parameter does; empty for one that is not known here.
pub fn hint(id: &str) -> &'static str {
    HINTS.iter().find(|(known, _)| *known == id).map_or("", |(_, hint)| hint)
}

/// Every parameter that has a place of its own.
#[cfg(test)]
pub fn placed() -> impl Iterator<Item = &'static str> {
    use super::binding::{PRESSED, PRESSED_SELDOM};
    const HEADER: [&str; 5] = ["model", "mode", "sound", "listen", "bypass"];
    let grouped =
        GROUPS.iter().flat_map(|group| group.knobs.iter().chain(group.columns.iter().copied().flatten()));
    grouped.chain(&HEADER).chain(&PRESSED).chain(&PRESSED_SELDOM).copied()
}

/// A group of controls: what is turned most as knobs, the rest as rows.
#[derive(Debug, Clone, Copy)]
struct Group {
    title: &'static str,
    knobs: &'static [&'static str],
    /// One or two columns of rows, side by side.
    columns: &'static [&'static [&'static str]],
    /// The group's share of the window's width, in proportion to the other groups.
    width: f32,
}

/// How many rows the longest column has.
fn rows(bindings: &Bindings) -> usize {
    let longest =
        |group: &Group| group.columns.iter().map(|column| there(bindings, column).len()).max().unwrap_or(0);
    GROUPS.iter().map(longest).max().unwrap_or(0)
}

/// Whether the parameter has an effect under the current settings.
fn in_use(bindings: &Bindings, id: &str) -> Use {
    let is = |id, text| bindings.shows(id, text);
    let waits = is("mode", "Answer") || is("mode", "Endless");
    let adapts = !is("you", "0 %");
    let effective = match id {
        "cue" | "alignment" => waits,
        "cue-key" => waits && is("cue", "Key"),
        "cue-controller" => waits && is("cue", "Controller"),
        "patience" | "silence" => waits && is("cue", "Silence"),
        "answer-length" => is("mode", "Answer"),
        "answer-bars" => is("mode", "Answer") && is("answer-length", "Bars"),
        "trade-bars" => is("mode", "Trade"),
        "part" => is("mode", "Together"),
        "length" => is("mode", "Together") || is("mode", "Answer") && !is("answer-length", "Bars"),
        "key" => !is("scale", "Auto"),
        "key-follow" => adapts && is("scale", "Auto"),
        "velocity-follow" | "pace-follow" | "tempo-from-playing" => adapts,
        "sound-level" => is("sound", "On"),
        "quantise-strength" => !is("quantise", "Off"),
        "swing" => !["Off", "1/8T", "1/16T"].iter().any(|grid| is("quantise", grid)),
        _ => true,
    };
    if effective { Use::Effective } else { Use::Idle }
}

/// Those of the parameters that this plugin has: one without a sound of its own has fewer.
fn there(bindings: &Bindings, ids: &[&'static str]) -> Vec<&'static str> {
    ids.iter().filter(|id| bindings.control(id).is_some()).copied().collect()
}

/// The areas within a group: its title, the knobs in a row, and below them the columns of rows.
fn inside(area: Rect, group: &Group) -> (Rect, Vec<Rect>, Vec<Rect>) {
    let area = area.shrink(GAP);
    let (title, rest) = cut_top(area, TITLE_HEIGHT - 4.0, 0.0);
    let (knobs, rows) = cut_top(rest, KNOB_HEIGHT, GAP / 2.0);
    let equal = vec![1.0; group.knobs.len()];
    let widths = match group.columns.len() {
        2 => vec![1.0, 1.15],
        columns => vec![1.0; columns],
    };
    (title, columns(knobs, &equal, GAP), columns(rows, &widths, GAP * 2.0))
}

/// The place of one row in its column.
fn row_of(column: Rect, index: usize) -> Rect {
    let top = column.top() + index as f32 * ROW_HEIGHT;
    Rect::from_min_size(pos2(column.left(), top), vec2(column.width(), ROW_HEIGHT))
}

fn columns(area: Rect, widths: &[f32], gap: f32) -> Vec<Rect> {
    let room = area.width() - gap * (widths.len().max(1) - 1) as f32;
    let all: f32 = widths.iter().sum();
    let mut left = area.left();
    let place = |width: &f32| {
        let column = Rect::from_min_size(pos2(left, area.top()), vec2(room * width / all, area.height()));
        left = column.right() + gap;
        column
    };
    widths.iter().map(place).collect()
}

fn cut_top(area: Rect, height: f32, gap: f32) -> (Rect, Rect) {
    (area.with_max_y(area.top() + height), area.with_min_y(area.top() + height + gap))
}
