//! Texts on the window that are drawn by hand, and what a screen reader is told of a control.

use egui::{Align2, Color32, FontId, Painter, Rect, Response, Ui, WidgetInfo, accesskit::Role};

use super::board::Control;

/// Writes one line into `area`, cut with an ellipsis where it is too long; returns the place that the words take.
pub fn write(
    painter: &Painter,
    area: Rect,
    align: Align2,
    text: &str,
    font: FontId,
    colour: Color32,
) -> Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(area.width());
    let galley = painter.layout_job(job);
    let place = align.align_size_within_rect(galley.size(), area);
    painter.galley(place.min, galley, colour);
    place
}

/// Tells a screen reader of a numeric control: its name, its place in its range, 0..=1, and its text.
pub fn tell_slider(ui: &Ui, response: &Response, control: Control<'_>) {
    let (name, value, text) = (control.name(), control.value(), control.text());
    response.widget_info(|| WidgetInfo::slider(true, f64::from(value), &name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(1.0);
        node.set_value(text);
        node.add_action(egui::accesskit::Action::SetValue);
        node.add_action(egui::accesskit::Action::Increment);
        node.add_action(egui::accesskit::Action::Decrement);
    });
}

/// Tells a screen reader of a control that has choices: its name and its text.
pub fn tell_choice(ui: &Ui, response: &Response, control: Control<'_>) {
    let (name, text) = (control.name(), control.text());
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(text));
}

/// Tells a screen reader of a switch.
pub fn tell_switch(response: &Response, control: Control<'_>) {
    let (name, is_on) = (control.name(), control.value() >= 0.5);
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, &name));
}
