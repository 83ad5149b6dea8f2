//! Colours, sizes and fonts of the window: dark and calm, with one colour for the player and one for the
//! plugin.

use egui::{
    Align2, Color32, Context, CornerRadius, FontId, Margin, Painter, Rect, Stroke, Style, TextStyle, Vec2,
    Visuals,
};

/// The colours of the player and the plugin: Okabe and Ito's sky blue and orange, which can be told apart
/// with red-green colour blindness, and in a black-and-white photograph.
pub const CALL: Color32 = Color32::from_rgb(0x56, 0xB4, 0xE9);
pub const ANSWER: Color32 = Color32::from_rgb(0xF0, 0xA0, 0x1E);
/// For what a player has to know: the vermilion of Okabe and Ito's eight colours.
pub const ALERT: Color32 = Color32::from_rgb(0xF0, 0x7A, 0x3C);

pub const GROUND: Color32 = Color32::from_rgb(0x0F, 0x12, 0x16);
pub const PANEL: Color32 = Color32::from_rgb(0x17, 0x1B, 0x21);
pub const RAISED: Color32 = Color32::from_rgb(0x23, 0x29, 0x31);
pub const HOVERED: Color32 = Color32::from_rgb(0x2F, 0x37, 0x41);
pub const LINE: Color32 = Color32::from_rgb(0x2A, 0x31, 0x3A);
pub const STRONG_LINE: Color32 = Color32::from_rgb(0x45, 0x4F, 0x5B);
pub const TEXT: Color32 = Color32::from_rgb(0xE8, 0xEB, 0xEE);
/// For names of controls: a contrast of 7 to 1 against [`PANEL`].
pub const QUIET: Color32 = Color32::from_rgb(0xA3, 0xAE, 0xBA);
/// For what has no effect at the moment: still a contrast of 4 to 1.
pub const IDLE: Color32 = Color32::from_rgb(0x76, 0x82, 0x8F);

/// Fonts, by their size in points.
pub const TITLE: FontId = FontId::proportional(20.0);
pub const BODY: FontId = FontId::proportional(13.5);
pub const SMALL: FontId = FontId::proportional(12.0);

/// The distance between parts, and below that between a part's edge and its content, in points.
pub const GAP: f32 = 8.0;
pub const ROUND: CornerRadius = CornerRadius::same(6);
pub const SLIGHTLY_ROUND: CornerRadius = CornerRadius::same(3);

/// The result of a colour over [`PANEL`] with this opacity, 0..=1.
pub fn over_panel(colour: Color32, part: f32) -> Color32 {
    PANEL.lerp_to_gamma(colour, part.clamp(0.0, 1.0))
}

/// Sets the style of the whole window. Called once, when a window opens.
pub fn dress(context: &Context) {
    context.set_theme(egui::Theme::Dark);
    context.all_styles_mut(|style| {
        letters(style);
        style.spacing.item_spacing = Vec2::splat(6.0);
        style.spacing.button_padding = Vec2::new(10.0, 4.0);
        style.spacing.menu_margin = Margin::same(6);
        style.interaction.tooltip_delay = 0.6;
        style.interaction.selectable_labels = false;
        style.visuals = visuals();
    });
}

/// Writes one line into `area`, cut with an ellipsis where it is too long; returns the rectangle of the text.
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

fn letters(style: &mut Style) {
    style.text_styles = [
        (TextStyle::Heading, TITLE),
        (TextStyle::Body, BODY),
        (TextStyle::Button, BODY),
        (TextStyle::Monospace, BODY),
        (TextStyle::Small, SMALL),
    ]
    .into();
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = GROUND;
    visuals.window_fill = RAISED;
    visuals.window_stroke = Stroke::new(1.0, STRONG_LINE);
    visuals.extreme_bg_color = GROUND;
    visuals.selection.bg_fill = CALL.gamma_multiply(0.45);
    visuals.selection.stroke = Stroke::new(1.5, Color32::WHITE);
    let states = &mut visuals.widgets;
    states.noninteractive.fg_stroke.color = TEXT;
    for (state, fill, text) in [
        (&mut states.inactive, RAISED, TEXT),
        (&mut states.hovered, HOVERED, Color32::WHITE),
        (&mut states.active, STRONG_LINE, Color32::WHITE),
        (&mut states.open, HOVERED, Color32::WHITE),
    ] {
        (state.bg_fill, state.weak_bg_fill) = (fill, fill);
        state.fg_stroke = Stroke::new(1.0, text);
        state.bg_stroke = Stroke::NONE;
        state.corner_radius = SLIGHTLY_ROUND;
        state.expansion = 0.0;
    }
    visuals
}
