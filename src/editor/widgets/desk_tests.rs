//! What a host is told of controls that are held, one or two at a time.

use super::super::testing::{Table, Told};
use super::*;
use crate::engine::controls::{AZIMUTH, DISTANCE, WIDTH};

fn at_desk(table: &Table, hand: &mut Hand, now: f64, work: impl FnOnce(&mut Desk)) -> Vec<Told> {
    let link = Link::default();
    work(&mut Desk {
        hand,
        sink: table,
        link: &link,
        now,
    });
    std::mem::take(&mut *table.told.borrow_mut())
}

#[test]
fn two_controls_of_one_drag_begin_and_end_each_once() {
    let (table, mut hand) = (Table::default(), Hand::default());
    let told = at_desk(&table, &mut hand, 0.0, |desk| {
        desk.take_all(&[AZIMUTH, DISTANCE]);
        for step in [10.0, 20.0] {
            desk.take_all(&[AZIMUTH, DISTANCE]);
            desk.change(AZIMUTH, step);
            desk.change(DISTANCE, 0.1 * step);
        }
        assert!(desk.holds(AZIMUTH) && desk.holds(DISTANCE) && !desk.holds(WIDTH));
        assert_eq!((desk.value(AZIMUTH), desk.value(DISTANCE)), (20.0, 2.0));
        desk.release();
        desk.release();
    });
    assert_eq!(
        told,
        [
            Told::Begin(AZIMUTH),
            Told::Begin(DISTANCE),
            Told::Set(AZIMUTH, 10.0),
            Told::Set(DISTANCE, 1.0),
            Told::Set(AZIMUTH, 20.0),
            Told::Set(DISTANCE, 2.0),
            Told::End(AZIMUTH),
            Told::End(DISTANCE),
        ]
    );
}

#[test]
fn another_hold_ends_both_of_the_one_before() {
    let (table, mut hand) = (Table::default(), Hand::default());
    let told = at_desk(&table, &mut hand, 0.0, |desk| {
        desk.take_all(&[AZIMUTH, DISTANCE]);
        desk.take(WIDTH);
    });
    let ends = [Told::End(AZIMUTH), Told::End(DISTANCE)];
    assert_eq!(told[2..4], ends);
    assert_eq!(told[4..], [Told::Begin(WIDTH)]);
    let told = {
        hand.release(&table);
        std::mem::take(&mut *table.told.borrow_mut())
    };
    assert_eq!(told, [Told::End(WIDTH)]);
}

#[test]
fn both_values_outlast_a_host_that_is_late() {
    let (table, mut hand) = (Table::default(), Hand::default());
    at_desk(&table, &mut hand, 0.0, |desk| {
        desk.take_all(&[AZIMUTH, DISTANCE]);
        desk.change(AZIMUTH, 30.0);
        desk.change(DISTANCE, 3.0);
        desk.release();
    });
    // The host still reports what was before.
    table.set(AZIMUTH, 0.0);
    table.set(DISTANCE, 1.5);
    at_desk(&table, &mut hand, 0.5 * ECHO, |desk| {
        assert_eq!((desk.value(AZIMUTH), desk.value(DISTANCE)), (30.0, 3.0));
    });
    at_desk(&table, &mut hand, 2.0 * ECHO, |desk| {
        assert_eq!((desk.value(AZIMUTH), desk.value(DISTANCE)), (0.0, 1.5));
    });
}
