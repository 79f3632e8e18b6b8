//! The visual language: colours of the dark and the light theme, the scale of type, spacing. `docs/editor.md`
//! says why they are what they are.

use egui::epaint::text::{FontInsert, FontPriority, InsertFontFamily};
use egui::{
    Color32, Context, CornerRadius, FontData, FontFamily, FontId, Id, Margin, Shadow, Stroke,
    TextStyle, Ui, Visuals, style::ScrollStyle, vec2,
};

/// Colours of one theme. The two ears, and each kind of thing, have one accent; the accents differ in lightness
/// as well as in hue, after the palette of Okabe and Ito (2008), so that they are told apart without colour vision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Theme {
    /// Dark or light.
    pub dark: bool,
    /// Behind everything.
    pub ground: Color32,
    /// Cards and panels.
    pub surface: Color32,
    /// What can be pressed, and tracks of controls.
    pub raised: Color32,
    /// Hairlines.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Labels and units.
    pub weak: Color32,
    /// Grids and what is off.
    pub faint: Color32,
    /// The left ear.
    pub left: Color32,
    /// The right ear.
    pub right: Color32,
    /// The beat, the carrier, time.
    pub beat: Color32,
    /// Layers.
    pub layer: Color32,
    /// The program and what is done to it.
    pub program: Color32,
    /// Space, the room, the head.
    pub space: Color32,
    /// The noise bed.
    pub noise: Color32,
    /// What is too loud, wrong or to be heeded.
    pub warning: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

impl Theme {
    /// Dark: for rooms in which people listen.
    pub const DARK: Theme = Theme {
        dark: true,
        ground: rgb(0x0D1016),
        surface: rgb(0x151A22),
        raised: rgb(0x222A35),
        line: rgb(0x29323E),
        text: rgb(0xEDF1F6),
        weak: rgb(0x96A2B1),
        faint: rgb(0x4A5666),
        left: rgb(0x56B4E9),
        right: rgb(0xF0814A),
        beat: rgb(0xF2D45C),
        layer: rgb(0x3CCBA0),
        program: rgb(0xDE8FC0),
        space: rgb(0x9AA5FF),
        noise: rgb(0xB4BECB),
        warning: rgb(0xFF6B5E),
    };

    /// Light: for bright rooms and print.
    pub const LIGHT: Theme = Theme {
        dark: false,
        ground: rgb(0xE9ECF1),
        surface: rgb(0xFBFCFD),
        raised: rgb(0xDFE4EB),
        line: rgb(0xCDD4DD),
        text: rgb(0x161B22),
        weak: rgb(0x56616F),
        faint: rgb(0x9AA5B3),
        left: rgb(0x0072B2),
        right: rgb(0xC44A0A),
        beat: rgb(0x8F6B00),
        layer: rgb(0x00795C),
        program: rgb(0xA8447F),
        space: rgb(0x4753C9),
        noise: rgb(0x5E6A79),
        warning: rgb(0xC0271B),
    };

    /// The theme that `ui` is drawn in.
    pub fn of(ui: &Ui) -> Theme {
        if ui.visuals().dark_mode {
            Theme::DARK
        } else {
            Theme::LIGHT
        }
    }

    /// What is pressed in a raised field: no colour of its own, or yellow would be mud. What stands on it is [`Theme::lit`].
    pub fn pressed(&self) -> Color32 {
        match self.dark {
            true => self.held(),
            false => self.surface,
        }
    }

    /// A button that is pressed, on the ground or on a card.
    pub fn held(&self) -> Color32 {
        mix(self.raised, self.text, 0.12)
    }

    /// Text and pictures on what is pressed, in its accent.
    pub fn lit(&self, accent: Color32) -> Color32 {
        mix(accent, self.text, 0.30)
    }

    /// An accent as a wash behind something.
    pub fn wash(&self, accent: Color32) -> Color32 {
        mix(self.surface, accent, if self.dark { 0.16 } else { 0.12 })
    }
}

/// So much of `to` over `from`.
pub fn mix(from: Color32, to: Color32, share: f32) -> Color32 {
    let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
    Color32::from_rgb(
        part(from.r(), to.r()),
        part(from.g(), to.g()),
        part(from.b(), to.b()),
    )
}

/// Space between things that belong together, and the unit of all others, in points.
pub const GAP: f32 = 8.0;
/// Rounding of cards.
pub const ROUND: f32 = 10.0;

/// Gives the entries of a menu room, and the menu at least so many points of width.
pub fn in_menu(ui: &mut Ui, width: f32) {
    ui.set_min_width(width);
    ui.spacing_mut().button_padding = vec2(8.0, 3.0);
    ui.spacing_mut().item_spacing.y = 2.0;
}

/// The scale of type, in points: each step is about 1.25 of the one below.
pub mod font {
    use super::{FontFamily, FontId};

    const fn size(points: f32) -> FontId {
        FontId::new(points, FontFamily::Proportional)
    }

    fn named(points: f32, name: &str) -> FontId {
        FontId::new(points, FontFamily::Name(name.into()))
    }

    /// Marks on axes.
    pub const TINY: FontId = size(10.0);
    /// Labels of controls.
    pub const SMALL: FontId = size(11.0);
    /// Text.
    pub const BODY: FontId = size(13.0);

    /// Values.
    pub fn value() -> FontId {
        named(12.0, "semibold")
    }

    /// Names where there is little room.
    pub fn label() -> FontId {
        named(11.0, "semibold")
    }

    /// Names of cards.
    pub fn heading() -> FontId {
        named(13.0, "semibold")
    }

    /// Titles of pages.
    pub fn title() -> FontId {
        named(18.0, "semibold")
    }

    /// Large readouts, so many points high.
    pub fn numeral(points: f32) -> FontId {
        named(points, "light")
    }
}

/// Gives the fonts to a context, once: Inter in three weights.
pub fn install_fonts(context: &Context) {
    let known = Id::unique("fonts of Zeitgeber");
    if context.data(|data| data.get_temp::<bool>(known)).is_some() {
        return;
    }
    context.data_mut(|data| data.insert_temp(known, true));
    let weights: [(&str, &'static [u8], FontFamily); 3] = [
        (
            "light",
            include_bytes!("../../assets/fonts/Inter-Light.otf"),
            FontFamily::Name("light".into()),
        ),
        (
            "regular",
            include_bytes!("../../assets/fonts/Inter-Regular.otf"),
            FontFamily::Proportional,
        ),
        (
            "semibold",
            include_bytes!("../../assets/fonts/Inter-SemiBold.otf"),
            FontFamily::Name("semibold".into()),
        ),
    ];
    for (name, bytes, family) in weights {
        context.add_font(FontInsert::new(
            name,
            FontData::from_static(bytes),
            vec![InsertFontFamily {
                family,
                priority: FontPriority::Highest,
            }],
        ));
    }
}

/// Dresses egui's own widgets (fields, menus, tooltips) in a theme.
pub fn dress(context: &Context, dark: bool) {
    install_fonts(context);
    let theme = if dark { Theme::DARK } else { Theme::LIGHT };
    let dressed = Id::unique("theme of Zeitgeber");
    if context.data(|data| data.get_temp::<bool>(dressed)) == Some(dark) {
        return;
    }
    context.data_mut(|data| data.insert_temp(dressed, dark));
    context.set_theme(if dark {
        egui::Theme::Dark
    } else {
        egui::Theme::Light
    });
    context.all_styles_mut(|style| {
        if style.visuals.dark_mode != dark {
            return;
        }
        style.text_styles = [
            (TextStyle::Small, font::SMALL),
            (TextStyle::Body, font::BODY),
            (TextStyle::Button, font::BODY),
            (TextStyle::Heading, font::title()),
            (TextStyle::Monospace, font::BODY),
        ]
        .into();
        style.spacing.item_spacing = vec2(GAP, GAP);
        style.spacing.button_padding = vec2(10.0, 5.0);
        style.spacing.menu_margin = Margin::same(6);
        style.spacing.window_margin = Margin::same(10);
        style.spacing.interact_size = vec2(36.0, 24.0);
        style.spacing.tooltip_width = 260.0;
        style.spacing.scroll = ScrollStyle {
            bar_width: 6.0,
            floating_width: 3.0,
            bar_outer_margin: 0.0,
            dormant_background_opacity: 0.0,
            active_background_opacity: 0.0,
            interact_background_opacity: 0.0,
            dormant_handle_opacity: 0.25,
            active_handle_opacity: 0.35,
            interact_handle_opacity: 0.6,
            ..ScrollStyle::floating()
        };
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.6;
        let visuals = &mut style.visuals;
        *visuals = if dark {
            Visuals::dark()
        } else {
            Visuals::light()
        };
        visuals.panel_fill = theme.ground;
        visuals.window_fill = theme.surface;
        visuals.window_stroke = Stroke::new(1.0, theme.line);
        visuals.window_corner_radius = CornerRadius::same(10);
        visuals.menu_corner_radius = CornerRadius::same(8);
        visuals.extreme_bg_color = theme.raised;
        visuals.text_edit_bg_color = Some(theme.raised);
        visuals.faint_bg_color = theme.surface;
        visuals.override_text_color = None;
        visuals.weak_text_color = Some(theme.weak);
        visuals.hyperlink_color = theme.space;
        visuals.warn_fg_color = theme.warning;
        visuals.error_fg_color = theme.warning;
        visuals.selection.bg_fill = mix(theme.raised, theme.text, 0.22);
        visuals.selection.stroke = Stroke::new(1.0, theme.text);
        visuals.popup_shadow = Shadow {
            offset: [0, 4],
            blur: 16,
            spread: 0,
            color: Color32::from_black_alpha(if dark { 120 } else { 40 }),
        };
        let widgets = &mut visuals.widgets;
        let states = [
            (&mut widgets.noninteractive, theme.surface, theme.text),
            (&mut widgets.inactive, theme.raised, theme.text),
            (
                &mut widgets.hovered,
                mix(theme.raised, theme.text, 0.10),
                theme.text,
            ),
            (
                &mut widgets.active,
                mix(theme.raised, theme.text, 0.18),
                theme.text,
            ),
            (
                &mut widgets.open,
                mix(theme.raised, theme.text, 0.10),
                theme.text,
            ),
        ];
        for (state, fill, text) in states {
            state.bg_fill = fill;
            state.weak_bg_fill = fill;
            state.bg_stroke = Stroke::NONE;
            state.fg_stroke = Stroke::new(1.0, text);
            state.corner_radius = CornerRadius::same(6);
            state.expansion = 0.0;
        }
        widgets.noninteractive.bg_stroke = Stroke::new(1.0, theme.line);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(colour: Color32) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn everything_that_is_read_stands_out() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            for ground in [theme.ground, theme.surface] {
                assert!(contrast(theme.text, ground) >= 7.0);
                assert!(contrast(theme.weak, ground) >= 4.5, "{theme:?}");
                // Graphics need 3 (WCAG 1.4.11); they are labelled as well, so text in them needs 4.5.
                for accent in [
                    theme.left,
                    theme.right,
                    theme.beat,
                    theme.layer,
                    theme.program,
                    theme.space,
                    theme.noise,
                    theme.warning,
                ] {
                    let found = contrast(accent, ground);
                    assert!(found >= 4.0, "{accent:?} on {ground:?}: {found:.2}");
                    for pressed in [theme.pressed(), theme.held()] {
                        let found = contrast(theme.lit(accent), pressed);
                        assert!(found >= 4.5, "{accent:?} pressed: {found:.2}");
                    }
                }
                // What is pressed can be seen to be, with its stroke in what it is lit in.
                assert!(contrast(theme.held(), ground) >= 1.2, "{theme:?}");
                assert!(contrast(theme.pressed(), theme.raised) >= 1.1, "{theme:?}");
            }
        }
    }

    #[test]
    fn the_ears_are_told_apart_without_colour_vision() {
        // Deuteranopia and protanopia (Viénot 1999, in linear light): the two ears stay 20 levels apart.
        let seen = |colour: Color32| {
            let linear =
                [colour.r(), colour.g(), colour.b()].map(|c| (f64::from(c) / 255.0).powf(2.2));
            let [r, g, b] = linear;
            let red_green = 0.29275 * r + 0.70725 * g;
            [red_green, -0.02234 * r + 0.02234 * g + b].map(|v| v.max(0.0).powf(1.0 / 2.2) * 255.0)
        };
        for theme in [Theme::DARK, Theme::LIGHT] {
            let [a, b] = [theme.left, theme.right].map(seen);
            let apart = ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
            assert!(apart > 60.0, "{apart}");
        }
    }
}
