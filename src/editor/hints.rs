//! One sentence on each parameter.

/// What the parameter does; empty for one that is not known here.
pub fn hint(id: &str) -> &'static str {
    HINTS.iter().find(|(known, _)| *known == id).map_or("", |(_, hint)| hint)
}

const HINTS: [(&str, &str); 44] = [
    ("model", "Which network answers."),
    ("memory", "How many of the newest notes an answer goes by."),
    ("temperature", "How adventurous the keys are: 0 takes the likeliest, 1 the network's own odds."),
    ("patience", "How sure Antiphon is to be that your call is over before it takes the floor."),
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
    ("scale", "No other keys are played in an answer."),
    ("polyphony", "The most notes that sound at once; one more ends the one that would end first."),
    ("velocity-follow", "How far the dynamics are drawn towards yours."),
    ("key-follow", "How far the keys are drawn to the scale that you keep to."),
    ("pace-follow", "How far the notes per second are drawn towards yours."),
    ("style", "What kind of music you play; Open goes by what it hears."),
    ("tempo-from-playing", "Where no song runs, answers keep to the beat of your newest notes."),
    ("quantise", "The grid on which the notes of an answer begin."),
    ("quantise-strength", "How far notes are moved towards the grid."),
    ("swing", "Where in its pair every second line of a straight grid lies."),
    ("velocity-scale", "How much louder or softer an answer is sent out."),
    ("output-channel", "The MIDI channel on which an answer goes out."),
    ("listen", "Off: nothing is heard or remembered, and the memory stays as it is."),
    (
        "mpe",
        "For an MPE keyboard: answers go to a channel on which nothing is held, with the pitch bend at its centre.",
    ),
    ("input-channel", "The MIDI channel that is listened to; the others pass all the same."),
    ("panic", "Releases everything that has gone out, and ends the turn."),
    ("re-roll", "Throws away what is planned, and goes on otherwise."),
    ("clear-memory", "Forgets all that was played; the take is kept."),
    ("reset-seed", "Begins all chance anew, from the seed that is set."),
    ("mode", "The game: call and response, trading bars, playing along, or an answer without end."),
    ("answer-length", "How long an answer is, in mode Answer."),
    ("answer-bars", "The bars of an answer, where its length is set in bars."),
    ("trade-bars", "The bars of each side, in mode Trade."),
    ("cue", "What gives the floor to Antiphon, in modes Answer and Endless."),
    ("cue-key", "The key that is the cue; it is not played then."),
    ("cue-controller", "The controller that is the cue, from 64 up."),
    ("alignment", "Whether Antiphon waits for your song's next beat or bar to come in."),
];
