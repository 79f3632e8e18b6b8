//! The parameters as a host sees them.

use super::*;
use nice_plug::prelude::ParamFlags;
use std::collections::HashSet;

fn params() -> ZgParams {
    ZgParams::new(Arc::new(Link::default()))
}

/// nice-plug's hash of ids: hosts know a parameter by these 31 bits.
fn hash(id: &str) -> u32 {
    id.bytes().fold(0u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(byte))
    }) & !(1 << 31)
}

#[test]
fn no_two_ids_share_a_hash() {
    let ids = ControlId::all().map(|id| id.control().id).chain([REVISION]);
    let hashes: HashSet<u32> = ids.map(hash).collect();
    assert_eq!(hashes.len(), ControlId::all().count() + 1);
}

#[test]
fn the_map_follows_the_table() {
    let params = params();
    let map = params.param_map();
    assert_eq!(map.len(), ControlId::all().count() + 1);
    let (last, pointer, _) = &map[map.len() - 1];
    assert_eq!(
        (last.as_str(), *pointer),
        (REVISION, params.revision.as_ptr())
    );
    assert!(params.revision.flags().contains(ParamFlags::HIDDEN));
    assert_eq!(params.revision.name(), "Revision");
    assert_eq!(params.revision.value(), 0);
    assert!(
        ControlId::parse(REVISION).is_err(),
        "no control: not in presets, OSC or command line"
    );
    for ((id, slot), (text, pointer, group)) in ControlId::all().zip(&params.slots).zip(map) {
        let control = id.control();
        assert_eq!((text.as_str(), group.as_str()), (control.id, control.group));
        assert_eq!(pointer, with_param!(slot, p => p.as_ptr()));
        let name = with_param!(slot, p => p.name());
        assert_eq!(name, control.name);
        let unit = with_param!(slot, p => p.unit());
        assert_eq!(
            unit, "",
            "{name}: a unit beside the text would be shown twice"
        );
        let default = with_param!(slot, p => p.default_normalized_value());
        assert_eq!(
            control.from_normalized(f64::from(default)),
            control.default_value(),
            "{name}"
        );
        let bypass = with_param!(slot, p => p.flags()).contains(ParamFlags::BYPASS);
        assert_eq!(bypass, id == controls::BYPASS);
    }
}

#[test]
fn text_survives_value_to_text_and_back() {
    for slot in &params().slots {
        with_param!(slot, p => {
            for step in 0..=1000 {
                let normalized = step as f32 / 1000.0;
                let text = p.normalized_value_to_string(normalized, true);
                assert_eq!(text, p.normalized_value_to_string(normalized, false));
                let back = p.string_to_normalized_value(&text).expect("own text is read");
                assert_eq!(p.normalized_value_to_string(back, true), text, "{}", p.name());
            }
        });
    }
}

#[test]
fn what_is_displayed_is_what_arrives() {
    let params = params();
    for id in ControlId::all() {
        let control = id.control();
        let (min, max) = control.range();
        for step in 0..=997 {
            let shown = control.snap(min + (max - min) * f64::from(step) / 997.0);
            params.host_sets(id, shown);
            assert_eq!(params.value(id), shown, "{}", control.id);
        }
    }
}

#[test]
fn only_changes_are_pulled() {
    let params = params();
    let mut all = HashSet::new();
    params.take_changes(|id, value| {
        assert_eq!(value, id.control().default_value());
        all.insert(id);
    });
    assert_eq!(all.len(), ControlId::all().count());
    params.take_changes(|id, _| panic!("{} has not changed", id.control().id));

    params.host_sets(controls::BEAT, 6.3);
    params.host_sets(controls::BEAT, 6.3);
    let mut changes = Vec::new();
    params.take_changes(|id, value| changes.push((id, value)));
    // Not the glide, which has not changed: an engine that has a snapshot with another would lose it.
    assert_eq!(changes, [(controls::BEAT, 6.3)]);
    params.host_sets(controls::BYPASS, 1.0);
    params.host_sets(controls::GLIDE, 0.5);
    changes.clear();
    params.take_changes(|id, value| changes.push((id, value)));
    assert_eq!(changes, [(controls::GLIDE, 0.5), (controls::BYPASS, 1.0)]);
    params.host_sets(controls::BEAT, 7.0);
    params.forget_changes();
    params.take_changes(|id, _| panic!("{} is forgotten", id.control().id));
}

#[test]
fn modulation_arrives_and_is_not_saved() {
    let params = params();
    params.host_sets(controls::BEAT, 6.3);
    params.take_changes(|_, _| ());
    params.host_modulates(controls::BEAT, 0.1);
    let mut changes = Vec::new();
    params.take_changes(|id, value| changes.push((id, value)));
    assert_eq!(changes, [(controls::BEAT, 16.3)]);
    let Slot::Number(beat) = &params.slots[controls::BEAT.index()] else {
        panic!("beat is a number")
    };
    assert_eq!(
        controls::BEAT
            .control()
            .snap(f64::from(beat.unmodulated_plain_value())),
        6.3
    );
}

#[test]
fn a_logarithmic_control_is_linear_in_its_logarithm() {
    let control = Control {
        id: "test",
        name: "Test",
        group: "Test",
        values: Values::Number {
            min: 0.25,
            max: 4.0,
            default: 1.0,
            decimals: 4,
            unit: "",
            scale: Scale::Logarithmic,
            floor_is_silence: false,
            is_note: false,
        },
        help: "",
    };
    let range = FloatRange::Linear {
        min: to_plain(&control, 0.25),
        max: to_plain(&control, 4.0),
    };
    for value in [0.25, 0.3333, 1.0, 1.5, 4.0] {
        let normalized = range.normalize(to_plain(&control, value));
        assert!((f64::from(normalized) - control.to_normalized(value)).abs() < 1e-6);
        assert_eq!(
            control.snap(from_plain(&control, range.unnormalize(normalized))),
            value
        );
    }
}

/// The text of a macro is that of the parameter that it moves, and survives the way back.
#[test]
fn macros_read_as_what_they_move() {
    use crate::editor::insert::InsertMacro;
    let link = Arc::new(Link::default());
    let params = ZgParams::new(link.clone());
    let Slot::Number(param) = &params.slots[controls::B_2.index()] else {
        panic!("a macro is a number");
    };
    assert_eq!(param.normalized_value_to_string(0.5, true), "0.5");
    assert_eq!(param.string_to_normalized_value("0.25"), Some(0.25));
    let format = |x: f64| format!("{} Hz cutoff", (x * 1000.0).round());
    let parse = |text: &str| Some(text.split(' ').next()?.parse::<f64>().ok()? / 1000.0);
    link.edit_insert(1, |state| {
        let of_node = InsertMacro {
            name: "cutoff".to_owned(),
            default: 0.5,
            format: Arc::new(format),
            parse: Arc::new(parse),
        };
        state.macros = vec![of_node.clone(), of_node];
    });
    assert_eq!(
        param.normalized_value_to_string(0.44, true),
        "440 Hz cutoff"
    );
    let back = param.string_to_normalized_value("440 Hz cutoff").unwrap();
    assert_eq!(
        param.normalized_value_to_string(back, true),
        "440 Hz cutoff"
    );
    assert_eq!(param.string_to_normalized_value("much"), None);
    // What the node has no parameter for stays a plain number.
    let Slot::Number(third) = &params.slots[controls::B_3.index()] else {
        panic!("a macro is a number");
    };
    assert_eq!(third.normalized_value_to_string(0.5, true), "0.5");
}
