//! The notice above the roll: for a while what was done last, else what is to be done, until the player has
//! read it.

use egui::{Align2, Rect, Sense, Stroke, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use super::{
    style::{ALERT, BODY, CALL, GAP, HOVERED, QUIET, RAISED, SLIGHTLY_ROUND, TEXT, write},
    view::{Action, Notice, Tone},
};
use crate::{learner::LearnerStatus, user_model::ModelStatus};

/// How long a notice of something done is shown, in seconds.
const SHOWN_S: f64 = 12.0;

/// What the player can do where the plugin's own notes come back to its input.
const ECHO: &str = "Antiphon hears its own notes and leaves them out: its output leads back to its input. Take that connection \
                    away, or set Input channel and Output channel to different channels.";

const EDGE: f32 = 4.0;

/// The sentences of one window.
#[derive(Debug, Default)]
pub struct Notifications {
    /// What came last, and when, in seconds of the window's time.
    last: Option<(Notice, f64)>,
    /// The sentence on a model file that the player has read.
    read: Option<String>,
    /// Number of the plugin's own notes that came in again, up to the last notice of it.
    echoes: u32,
    /// The state of the learning at the last notice of it.
    learning: LearnerStatus,
}

impl Notifications {
    /// Something has happened.
    pub fn tell(&mut self, notice: Notice, wall: f64) {
        self.last = Some((notice, wall));
    }

    /// Tells of the plugin's own notes that have come in again; `echoes` is their number so far.
    pub fn hear(&mut self, echoes: u32, wall: f64) {
        if std::mem::replace(&mut self.echoes, echoes) < echoes {
            self.tell(Notice { tone: Tone::Trouble, sentence: ECHO.to_owned() }, wall);
        }
    }

    /// Tells of a new state of the learning.
    pub fn learn(&mut self, learning: &LearnerStatus, wall: f64) {
        if self.learning == *learning {
            return;
        }
        self.learning.clone_from(learning);
        let (tone, sentence) = match learning {
            LearnerStatus::Finished { likelier } => (Tone::Done, learnt(*likelier)),
            LearnerStatus::Failed { sentence } => (Tone::Trouble, sentence.clone()),
            LearnerStatus::Running { percent, .. } => (Tone::Done, format!("Learning from you: {percent} %")),
            LearnerStatus::Idle => return,
        };
        self.tell(Notice { tone, sentence }, wall);
    }

    /// The notice to show now, if any.
    pub fn notice(&mut self, model: &ModelStatus, wall: f64) -> Option<Notice> {
        // Time begins anew with every window.
        let is_over = |notice: &Notice, since: f64| {
            notice.tone == Tone::Done && !(since..since + SHOWN_S).contains(&wall)
        };
        self.last.take_if(|(notice, since)| is_over(notice, *since));
        let of_the_model = match model {
            ModelStatus::Refused { sentence, .. } if self.read.as_ref() != Some(sentence) => {
                Some(Notice { tone: Tone::Trouble, sentence: sentence.clone() })
            }
            _ => None,
        };
        self.last.as_ref().map(|(notice, _)| notice.clone()).or(of_the_model)
    }

    /// The player has read what is shown.
    pub fn dismiss(&mut self, model: &ModelStatus) {
        if self.last.take().is_none()
            && let ModelStatus::Refused { sentence, .. } = model
        {
            self.read = Some(sentence.clone());
        }
    }
}

/// Draws the notice into `area`; returns [`Action::Dismiss`] where it was closed.
pub fn draw(ui: &Ui, area: Rect, notice: &Notice) -> Option<Action> {
    let painter = ui.painter();
    painter.rect_filled(area, SLIGHTLY_ROUND, RAISED);
    let colour = match notice.tone {
        Tone::Done => CALL,
        Tone::Trouble => ALERT,
    };
    painter.rect_filled(area.with_max_x(area.left() + EDGE), SLIGHTLY_ROUND, colour);
    let close = Rect::from_min_size(
        pos2(area.right() - area.height(), area.top()),
        vec2(area.height(), area.height()),
    );
    let text = Rect::from_min_max(area.min + vec2(EDGE + GAP, 0.0), pos2(close.left() - GAP, area.bottom()));
    write(painter, text, Align2::LEFT_CENTER, &notice.sentence, BODY, TEXT);
    let told = ui.interact(text, ui.scope_id().with("notice"), Sense::hover());
    told.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &notice.sentence));
    told.on_hover_text(&notice.sentence);
    draw_close(ui, close).then_some(Action::Dismiss)
}

fn learnt(likelier: u32) -> String {
    format!(
        "Learnt from you: the notes that were held out are {likelier} % likelier now. To keep it, choose Play like me in the model menu"
    )
}

fn draw_close(ui: &Ui, area: Rect) -> bool {
    let response = ui.interact(area, ui.scope_id().with("close"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Close"));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(area.shrink(4.0), SLIGHTLY_ROUND, HOVERED);
    }
    let (centre, stroke) = (area.center(), Stroke::new(1.5, QUIET));
    ui.painter().line_segment([centre + vec2(-4.0, -4.0), centre + vec2(4.0, 4.0)], stroke);
    ui.painter().line_segment([centre + vec2(-4.0, 4.0), centre + vec2(4.0, -4.0)], stroke);
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(tone: Tone) -> Notice {
        Notice { tone, sentence: "so it is".to_owned() }
    }

    #[test]
    fn what_was_done_goes_by_itself_and_trouble_stays_until_it_was_read() {
        let (mut notifications, model) = (Notifications::default(), ModelStatus::Embedded);
        notifications.tell(notice(Tone::Done), 5.0);
        assert!(notifications.notice(&model, 16.9).is_some());
        assert_eq!(notifications.notice(&model, 17.1), None);
        notifications.tell(notice(Tone::Trouble), 20.0);
        assert!(notifications.notice(&model, 2000.0).is_some());
        notifications.dismiss(&model);
        assert_eq!(notifications.notice(&model, 2000.0), None);
    }

    #[test]
    fn notes_that_come_back_are_told_of_until_that_was_read_and_again_when_more_come() {
        let (mut notifications, model) = (Notifications::default(), ModelStatus::Embedded);
        notifications.hear(0, 1.0);
        assert_eq!(notifications.notice(&model, 1.0), None);
        for (echoes, wall) in [(3, 2.0), (5, 900.0)] {
            notifications.hear(echoes, wall);
            assert!(
                notifications.notice(&model, wall + 300.0).is_some_and(|notice| notice.tone == Tone::Trouble)
            );
            notifications.dismiss(&model);
            notifications.hear(echoes, wall + 301.0);
            assert_eq!(notifications.notice(&model, wall + 301.0), None);
        }
    }

    #[test]
    fn what_came_of_learning_is_told_once() {
        let (mut notifications, model) = (Notifications::default(), ModelStatus::Embedded);
        notifications.learn(&LearnerStatus::Idle, 0.0);
        assert_eq!(notifications.notice(&model, 0.0), None);
        notifications.learn(&LearnerStatus::Running { percent: 40, likelier: 5 }, 1.0);
        let told = notifications.notice(&model, 1.0).map(|notice| notice.sentence);
        assert_eq!(told.as_deref(), Some("Learning from you: 40 %"));
        let learnt = LearnerStatus::Finished { likelier: 12 };
        notifications.learn(&learnt, 2.0);
        assert!(
            notifications.notice(&model, 2.0).is_some_and(|notice| notice.sentence.contains("12 % likelier"))
        );
        notifications.dismiss(&model);
        notifications.learn(&learnt, 3.0);
        assert_eq!(notifications.notice(&model, 3.0), None);
    }

    #[test]
    fn a_model_file_that_is_missing_is_told_of_until_that_was_read() {
        let sentence = "no such file".to_owned();
        let (mut notifications, model) =
            (Notifications::default(), ModelStatus::Refused { sentence: sentence.clone(), own: None });
        assert_eq!(notifications.notice(&model, 0.0).map(|notice| notice.sentence), Some(sentence));
        notifications.dismiss(&model);
        assert_eq!(notifications.notice(&model, 0.0), None);
        let other = ModelStatus::Refused { sentence: "nor this one".to_owned(), own: None };
        assert!(notifications.notice(&other, 0.0).is_some());
    }
}
