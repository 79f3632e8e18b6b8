//! The page of space: what is dragged in its picture is told to the host as gestures.

use crate::stand::{Stand, Told};
use egui::{Event, Modifiers, Pos2, Rect, Shape, accesskit::Role, vec2};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::Look;
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::*;

const LOOK: Look = Look {
    light: false,
    zoom: 1.0,
};

fn open(page: &str, settings: &[(ControlId, f64)]) -> Stand {
    let mut stand = Stand::new((1100.0, 720.0), LOOK);
    for (control, value) in settings {
        stand.set(*control, *value);
    }
    stand.harness.get_by_role_and_label(Role::Tab, page).click();
    stand.steps(4);
    stand
}

fn place(stand: &Stand, name: &str) -> Pos2 {
    stand.harness.get_by_label(name).rect().center()
}

/// Drags, and returns what the host was told.
fn drag(stand: &mut Stand, from: Pos2, to: Pos2) -> Vec<Told> {
    stand.params.told.borrow_mut().clear();
    stand.drag(from, to - from, Modifiers::NONE);
    stand.params.told.borrow().clone()
}

fn value(stand: &Stand, control: ControlId) -> f64 {
    stand.params.values.borrow()[control.index()]
}

/// Each control is begun once, then set, then ended once.
fn are_gestures(told: &[Told], controls: &[ControlId]) {
    let at = |what: Told| {
        let found: Vec<usize> = (0..told.len()).filter(|n| told[*n] == what).collect();
        assert_eq!(found.len(), 1, "{what:?} in {told:?}");
        found[0]
    };
    for control in controls {
        let (begin, end) = (at(Told::Begin(*control)), at(Told::End(*control)));
        let sets: Vec<usize> = (0..told.len())
            .filter(|n| matches!(told[*n], Told::Set(id, _) if id == *control))
            .collect();
        assert!(
            !sets.is_empty() && sets.iter().all(|n| (begin..end).contains(n)),
            "{told:?}"
        );
    }
    let others = told.iter().filter(|told| match told {
        Told::Begin(id) | Told::Set(id, _) | Told::End(id) => !controls.contains(id),
        Told::Touch | Told::Play(_) | Told::Seek(_) => false,
    });
    assert_eq!(others.count(), 0, "{told:?}");
}

#[test]
fn speakers_dragged_to_the_left_are_at_90_degrees() {
    let mut stand = open("Space", &[(SPACE_KIND, 1.0)]);
    let front = place(&stand, "Speakers in space");
    let head = place(&stand, "Head in space");
    let away = head.y - front.y;
    assert!(away > 20.0 && (head.x - front.x).abs() < 1.0);
    let told = drag(&mut stand, front, head - vec2(away, 0.0));
    are_gestures(&told, &[AZIMUTH, DISTANCE]);
    assert!(
        (value(&stand, AZIMUTH) - 90.0).abs() < 1.0,
        "{}",
        value(&stand, AZIMUTH)
    );
    assert!(
        (value(&stand, DISTANCE) - 1.5).abs() < 0.05,
        "{}",
        value(&stand, DISTANCE)
    );
    // A double click brings both back.
    let now = place(&stand, "Speakers in space");
    for _ in 0..2 {
        stand.hold(now, true);
        stand.hold(now, false);
    }
    stand.steps(2);
    assert_eq!(
        (value(&stand, AZIMUTH), value(&stand, DISTANCE)),
        (0.0, 1.5)
    );
}

#[test]
fn each_handle_moves_what_is_its_own() {
    let layer = [
        (SPACE_KIND, 1.0),
        (L2_KIND, 3.0),
        (L2_SPACE, 1.0),
        (L2_AZIMUTH, -120.0),
        (L2_DISTANCE, 4.0),
    ];
    let mut stand = open("Space", &layer);
    let left = place(&stand, "Left speaker in space");
    let told = drag(&mut stand, left, left + vec2(-40.0, 30.0));
    are_gestures(&told, &[WIDTH]);
    assert!(value(&stand, WIDTH) > 80.0);

    let head = place(&stand, "Head in space");
    let nose = head - vec2(0.0, 8.0);
    let told = drag(&mut stand, nose, nose + vec2(-40.0, 10.0));
    are_gestures(&told, &[HEAD_YAW]);
    assert!(value(&stand, HEAD_YAW) > 20.0);

    let one = place(&stand, "Layer 2 in space");
    let told = drag(&mut stand, one, one + vec2(10.0, -20.0));
    are_gestures(&told, &[L2_AZIMUTH, L2_DISTANCE]);
    let high = place(&stand, "Layer 2 in space, from the right");
    let told = drag(&mut stand, high, high - vec2(0.0, 25.0));
    are_gestures(&told, &[L2_ELEVATION]);
    assert!(value(&stand, L2_ELEVATION) > 10.0);

    let both = place(&stand, "Speakers in space, from the right");
    let told = drag(&mut stand, both, both - vec2(0.0, 30.0));
    are_gestures(&told, &[ELEVATION]);
    assert!(value(&stand, ELEVATION) > 15.0);

    let side = place(&stand, "Head in space, from the right") + vec2(9.0, 0.0);
    let told = drag(&mut stand, side, side - vec2(0.0, 20.0));
    are_gestures(&told, &[HEAD_PITCH]);
    assert!(value(&stand, HEAD_PITCH) > 10.0);
}

#[test]
fn shift_is_fine() {
    let [coarse, fine] = [Modifiers::NONE, Modifiers::SHIFT].map(|modifiers| {
        let mut stand = open("Space", &[(SPACE_KIND, 1.0)]);
        let front = place(&stand, "Speakers in space");
        stand.drag(front, vec2(-30.0, 0.0), modifiers);
        value(&stand, AZIMUTH)
    });
    assert!(
        coarse > 10.0 && fine > 0.5 && fine < 0.2 * coarse,
        "{coarse} {fine}"
    );
}

#[test]
fn space_that_is_off_says_so_and_is_turned_on() {
    let mut stand = open("Space", &[]);
    let at = place(&stand, "Turn on space with HRTF");
    stand.click(at);
    assert_eq!(value(&stand, SPACE_KIND), 1.0);
    stand.steps(20);
    assert!(
        stand
            .harness
            .query_by_label("Turn on space with HRTF")
            .is_none()
    );
}

#[test]
fn recenter_turns_the_head_straight_ahead() {
    let turns = [(HEAD_YAW, 40.0), (HEAD_PITCH, -20.0), (HEAD_ROLL, 10.0)];
    let mut stand = open("Control", &turns);
    let at = place(&stand, "Recenter the head");
    stand.params.told.borrow_mut().clear();
    stand.click(at);
    let controls = [HEAD_YAW, HEAD_PITCH, HEAD_ROLL];
    are_gestures(&stand.params.told.borrow().clone(), &controls);
    assert_eq!(controls.map(|control| value(&stand, control)), [0.0; 3]);
}

#[test]
fn a_drag_across_the_head_turns_it_both_ways() {
    let mut stand = open("Control", &[]);
    let head = place(&stand, "Head");
    let told = drag(&mut stand, head, head + vec2(50.0, -25.0));
    are_gestures(&told, &[HEAD_YAW, HEAD_PITCH]);
    assert!(value(&stand, HEAD_YAW) > 10.0 && value(&stand, HEAD_PITCH) > 5.0);
}

#[test]
fn a_drag_that_leaves_the_window_ends_both_gestures() {
    let mut stand = open("Space", &[(SPACE_KIND, 1.0)]);
    let front = place(&stand, "Speakers in space");
    stand.params.told.borrow_mut().clear();
    stand.hold(front, true);
    for step in 1..5 {
        let at = front - vec2(8.0 * step as f32, 0.0);
        stand.point(at);
    }
    // The pointer leaves, and the button is let go of elsewhere.
    stand.harness.event(Event::PointerGone);
    stand.hold(front, false);
    stand.steps(3);
    are_gestures(&stand.params.told.borrow().clone(), &[AZIMUTH, DISTANCE]);
}

#[test]
fn the_names_below_the_picture_stand_on_one_line() {
    for size in [(760.0, 500.0), (1100.0, 720.0), (1600.0, 1000.0)] {
        let mut stand = Stand::new(size, Look::default());
        stand.set(SPACE_KIND, 2.0);
        crate::reach::page(&mut stand, "Space");
        stand.play(4);
        let strip = stand
            .harness
            .get_by_role_and_label(Role::RadioButton, "Input");
        let floor = strip.rect().top();
        let lines = ["Space", "Motion", "Room"].map(|name| {
            let written = crate::shown::written(&stand).into_iter();
            let below = written.filter(|text| {
                let place = text.visual_bounding_rect();
                text.galley.text() == name && (floor - 80.0..floor).contains(&place.top())
            });
            let tops: Vec<f32> = below.map(|text| text.pos.y).collect();
            assert!(!tops.is_empty(), "{size:?}: {name}");
            tops[0]
        });
        for line in lines {
            assert!((line - lines[0]).abs() < 1.0, "{size:?}: {lines:?}");
        }
    }
}

const SIZES: [(f32, f32); 4] = [
    (760.0, 500.0),
    (985.0, 640.0),
    (1100.0, 720.0),
    (1600.0, 1000.0),
];

/// Where a title stands.
fn title(stand: &Stand, text: &str) -> Option<Rect> {
    let all = crate::shown::written(stand).into_iter();
    let mut all = all.filter(|shape| shape.galley.text() == text);
    all.next().map(|shape| shape.visual_bounding_rect())
}

#[test]
fn views_stand_in_one_order_with_their_titles_on_one_line() {
    for size in SIZES {
        for open in [true, false] {
            // A window that began narrow has no card open.
            let mut stand = Stand::new(if open { size } else { SIZES[0] }, LOOK);
            stand.harness.set_size(vec2(size.0, size.1));
            stand.steps(4);
            stand.set(SPACE_KIND, 1.0);
            crate::reach::page(&mut stand, "Space");
            let follows = format!("{size:?}, card {open}");
            let titles = ["FROM ABOVE", "FROM THE RIGHT", "ROLL"].map(|text| title(&stand, text));
            let small = size.1 <= 500.0;
            assert!(
                titles.iter().all(|title| title.is_none() == small),
                "{follows}"
            );
            let [Some(above), Some(beside), Some(roll)] = titles else {
                continue;
            };
            assert_eq!(above.top(), beside.top(), "{follows}");
            let aside = above.right() < beside.left();
            assert!(
                aside && (roll.left() - beside.left()).abs() < 0.5,
                "{follows}"
            );
            assert!(
                roll.top() > place(&stand, "Head in space, from the right").y,
                "{follows}"
            );
        }
    }
}

#[test]
fn what_says_that_space_is_off_covers_nothing() {
    for size in SIZES {
        let mut stand = Stand::new(size, LOOK);
        crate::reach::page(&mut stand, "Space");
        let button = stand.harness.get_by_label("Turn on space with HRTF").rect();
        let all = crate::shown::seen(&stand);
        let fields = all.iter().filter_map(|(shape, place)| match shape {
            Shape::Rect(_) => Some(*place),
            _ => None,
        });
        // The field around the button.
        let field = fields
            .filter(|place| place.contains_rect(button.expand(3.0)) && place.height() < 90.0)
            .min_by(|one, other| one.area().total_cmp(&other.area()))
            .expect("a field");
        let mut circles = 0;
        for (shape, place) in &all {
            if let Shape::Circle(circle) = shape {
                let view = circle.radius > 30.0 && circle.center.x > 240.0;
                circles += usize::from(view);
                assert!(
                    !view || !place.intersects(field),
                    "{size:?}: {place:?} {field:?}"
                );
            }
        }
        assert!(circles >= 4, "{size:?}: {circles}");
        for text in crate::shown::written(&stand) {
            let place = text.visual_bounding_rect();
            let inside = field.contains(place.center());
            assert!(
                inside || !place.intersects(field),
                "{size:?}: {}",
                text.galley.text()
            );
        }
    }
}

#[test]
fn marks_that_would_cover_each_other_are_fanned_out() {
    let sent = [
        (SPACE_KIND, 1.0),
        (L1_KIND, 3.0),
        (L1_SPACE, 1.0),
        (L2_KIND, 3.0),
        (L2_SPACE, 1.0),
    ];
    for size in SIZES {
        let mut stand = Stand::new(size, LOOK);
        for (control, value) in sent {
            stand.set(control, value);
        }
        crate::reach::page(&mut stand, "Space");
        stand.play(4);
        let views = [
            [
                "Speakers in space",
                "Left speaker in space",
                "Right speaker in space",
                "Layer 1 in space",
                "Layer 2 in space",
            ],
            [
                "Speakers in space, from the right",
                "Speaker in space, from the right",
                "Other speaker in space, from the right",
                "Layer 1 in space, from the right",
                "Layer 2 in space, from the right",
            ],
        ];
        for names in views {
            let places = names.map(|name| place(&stand, name));
            for (n, one) in places.iter().enumerate() {
                for (m, other) in places[..n].iter().enumerate() {
                    let apart = one.distance(*other);
                    let both = format!("{size:?}: {} and {}: {apart}", names[n], names[m]);
                    assert!(apart > 16.0, "{both}");
                }
            }
            // A thin line leads to where the layer is.
            let (truth, shown) = (places[0], places[3]);
            let ties = crate::shown::seen(&stand).into_iter().filter(|(shape, _)| {
                matches!(shape, Shape::LineSegment { points, .. }
                    if points[0].distance(truth) < 1.0 && points[1].distance(shown) < 1.0)
            });
            assert_eq!(ties.count(), 1, "{size:?}: {names:?}");
        }
        // Both letters are read from the right.
        for letter in ["L", "R"] {
            let names = ["Speaker", "Other speaker"]
                .map(|name| place(&stand, &format!("{name} in space, from the right")));
            let read = crate::shown::written(&stand).into_iter().any(|text| {
                let at = text.visual_bounding_rect().center();
                text.galley.text() == letter && names.iter().any(|name| name.distance(at) < 4.0)
            });
            assert!(read, "{size:?}: {letter}");
        }
    }
    // It is dragged from where it is, as far as the pointer goes.
    let mut stand = open("Space", &sent);
    let head = place(&stand, "Head in space");
    let truth = place(&stand, "Speakers in space");
    let shown = place(&stand, "Layer 1 in space");
    let way = head - vec2(head.y - truth.y, 0.0) - truth;
    let told = drag(&mut stand, shown, shown + way);
    are_gestures(&told, &[L1_AZIMUTH, L1_DISTANCE]);
    assert!((value(&stand, L1_AZIMUTH) - 90.0).abs() < 1.0);
    assert!((value(&stand, L1_DISTANCE) - 1.5).abs() < 0.05);
}
