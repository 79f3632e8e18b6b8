//! A parameter sink for tests: a table of values that notes every gesture.

use super::ParamSink;
use crate::engine::ControlId;
use std::cell::RefCell;

/// What a sink was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Told {
    Begin(ControlId),
    Set(ControlId, f64),
    End(ControlId),
    Touch,
    Play(bool),
}

/// Values by control, and what was told, in order.
pub(super) struct Table {
    values: RefCell<Vec<f64>>,
    pub(super) told: RefCell<Vec<Told>>,
}

impl Default for Table {
    fn default() -> Self {
        let values = ControlId::all()
            .map(|id| id.control().default_value())
            .collect();
        Table {
            values: RefCell::new(values),
            told: RefCell::default(),
        }
    }
}

impl ParamSink for Table {
    fn value(&self, control: ControlId) -> f64 {
        self.values.borrow()[control.index()]
    }

    fn begin(&self, control: ControlId) {
        self.told.borrow_mut().push(Told::Begin(control));
    }

    fn set(&self, control: ControlId, value: f64) {
        self.values.borrow_mut()[control.index()] = value;
        self.told.borrow_mut().push(Told::Set(control, value));
    }

    fn end(&self, control: ControlId) {
        self.told.borrow_mut().push(Told::End(control));
    }

    fn touch(&self) {
        self.told.borrow_mut().push(Told::Touch);
    }

    fn play(&self, play: bool) {
        self.told.borrow_mut().push(Told::Play(play));
    }
}
