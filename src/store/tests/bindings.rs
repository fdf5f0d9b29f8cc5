//! What was asked by hand: noted before, its outcome after, the roster with it.

use super::*;
use crate::etcp::LimitError;
use crate::etcp::limits::{BindingAct, BindingOutcome};

const PHONE: &str = "13800000001";
const OTHER: &str = "13900000002";

fn mobile(text: &str) -> Mobile {
    Mobile::parse(text).unwrap()
}

fn plate(text: &str) -> Plate {
    Plate::parse(text).unwrap()
}

/// Asks, with that outcome.
fn ask(scratch: &mut Scratch, act: BindingAct, phone: &str, number: &str, outcome: BindingOutcome) {
    let color = (act == BindingAct::Bind).then_some(2);
    let id = scratch.store.begin_binding(act, &mobile(phone), &plate(number), color, at(5)).unwrap();
    scratch.store.end_binding(id, outcome).unwrap();
}

fn roster(scratch: &Scratch) -> Vec<(String, String, u8)> {
    let entries = scratch.store.roster().unwrap().into_iter();
    entries.map(|e| (e.plate.to_string(), e.mobile.expose().to_owned(), e.color)).collect()
}

#[test]
fn a_code_is_noted_once_a_minute_for_a_phone_whoever_asks() {
    let mut scratch = Scratch::new();
    let mut beside = scratch.store.beside().unwrap();
    let phone = mobile(PHONE);
    assert_eq!(scratch.store.note_sms_code(&phone, at(0)).unwrap(), Ok(()));
    let wait = LimitError::SmsTooSoon { wait_s: 59 };
    assert_eq!(beside.note_sms_code(&phone, at(1)).unwrap(), Err(wait));
    assert_eq!(beside.note_sms_code(&mobile(OTHER), at(1)).unwrap(), Ok(()));
    assert_eq!(beside.note_sms_code(&phone, at(60)).unwrap(), Ok(()), "a refused request is not noted");
    scratch.store.drop_sms_code(&phone, at(0)).unwrap();
    assert!(scratch.store.note_sms_code(&phone, at(61)).unwrap().is_err(), "only the request that is named is dropped");
    scratch.store.drop_sms_code(&phone, at(60)).unwrap();
    assert_eq!(scratch.store.note_sms_code(&phone, at(61)).unwrap(), Ok(()));
}

#[test]
fn a_plate_that_was_bound_is_in_the_roster_with_its_one_user() {
    let mut scratch = Scratch::new();
    ask(&mut scratch, BindingAct::Bind, PHONE, "渝A00001", BindingOutcome::Done);
    assert_eq!(roster(&scratch), [("渝A00001".to_owned(), PHONE.to_owned(), 2)]);
    ask(&mut scratch, BindingAct::Bind, OTHER, "渝A00001", BindingOutcome::Done);
    assert_eq!(roster(&scratch), [("渝A00001".to_owned(), OTHER.to_owned(), 2)]);
    ask(&mut scratch, BindingAct::Unbind, PHONE, "渝A00001", BindingOutcome::Done);
    assert_eq!(roster(&scratch).len(), 1, "it is another user's now");
    ask(&mut scratch, BindingAct::Unbind, OTHER, "渝A00001", BindingOutcome::Done);
    assert!(roster(&scratch).is_empty());
}

#[test]
fn what_was_not_done_leaves_the_roster_alone() {
    let mut scratch = Scratch::new();
    ask(&mut scratch, BindingAct::Bind, PHONE, "渝A00001", BindingOutcome::Done);
    for outcome in [BindingOutcome::Refused, BindingOutcome::NotSent, BindingOutcome::Unknown] {
        ask(&mut scratch, BindingAct::Bind, PHONE, "渝A00002", outcome);
        ask(&mut scratch, BindingAct::Unbind, PHONE, "渝A00001", outcome);
        assert_eq!(roster(&scratch).len(), 1, "{outcome:?}");
    }
    let past = scratch.store.bindings(&mobile(PHONE)).unwrap();
    assert_eq!(past.len(), 7);
    assert_eq!(past[0].plate, plate("渝A00001"));
    assert_eq!(past[5].outcome, BindingOutcome::Unknown);
    assert!(scratch.store.bindings(&mobile(OTHER)).unwrap().is_empty());
}

#[test]
fn an_act_without_an_outcome_is_unknown_and_an_outcome_comes_once() {
    let mut scratch = Scratch::new();
    let (phone, number) = (mobile(PHONE), plate("渝A00001"));
    let id = scratch.store.begin_binding(BindingAct::Bind, &phone, &number, Some(1), at(5)).unwrap();
    let reopened = Store::open(&scratch.path()).unwrap();
    assert_eq!(reopened.bindings(&phone).unwrap()[0].outcome, BindingOutcome::Unknown);
    scratch.store.end_binding(id, BindingOutcome::Refused).unwrap();
    assert!(matches!(scratch.store.end_binding(id, BindingOutcome::Done), Err(StoreError::Refused(_))));
    assert!(roster(&scratch).is_empty());
}

#[test]
fn an_act_that_cannot_be_is_refused_by_the_database() {
    let mut scratch = Scratch::new();
    let (phone, number) = (mobile(PHONE), plate("渝A00001"));
    for (act, color) in [(BindingAct::Bind, None), (BindingAct::Bind, Some(5)), (BindingAct::Unbind, Some(1))] {
        assert!(scratch.store.begin_binding(act, &phone, &number, color, at(5)).is_err(), "{act:?} {color:?}");
    }
}
