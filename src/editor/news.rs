//! Which sentence stands above the roll: what was done last, for a while; else what is to be done, until it was read.

use super::view::{Notice, Tone};
use crate::plugin::{Learning, ModelStanding};

/// What was done stands there so long, in seconds.
const SHOWN_S: f64 = 12.0;

/// The sentences of one window.
#[derive(Debug, Default)]
pub struct News {
    /// What came last, and when, in seconds of the window's time.
    last: Option<(Notice, f64)>,
    /// The sentence on a model file that the player has read.
    read: Option<String>,
    /// So many of the plugin's own notes that came in again were told of.
    echoes: u32,
    /// How far the learning was that was told of.
    learning: Learning,
}

/// What a player can do who hears the plugin answer itself.
const ECHO: &str = "Antiphon hears its own notes and leaves them out: its output leads back to its input. Take that connection \
                    away, or set Input channel and Output channel to different channels.";

impl News {
    /// Something has happened.
    pub fn tell(&mut self, notice: Notice, wall: f64) {
        self.last = Some((notice, wall));
    }

    /// So many of the plugin's own notes have come in again.
    pub fn hear(&mut self, echoes: u32, wall: f64) {
        if std::mem::replace(&mut self.echoes, echoes) < echoes {
            self.tell(Notice { tone: Tone::Trouble, sentence: ECHO.to_owned() }, wall);
        }
    }

    /// The learning is so far.
    pub fn learn(&mut self, learning: &Learning, wall: f64) {
        if self.learning == *learning {
            return;
        }
        self.learning.clone_from(learning);
        let (tone, sentence) = match learning {
            Learning::Learnt { likelier, .. } => (Tone::Done, learnt(*likelier)),
            Learning::Failed { sentence } => (Tone::Trouble, sentence.clone()),
            Learning::Learns { percent, .. } => (Tone::Done, format!("Learning from you: {percent} %")),
            Learning::Idle => return,
        };
        self.tell(Notice { tone, sentence }, wall);
    }

    /// What is to be shown.
    pub fn notice(&mut self, model: &ModelStanding, wall: f64) -> Option<Notice> {
        // Time begins anew with every window.
        let is_over = |notice: &Notice, since: f64| {
            notice.tone == Tone::Done && !(since..since + SHOWN_S).contains(&wall)
        };
        self.last.take_if(|(notice, since)| is_over(notice, *since));
        let of_the_model = match model {
            ModelStanding::Refused { sentence, .. } if self.read.as_ref() != Some(sentence) => {
                Some(Notice { tone: Tone::Trouble, sentence: sentence.clone() })
            }
            _ => None,
        };
        self.last.as_ref().map(|(notice, _)| notice.clone()).or(of_the_model)
    }

    /// The player has read what is shown.
    pub fn dismiss(&mut self, model: &ModelStanding) {
        if self.last.take().is_none()
            && let ModelStanding::Refused { sentence, .. } = model
        {
            self.read = Some(sentence.clone());
        }
    }
}

fn learnt(likelier: u32) -> String {
    format!(
        "Learnt from you: the notes that were held out are {likelier} % likelier now. Choose Play like me in the model menu"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(tone: Tone) -> Notice {
        Notice { tone, sentence: "so it is".to_owned() }
    }

    #[test]
    fn what_was_done_goes_by_itself_and_trouble_stays_until_it_was_read() {
        let (mut news, model) = (News::default(), ModelStanding::Embedded);
        news.tell(notice(Tone::Done), 5.0);
        assert!(news.notice(&model, 16.9).is_some());
        assert_eq!(news.notice(&model, 17.1), None);
        news.tell(notice(Tone::Trouble), 20.0);
        assert!(news.notice(&model, 2000.0).is_some());
        news.dismiss(&model);
        assert_eq!(news.notice(&model, 2000.0), None);
    }

    #[test]
    fn notes_that_come_back_are_told_of_until_that_was_read_and_again_when_more_come() {
        let (mut news, model) = (News::default(), ModelStanding::Embedded);
        news.hear(0, 1.0);
        assert_eq!(news.notice(&model, 1.0), None);
        for (echoes, wall) in [(3, 2.0), (5, 900.0)] {
            news.hear(echoes, wall);
            assert!(news.notice(&model, wall + 300.0).is_some_and(|notice| notice.tone == Tone::Trouble));
            news.dismiss(&model);
            news.hear(echoes, wall + 301.0);
            assert_eq!(news.notice(&model, wall + 301.0), None);
        }
    }

    #[test]
    fn what_came_of_learning_is_told_once() {
        let (mut news, model) = (News::default(), ModelStanding::Embedded);
        news.learn(&Learning::Idle, 0.0);
        assert_eq!(news.notice(&model, 0.0), None);
        news.learn(&Learning::Learns { percent: 40, likelier: 5 }, 1.0);
        assert!(news.notice(&model, 1.0).is_some_and(|notice| notice.sentence.contains("40 %")));
        let learnt = Learning::Learnt { path: "me.antiphon".into(), likelier: 12 };
        news.learn(&learnt, 2.0);
        assert!(news.notice(&model, 2.0).is_some_and(|notice| notice.sentence.contains("12 % likelier")));
        news.dismiss(&model);
        news.learn(&learnt, 3.0);
        assert_eq!(news.notice(&model, 3.0), None);
    }

    #[test]
    fn a_model_file_that_is_missing_is_told_of_until_that_was_read() {
        let sentence = "no such file".to_owned();
        let (mut news, model) =
            (News::default(), ModelStanding::Refused { sentence: sentence.clone(), own: None });
        assert_eq!(news.notice(&model, 0.0).map(|notice| notice.sentence), Some(sentence));
        news.dismiss(&model);
        assert_eq!(news.notice(&model, 0.0), None);
        let other = ModelStanding::Refused { sentence: "nor this one".to_owned(), own: None };
        assert!(news.notice(&other, 0.0).is_some());
    }
}
