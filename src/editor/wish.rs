//! What a player asks for that is no parameter; the window carries it out.

/// One press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    SaveTake,
    SaveAnswer,
    /// The path of what was saved last goes to the clipboard.
    CopyPath,
    /// The folder of what was saved last is shown as the system shows folders.
    ShowFolder,
    /// Choose a model file.
    LoadModel,
    /// Make a personal model of the takes, or stop making one.
    Learn,
    StopLearning,
    /// Play with what was learnt.
    LoadLearnt,
    /// Play with the embedded model of this index, whatever file was chosen.
    Embedded(usize),
    /// Set the controls as this preset has them.
    Preset(usize),
    /// The notice was read.
    Dismiss,
}
