//! A value that is typed: an empty field over the value's text, until Enter takes it or Escape drops it.

use egui::{Align2, FontId, Id, Key, Rect, Response, RichText, TextEdit, Ui};

use super::{
    board::Board,
    palette::{IDLE, TEXT},
};

/// The field that is open in this window.
#[derive(Clone, Default)]
struct Typed {
    /// The identifier of the parameter.
    id: String,
    text: String,
    /// The field has not had the focus yet.
    is_new: bool,
}

/// Opens the field where the hand asks for it: by a click on `words`, or by Enter or a letter while `control` has the
/// focus.
pub fn invite(ui: &Ui, control: &Response, words: &Response, id: &str) {
    let letters = first_letters(ui, control);
    let is_asked_for =
        words.clicked() || control.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if letters.is_some() || is_asked_for {
        let typed = Typed { id: id.to_owned(), text: letters.unwrap_or_default(), is_new: true };
        ui.data_mut(|data| data.insert_temp(slot(), typed));
    }
}

/// What was typed on a control that has the focus.
fn first_letters(ui: &Ui, control: &Response) -> Option<String> {
    if !control.has_focus() {
        return None;
    }
    let is_a_value = |text: &&String| text.chars().all(|letter| letter.is_alphanumeric() || letter == '-');
    ui.input(|input| {
        let typed = input.events.iter().find_map(|event| match event {
            egui::Event::Text(text) => Some(text).filter(is_a_value),
            _ => None,
        });
        typed.cloned()
    })
}

/// Whether the value of this parameter is being typed.
pub fn is_open(ui: &Ui, id: &str) -> bool {
    ui.data(|data| data.get_temp::<Typed>(slot())).is_some_and(|typed| typed.id == id)
}

/// Shows the open field in `area`, and sets the parameter when Enter is pressed.
pub fn show(ui: &mut Ui, area: Rect, board: &mut Board, id: &str, font: FontId, align: Align2) {
    let Some(mut typed) = ui.data(|data| data.get_temp::<Typed>(slot())).filter(|typed| typed.id == id)
    else {
        return;
    };
    let Some(control) = board.control(id) else { return };
    let (name, now) = (control.name(), control.text());
    let field = TextEdit::singleline(&mut typed.text)
        .id(field_id(id))
        .font(font)
        .text_color(TEXT)
        .hint_text(RichText::new(now).color(IDLE))
        .align(align)
        .margin(egui::Margin::symmetric(3, 1));
    let response = ui.put(area, field).accessible_name(format!("{name}, value"));
    if std::mem::take(&mut typed.is_new) {
        response.request_focus();
        ui.data_mut(|data| data.insert_temp(slot(), typed));
    } else if response.lost_focus() {
        if ui.input(|input| input.key_pressed(Key::Enter)) {
            board.set_text(id, &typed.text);
        }
        ui.data_mut(|data| data.remove_temp::<Typed>(slot()));
    } else {
        ui.data_mut(|data| data.insert_temp(slot(), typed));
    }
}

fn field_id(id: &str) -> Id {
    Id::unique(("the field of", id))
}

fn slot() -> Id {
    Id::unique("the value that is typed")
}
