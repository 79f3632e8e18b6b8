//! What is shown is what sounds, and what matters now: the tones of the ears, values that a protocol has in force, the
//! dial, the line of messages; and that it can be read.

use crate::stand::{Stand, Told};
use egui::accesskit::Role;
use egui::epaint::{Shape, TextShape};
use egui::{Color32, Event, Key, Modifiers, MouseWheelUnit, Pos2, Rect, vec2};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::insert::{InsertChoice, InsertStatus};
use zeitgeber::editor::{HrtfChoice, Look};
use zeitgeber::engine::controls::*;
use zeitgeber::engine::{ControlId, Order};
use zeitgeber::protocol::Protocol;

fn stand() -> Stand {
    Stand::new((1100.0, 720.0), Look::default())
}

/// Everything that was drawn in the last frame.
fn shapes(stand: &Stand) -> Vec<Shape> {
    fn walk(shape: &Shape, found: &mut Vec<Shape>) {
        match shape {
            Shape::Vec(inner) => inner.iter().for_each(|shape| walk(shape, found)),
            other => found.push(other.clone()),
        }
    }
    let mut found = Vec::new();
    for clipped in &stand.harness.output().shapes {
        walk(&clipped.shape, &mut found);
    }
    found
}

/// Everything that is drawn, with as much of its place as is seen.
pub fn seen(stand: &Stand) -> Vec<(Shape, Rect)> {
    fn walk(shape: &Shape, clip: Rect, found: &mut Vec<(Shape, Rect)>) {
        match shape {
            Shape::Vec(inner) => inner.iter().for_each(|shape| walk(shape, clip, found)),
            other => found.push((other.clone(), other.visual_bounding_rect().intersect(clip))),
        }
    }
    let mut found = Vec::new();
    for clipped in &stand.harness.output().shapes {
        walk(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found.retain(|(_, place)| place.is_positive());
    found
}

/// All texts of the last frame.
pub fn written(stand: &Stand) -> Vec<TextShape> {
    let texts = shapes(stand).into_iter().filter_map(|shape| match shape {
        Shape::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

/// How often a text stands in the window.
fn count(stand: &Stand, text: &str) -> usize {
    let all = written(stand);
    let all = all.iter().filter(|shape| shape.galley.text() == text);
    all.count()
}

/// Whether something is told or written with these words in it.
pub fn named(stand: &Stand, part: &str) -> bool {
    stand
        .accessible()
        .iter()
        .any(|(name, ..)| name.contains(part))
        || written(stand)
            .iter()
            .any(|shape| shape.galley.text().contains(part))
}

#[test]
fn the_tones_of_the_ears_are_those_that_sound() {
    let mut stand = stand();
    stand.set(NOISE_KIND, 2.0);
    stand.play(6);
    assert_eq!(count(&stand, "no tone sounds"), 1, "only noise does");
    assert!(!named(&stand, "L 245"));
    stand.set(L1_RATIO, 2.0);
    stand.set(L1_INTERVAL, 12.0);
    for (kind, swap, told) in [
        (1.0, 0.0, ["L 490.000", "R 510.000"]),
        (1.0, 1.0, ["L 510.000", "R 490.000"]),
        (2.0, 0.0, ["both ears 490.000", "+ 510.000"]),
        (3.0, 0.0, ["L 500.000", "R 500.000"]),
        (4.0, 0.0, ["L 500.000", "R 500.000"]),
    ] {
        stand.set(L1_KIND, kind);
        stand.set(L1_SWAP, swap);
        stand.play(4);
        for text in told {
            assert_eq!(count(&stand, text), 1, "{text} beside the beat");
            assert_eq!(count(&stand, &format!("{text} Hz")), 1, "{text} above");
        }
    }
    // Silent layers and those of noise have none; the next is meant then.
    stand.set(L1_LEVEL, -80.0);
    stand.set(L3_KIND, 1.0);
    stand.play(4);
    assert_eq!(count(&stand, "L 245.000"), 1);
    stand.set(L3_KIND, 5.0);
    stand.play(4);
    assert_eq!(count(&stand, "no tone sounds"), 1);
}

#[test]
fn a_warning_that_holds_goes_before_messages_and_messages_leave_the_line() {
    let mut stand = stand();
    let line = "saved: a sound of mine";
    stand.link.messages.post(line);
    stand.steps(2);
    assert_eq!(count(&stand, line), 1);
    stand.steps(300);
    assert_eq!(count(&stand, line), 0, "it has been read");
    stand.harness.get_by_label("All messages").click();
    stand.steps(3);
    let shown = written(&stand);
    let shown = shown.iter().find(|shape| shape.galley.text() == line);
    let shown = shown.expect("the list keeps it");
    assert!(!shown.galley.job.justify, "words stand together");
    stand.harness.key_press(Key::Escape);
    stand.steps(3);
    // A binaural layer that is nearly silent below a tone that both ears have.
    for (control, value) in [
        (PROG_LEVEL, -80.0),
        (L1_KIND, 1.0),
        (L1_LEVEL, -79.0),
        (L2_KIND, 3.0),
        (L2_LEVEL, -12.0),
    ] {
        stand.set(control, value);
    }
    stand.play(150);
    let alike = "The two ears are alike";
    assert!(named(&stand, alike));
    stand.link.messages.post("saved: another");
    stand.play(4);
    assert!(named(&stand, alike), "it holds, whatever was saved");
}

/// A stand whose engine has a protocol that moves the beat and a level.
fn led() -> Stand {
    let mut stand = stand();
    let list = serde_json::json!([
        {"at": 0, "beat": 10, "l1_level": -40},
        {"at": 60, "beat": 5, "l1_level": -20, "curve": "linear"},
    ]);
    let protocol = Protocol::from_json(&list, &[], &mut Vec::new()).unwrap();
    let settings: Vec<_> = ControlId::all()
        .map(|id| (id, id.control().default_value()))
        .collect();
    let timeline = protocol.timeline(&settings, 48_000.0).unwrap();
    stand
        .link
        .edit_session(|session| session.protocol = Some(protocol.into()));
    let mut deck = stand.params.engine.borrow_mut().take_deck().unwrap();
    deck.send(Order::Timeline(Some(timeline.into()))).unwrap();
    stand.set(L1_KIND, 1.0);
    stand.set(L1_LEVEL, -32.0);
    stand.set(PROTOCOL_ON, 1.0);
    stand.play(30);
    stand
}

#[test]
fn what_a_protocol_moves_shows_what_is_in_force_and_says_so() {
    let mut stand = led();
    let level = |stand: &Stand| {
        let node = stand
            .harness
            .get_by_role_and_label(Role::Slider, L1_LEVEL.control().name);
        (node.value().unwrap(), node.rect())
    };
    let (text, rect) = level(&stand);
    let number: f64 = text.strip_suffix(" dB").unwrap().parse().unwrap();
    assert!((-40.0..-38.0).contains(&number), "{text}");
    // On the slider and on its card.
    assert_eq!(count(&stand, &text), 2, "{text}");
    stand.point(rect.center());
    stand.steps(40);
    assert!(named(&stand, "moved by the protocol"));
    let overruled = "is moved by the protocol: your value";
    assert!(!named(&stand, overruled));
    stand.drag(rect.center(), vec2(20.0, 0.0), Modifiers::NONE);
    assert!(named(&stand, overruled));
    // A ratio is nobody's but the user's.
    stand.steps(200);
    assert!(!named(&stand, overruled));
    stand.set(PROTOCOL_ON, 0.0);
    stand.play(30);
    let own = stand.params.values.borrow()[L1_LEVEL.index()];
    assert_eq!(level(&stand).0, L1_LEVEL.control().format(own));
}

/// What is drawn of the dial, as text; what cannot be seen left out.
fn dial(stand: &Stand) -> Vec<String> {
    let title = written(stand);
    let title = title.iter().find(|text| text.galley.text() == "CARRIER");
    let below = title.expect("a title").pos;
    let area = Rect::from_min_max(Pos2::new(0.0, below.y - 180.0), below + vec2(220.0, -6.0));
    let seen = |shape: &Shape| match shape {
        Shape::Circle(circle) => circle.fill.a() > 0 || circle.stroke.color.a() > 0,
        Shape::LineSegment { stroke, .. } => stroke.color.a() > 0,
        Shape::Path(_) => true,
        _ => false,
    };
    let all = shapes(stand).into_iter();
    let all = all.filter(|shape| area.contains_rect(shape.visual_bounding_rect()) && seen(shape));
    all.map(|shape| format!("{shape:?}")).collect()
}

#[test]
fn a_beat_too_fast_to_follow_is_a_ring_that_stands_still() {
    let mut stand = stand();
    stand.set(L1_KIND, 1.0);
    stand.set(GLIDE, 0.0);
    stand.play(120);
    for (beat, still) in [
        (10.0, true),
        (40.0, true),
        (13.3, true),
        (6.3, false),
        (1.0, false),
    ] {
        stand.set(BEAT, beat);
        stand.play(40);
        let first = dial(&stand);
        assert!(first.len() > 4, "{first:?}");
        for _ in 0..5 {
            stand.play(1);
            assert_eq!(dial(&stand) == first, still, "{beat} Hz");
        }
    }
}

fn turn(stand: &mut Stand, way: f32) {
    stand.harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, way),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    stand.steps(2);
}

#[test]
fn a_wheel_that_scrolls_goes_on_scrolling() {
    let mut stand = Stand::new((1100.0, 500.0), Look::default());
    stand
        .harness
        .get_by_role_and_label(Role::RadioButton, "Space")
        .click();
    stand.steps(5);
    let knob = |stand: &Stand| {
        stand
            .harness
            .get_by_label(WIDTH.control().name)
            .rect()
            .center()
    };
    let told = |stand: &Stand| stand.params.told.take().len();
    // On the choice above the knobs.
    let start = knob(&stand);
    stand.point(Pos2::new(start.x, start.y - 58.0));
    told(&stand);
    turn(&mut stand, -20.0);
    assert_eq!(told(&stand), 0);
    let at = knob(&stand);
    assert!(at.y < start.y, "it scrolls");
    stand.point(at);
    turn(&mut stand, -20.0);
    assert_eq!(told(&stand), 0, "the knob has slid under the pointer");
    assert!(knob(&stand).y < at.y);
    stand.steps(30);
    let at = knob(&stand);
    stand.point(at);
    turn(&mut stand, -20.0);
    stand.steps(30);
    let told = stand.params.told.take();
    assert!(matches!(told.first(), Some(Told::Begin(WIDTH))), "{told:?}");
}

#[test]
fn a_wheel_over_a_knob_scrolls_the_column_unless_the_knob_is_meant() {
    let mut stand = Stand::new((1100.0, 500.0), Look::default());
    let card = (stand.harness).get_by_role_and_label(Role::RadioButton, "Space");
    card.click();
    stand.steps(5);
    let knob = |stand: &Stand| {
        (stand.harness.get_by_label(WIDTH.control().name))
            .rect()
            .center()
    };
    let start = knob(&stand);
    stand.params.told.take();
    // Who comes with a turning wheel wants to see what is below.
    stand.point(start);
    turn(&mut stand, -20.0);
    assert!(stand.params.told.take().is_empty());
    assert!(knob(&stand).y < start.y, "it scrolls");
    // Who has clicked it means it.
    stand.steps(120);
    let at = knob(&stand);
    stand.harness.get_by_label(WIDTH.control().name).focus();
    stand.steps(2);
    stand.point(at);
    turn(&mut stand, -20.0);
    let told = stand.params.told.take();
    assert!(matches!(told.first(), Some(Told::Begin(WIDTH))), "{told:?}");
    assert_eq!(knob(&stand).y, at.y);
    // Where nothing is out of sight the wheel turns at once.
    let mut stand = Stand::new((1100.0, 900.0), Look::default());
    let card = (stand.harness).get_by_role_and_label(Role::RadioButton, "Session");
    card.click();
    stand.steps(5);
    let at = (stand.harness.get_by_label(FADE_IN.control().name))
        .rect()
        .center();
    stand.point(at);
    stand.params.told.take();
    turn(&mut stand, -20.0);
    let told = stand.params.told.take();
    assert!(
        matches!(told.first(), Some(Told::Begin(FADE_IN))),
        "{told:?}"
    );
}

#[test]
fn a_key_brings_the_zoom_back() {
    let look = Look {
        zoom: 2.0,
        ..Look::default()
    };
    let mut stand = Stand::new((1100.0, 720.0), look);
    stand.steps(2);
    assert_eq!(stand.link.look().zoom, 2.0);
    (stand.harness).key_press_modifiers(Modifiers::COMMAND, egui::Key::Num0);
    stand.steps(3);
    assert_eq!(stand.link.look().zoom, 1.0);
}

#[test]
fn what_is_of_no_use_now_is_fainter() {
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    stand.steps(3);
    let lit = |stand: &Stand, text: &str| {
        let all = written(stand);
        let found = all.iter().find(|shape| shape.galley.text() == text);
        let shape = found.unwrap_or_else(|| panic!("{text} is not there"));
        shape.fallback_color.a() == 255
    };
    // The wave of a layer that is off, and of one that is noise.
    for (kind, is_lit) in [(0.0, false), (1.0, true), (5.0, false)] {
        stand.set(L1_KIND, kind);
        stand.steps(4);
        assert_eq!(lit(&stand, "triangle"), is_lit, "{kind}");
    }
}

#[test]
fn numbers_of_knobs_stay_in_their_columns() {
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    stand
        .harness
        .get_by_role_and_label(Role::RadioButton, "Space")
        .click();
    stand.set(SPACE_KIND, 1.0);
    stand.set(AZIMUTH, -120.27);
    stand.set(ELEVATION, -40.56);
    stand.steps(5);
    assert_eq!(count(&stand, "-120.3\u{b0}"), 1);
    for id in [AZIMUTH, ELEVATION, DISTANCE, WIDTH] {
        let column = stand.harness.get_by_label(id.control().name).rect();
        for shape in written(&stand) {
            let rect = shape.visual_bounding_rect();
            let inside = rect.center().x > column.left() && rect.center().x < column.right();
            let beside = rect.center().y > column.top() && rect.center().y < column.bottom();
            if inside && beside {
                let text = shape.galley.text();
                assert!(rect.width() <= column.width() + 0.5, "{text}: {rect:?}");
            }
        }
    }
    // All of it is in the field.
    let at = stand.harness.get_by_label(AZIMUTH.control().name).rect();
    stand.click(at.center_bottom() - vec2(0.0, 10.0));
    let mut fields = stand.harness.query_all_by_role(Role::TextInput);
    assert!(fields.any(|node| node.value().as_deref() == Some("-120.27\u{b0}")));
}

/// WCAG 2.2.
fn contrast(one: Color32, other: Color32) -> f32 {
    let light = |colour: Color32| {
        let [r, g, b, _] = egui::Rgba::from(colour).to_array();
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    };
    let (one, other) = (light(one), light(other));
    one.max(other) / one.min(other)
}

#[test]
fn a_card_that_is_off_and_open_keeps_its_picture() {
    for light in [false, true] {
        let look = Look {
            light,
            ..Look::default()
        };
        let mut stand = Stand::new((1100.0, 720.0), look);
        for name in ["Layer 4", "Space", "Insert B", "Noise", "Program"] {
            let card = stand.harness.get_by_role_and_label(Role::RadioButton, name);
            let area = card.rect();
            card.click();
            stand.steps(4);
            let all = shapes(&stand);
            let ground = all.iter().find_map(|shape| match shape {
                Shape::Rect(rect) if rect.rect == area => Some(rect.fill),
                _ => None,
            });
            let ground = ground.expect("a card has a ground");
            let mut lines = 0;
            for shape in all {
                if !area.contains_rect(shape.visual_bounding_rect()) {
                    continue;
                }
                let colour = match shape {
                    Shape::LineSegment { stroke, .. } => stroke.color,
                    Shape::Circle(circle) if circle.stroke.width > 0.0 => circle.stroke.color,
                    _ => continue,
                };
                lines += 1;
                let seen = contrast(colour, ground);
                assert!(seen > 2.5, "{name}, light {light}: {seen}");
            }
            assert!(lines > 0, "{name}");
        }
    }
}

#[test]
fn the_stage_takes_the_room_where_no_card_is_open() {
    let mut stand = Stand::new((760.0, 500.0), Look::default());
    stand.harness.set_size(vec2(1100.0, 720.0));
    stand.steps(4);
    let middle = 350.0;
    let reach = shapes(&stand).into_iter().filter_map(|shape| match shape {
        Shape::Rect(rect) if rect.rect.y_range().contains(middle) && rect.rect.width() < 1090.0 => {
            Some(rect.rect.right())
        }
        _ => None,
    });
    let right = reach.fold(0.0, f32::max);
    assert!(right > 1080.0, "a hole from {right} on");
}

#[test]
fn what_has_failed_does_not_look_like_what_sounds() {
    let mut stand = Stand::new((1100.0, 900.0), Look::default());
    stand.set(A_ON, 1.0);
    let choice = InsertChoice::Node("gain".to_owned());
    stand.link.choose_insert(0, Some(choice), true);
    // The fill of the dot that turns it on and off.
    let dot = |stand: &mut Stand, status: InsertStatus| {
        stand.link.edit_insert(0, |state| state.status = status);
        stand.steps(3);
        let place = stand.harness.get_by_label("Insert A on").rect().center();
        let found = shapes(stand).into_iter().find_map(|shape| match shape {
            Shape::Circle(circle) if circle.center.distance(place) < 1.0 && circle.radius < 4.0 => {
                Some(circle.fill)
            }
            _ => None,
        });
        found.expect("a dot")
    };
    let sounds = dot(&mut stand, InsertStatus::Sounds);
    let failed = dot(&mut stand, InsertStatus::Failed("no such file".to_owned()));
    assert_ne!(sounds, failed);
    // A file of filters: red, and why.
    let space = stand
        .harness
        .get_by_role_and_label(Role::RadioButton, "Space");
    space.click();
    let path = std::path::PathBuf::from("/none.sofa");
    let choice = HrtfChoice { path, hash: None };
    stand.link.choose_hrtf(Some(choice.clone()));
    stand.steps(3);
    assert_eq!(count(&stand, "/none.sofa"), 1);
    stand.link.set_hrtf_wrong(Some("no such file".to_owned()));
    stand.steps(3);
    assert!(named(&stand, "/none.sofa does not sound: no such file"));
    stand.link.choose_hrtf(Some(choice));
    stand.steps(3);
    assert!(!named(&stand, "does not sound"), "it is tried again");
}

#[test]
fn saving_begins_with_the_name() {
    let mut stand = stand();
    stand.harness.get_by_label("Save preset").click();
    stand.steps(3);
    stand.harness.event(Event::Text("Evening".to_owned()));
    stand.steps(2);
    let mut fields = stand.harness.query_all_by_role(Role::TextInput);
    assert!(fields.any(|node| node.value().as_deref() == Some("Evening")));
}

#[test]
fn a_preset_that_is_changed_is_marked_until_it_is_as_it_was() {
    let mut stand = stand();
    assert!(stand.harness.query_by_label("Preset: No preset").is_some());
    let next = |stand: &mut Stand, name: &str| {
        stand.harness.get_by_label(name).click();
        stand.steps(3);
    };
    next(&mut stand, "Next preset");
    let name = stand.link.session().name;
    let (plain, marked) = (
        format!("Preset: {name}"),
        format!("Preset: {name}, changed"),
    );
    let mark = |stand: &Stand| {
        let [plain, marked] = [&plain, &marked].map(|label| stand.harness.query_by_label(label));
        assert!(plain.is_some() != marked.is_some());
        marked.is_some()
    };
    assert!(!mark(&stand));
    // By hand, and back by hand.
    let level = stand.params.values.borrow()[L1_LEVEL.index()];
    stand.set(L1_LEVEL, level - 3.0);
    stand.steps(2);
    assert!(mark(&stand));
    let button = stand.harness.get_by_label(&marked).rect();
    stand.point(button.center());
    stand.steps(40);
    assert!(named(&stand, "was loaded: Layer 1 Level"));
    stand.set(L1_LEVEL, level);
    stand.steps(2);
    assert!(!mark(&stand));
    // A host's single floats are the same, bypass is nobody's sound.
    stand.set(L1_LEVEL, f64::from(level as f32) + 1e-5);
    stand.set(BYPASS, 1.0);
    stand.steps(2);
    assert!(!mark(&stand));
    stand.set(L1_LEVEL, level);
    // A gesture, and undo.
    let slider = stand.harness.get_by_label(L1_LEVEL.control().name).rect();
    stand.drag(slider.center(), vec2(30.0, 0.0), Modifiers::NONE);
    assert!(mark(&stand));
    next(&mut stand, "Undo");
    assert!(!mark(&stand));
    // The timeline belongs to it.
    stand.link.edit_session(|session| {
        let list = serde_json::json!([{"at": 0, "beat": 10}, {"at": 60, "beat": 5}]);
        let protocol = Protocol::from_json(&list, &[], &mut Vec::new()).unwrap();
        session.protocol = Some(protocol.into());
    });
    stand.steps(2);
    assert!(mark(&stand));
    // What no preset has the name of, as in a project from elsewhere, is not known to be changed.
    stand
        .link
        .edit_session(|session| session.name = "Elsewhere".to_owned());
    stand.steps(2);
    assert!(stand.harness.query_by_label("Preset: Elsewhere").is_some());
}

#[test]
fn a_project_that_is_opened_again_knows_whether_its_preset_is_changed() {
    for change in [0.0, 1.0] {
        let mut stand = stand();
        // What a project keeps: the name, the values, the timeline.
        let preset = zeitgeber::protocol::factory("Descent into sleep").unwrap();
        let settings = preset.all_settings();
        for (id, value) in &settings {
            stand.set(*id, id.control().snap(*value));
        }
        stand.set(BEAT, settings[BEAT.index()].1 + change);
        let pinned = preset.protocol().unwrap().pinned(&settings);
        let kept = pinned.document().clone();
        let (protocol, _) = Protocol::from_session(&kept, &[], &mut Vec::new()).unwrap();
        stand.link.edit_session(|session| {
            session.name = "Descent into sleep".to_owned();
            session.protocol = Some(protocol.into());
        });
        stand.steps(3);
        let marked = "Preset: Descent into sleep, changed";
        let is_marked = stand.harness.query_by_label(marked).is_some();
        assert_eq!(is_marked, change != 0.0);
    }
}

#[test]
fn choices_and_units_are_in_peoples_words() {
    let mut stand = Stand::new((1100.0, 1100.0), Look::default());
    stand.set(SPACE_KIND, 1.0);
    stand.set(AZIMUTH, 30.0);
    stand.set(L1_INTERVAL, 7.0);
    stand.set(BEAT_SOURCE, 1.0);
    stand.set(DIVISION, 14.0);
    let mut raw = Vec::new();
    for card in ["Layer 1", "Program", "Noise", "Space", "Session"] {
        let card = stand.harness.get_by_role_and_label(Role::RadioButton, card);
        card.click();
        for page in ["Scope", "Space", "Control"] {
            crate::reach::page(&mut stand, page);
            for shape in written(&stand) {
                let text = shape.galley.text();
                let bare = ["hz", "hrtf", "midi", "sn3d", "n3d", "fuma", "1/4d"].contains(&text);
                if bare || text.ends_with(" deg") || text.contains(" deg ") {
                    raw.push(text.to_owned());
                }
            }
        }
    }
    assert!(raw.is_empty(), "{raw:?}");
    let space = stand
        .harness
        .get_by_role_and_label(Role::RadioButton, "Space");
    space.click();
    stand.steps(3);
    for name in ["Space: HRTF", "Beat Source: Hz", "Bus Format: FuMa"] {
        assert!(stand.harness.query_all_by_label(name).count() > 0, "{name}");
    }
    for text in ["HRTF", "Hz", "MIDI", "SN3D", "diffuse field", "30\u{b0}"] {
        assert!(count(&stand, text) > 0, "{text}");
    }
    assert!(named(&stand, "1/4 dotted"));
}

#[test]
fn a_lane_reads_as_the_widget_of_its_control() {
    let mut stand = led();
    crate::reach::page(&mut stand, "Protocol");
    for _ in 0..20 {
        stand.play(1);
        let slider = stand
            .harness
            .get_by_role_and_label(Role::Slider, L1_LEVEL.control().name);
        let text = slider.value().unwrap();
        let (_, decimals) = text.trim_end_matches(" dB").split_once('.').unwrap();
        assert_eq!(decimals.len(), 2, "{text} stands still while it moves");
        // On the slider, the card and the lane.
        assert_eq!(count(&stand, &text), 3, "{text}");
        let seconds = stand.link.telemetry().unwrap().protocol().unwrap();
        let seconds = (1000.0 * seconds).round() / 1000.0;
        let beat = format!("{:.3} Hz", 10.0 - 5.0 * seconds / 60.0);
        assert_eq!(count(&stand, &beat), 1, "{beat}");
    }
    // A macro's lane reads as what it moves.
    stand.link.edit_insert(0, |state| {
        let moved = zeitgeber::editor::insert::InsertMacro {
            name: "cutoff".to_owned(),
            default: 0.5,
            format: std::sync::Arc::new(|x| format!("{:.0} Hz cutoff", 1000.0 * x)),
            parse: std::sync::Arc::new(|text| text.parse::<f64>().ok().map(|x| x / 1000.0)),
        };
        state.macros = vec![moved; 4];
    });
    let list = serde_json::json!([{"at": 0, "beat": 10, "a_1": 0.25}]);
    let protocol = Protocol::from_json(&list, &[], &mut Vec::new()).unwrap();
    stand
        .link
        .edit_session(|session| session.protocol = Some(protocol.into()));
    stand.steps(3);
    assert!(named(&stand, "250 Hz cutoff"));
}

#[test]
fn the_column_of_the_beat_fits_whatever_it_follows() {
    for beat in [0.0, 1.0] {
        for carrier in [0.0, 1.0, 2.0] {
            for tempo in [None, zeitgeber::engine::Tempo::new(97.0, None, None)] {
                let mut stand = stand();
                stand.transport = zeitgeber::engine::Transport::Host {
                    playing: true,
                    song_frames: None,
                    tempo,
                };
                stand.set(BEAT_SOURCE, beat);
                stand.set(CARRIER_SOURCE, carrier);
                // The longest name.
                stand.set(DIVISION, 0.0);
                stand.play(6);
                let last = stand.harness.get_by_label("Phase: free").rect();
                let strip = (stand.harness).get_by_role_and_label(Role::RadioButton, "Input");
                let room = strip.rect().top() - 8.0 - 12.0;
                let follows = format!("beat {beat}, carrier {carrier}: {last:?}, {room}");
                assert!(last.bottom() <= room + 0.5, "{follows}");
                // Nor is there a hole.
                assert!(last.bottom() > room - 40.0, "{follows}");
                for shape in written(&stand) {
                    let rect = shape.visual_bounding_rect();
                    let beside = rect.left() < 236.0 && rect.center().y < room && rect.top() > 50.0;
                    let text = shape.galley.text();
                    assert!(!beside || rect.right() < 226.0, "{text}: {rect:?}");
                }
            }
        }
    }
}

#[test]
fn names_of_knobs_stay_in_their_columns() {
    let mut stand = Stand::new((1100.0, 1400.0), Look::default());
    for card in ["Layer 1", "Program", "Noise", "Space", "Input", "Session"] {
        let card = stand.harness.get_by_role_and_label(Role::RadioButton, card);
        card.click();
        stand.steps(4);
        let all = stand.accessible().into_iter();
        let knobs = all.filter(|(_, role, _)| *role == Role::Slider);
        let knobs: Vec<Rect> = knobs.filter_map(|(.., place)| place).collect();
        let knobs = knobs.iter().filter(|place| place.height() == 80.0);
        for shape in written(&stand) {
            let rect = shape.visual_bounding_rect();
            for knob in knobs.clone().filter(|knob| knob.contains(rect.center())) {
                let text = shape.galley.text();
                let inside = rect.left() >= knob.left() - 1.0 && rect.right() <= knob.right() + 1.0;
                assert!(inside, "{text}: {rect:?} in {knob:?}");
            }
        }
    }
    stand
        .harness
        .get_by_role_and_label(Role::RadioButton, "Space")
        .click();
    stand.steps(4);
    assert_eq!(count(&stand, "Order"), 1);
    assert_eq!(count(&stand, "Ambisonic Order"), 0);
}
