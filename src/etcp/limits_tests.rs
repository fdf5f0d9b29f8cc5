//! Each limit at its edge, and what counts towards the plates of a phone.

use super::BindingAct::{Bind, Unbind};
use super::BindingOutcome::{Done, NotSent, Refused, Unknown};
use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_wall(text).unwrap()
}

fn now() -> Timestamp {
    at("2026-11-23 10:30:00")
}

fn number(n: u32) -> Plate {
    Plate::parse(&format!("渝A0000{n}")).unwrap()
}

fn phone() -> Mobile {
    Mobile::parse("13800000001").unwrap()
}

/// Acts on the plates with these numbers, a second apart.
fn past(acts: &[(BindingAct, u32, BindingOutcome)]) -> Vec<PastBinding> {
    let act = |(second, (act, n, outcome)): (i64, &(BindingAct, u32, BindingOutcome))| PastBinding {
        act: *act,
        plate: number(*n),
        asked_at: now().plus_s(-1000).plus_s(second),
        outcome: *outcome,
    };
    (0..).zip(acts).map(act).collect()
}

fn may_bind(acts: &[(BindingAct, u32, BindingOutcome)], n: u32, roster: &[u32]) -> Result<(), LimitError> {
    let roster: Vec<Plate> = roster.iter().copied().map(number).collect();
    BoundPlates::of(&past(acts), now()).may_bind(&phone(), &number(n), &roster)
}

#[test]
fn a_phone_is_sent_one_code_a_minute() {
    assert_eq!(sms_code(None, now()), Ok(()));
    for (ago_s, wait_s) in [(0, 60), (1, 59), (59, 1), (-5, 60), (-59, 60)] {
        assert_eq!(sms_code(Some(now().plus_s(-ago_s)), now()), Err(LimitError::SmsTooSoon { wait_s }), "{ago_s}");
    }
    for ago_s in [60, 61, 1_000_000, -60, -1_000_000] {
        assert_eq!(sms_code(Some(now().plus_s(-ago_s)), now()), Ok(()), "{ago_s}");
    }
}

#[test]
fn a_phone_has_three_plates_at_once() {
    let three = [(Bind, 1, Done), (Bind, 2, Unknown), (Bind, 3, Done)];
    let plates = vec![number(1), number(2), number(3)];
    assert_eq!(may_bind(&three, 4, &[]), Err(LimitError::PlatesAtOnce { mobile: phone(), plates: plates.clone() }));
    assert_eq!(may_bind(&three[..2], 4, &[3]), Err(LimitError::PlatesAtOnce { mobile: phone(), plates }));
    assert_eq!(may_bind(&three, 2, &[]), Ok(()), "the same plate again adds nothing");
    assert_eq!(may_bind(&three[..2], 3, &[1, 2]), Ok(()), "a plate in the roster is not counted twice");
    for acts in [[(Bind, 3, Refused)], [(Bind, 3, NotSent)]] {
        assert_eq!(may_bind(&[&three[..2], &acts].concat(), 4, &[]), Ok(()));
    }
    let unbound = [three.as_slice(), &[(Unbind, 1, Done)]].concat();
    assert_eq!(may_bind(&unbound, 4, &[]), Ok(()));
    let perhaps = [three.as_slice(), &[(Unbind, 1, Unknown)]].concat();
    assert!(may_bind(&perhaps, 4, &[]).is_err(), "nobody knows whether it is unbound");
}

#[test]
fn a_plate_that_the_platform_does_not_unbind_is_not_counted_until_it_is_bound_again() {
    let acts = [(Bind, 1, Unknown), (Bind, 2, Done), (Unbind, 1, Refused), (Unbind, 2, Refused), (Unbind, 3, Refused)];
    let found = BoundPlates::of(&past(&acts), now());
    assert!(found.perhaps.is_empty() && found.bound.is_empty());
    assert_eq!(found.doubted, BTreeSet::from([number(1), number(2), number(3)]));
    assert_eq!(may_bind(&acts, 4, &[1, 2, 3]), Ok(()), "nor as one of the roster");
    for (again, is_counted) in [(Done, true), (Unknown, true), (Refused, false), (NotSent, false)] {
        let acts = [acts.as_slice(), &[(Bind, 2, again)]].concat();
        let found = BoundPlates::of(&past(&acts), now());
        assert_eq!(found.bound.contains(&number(2)) || found.perhaps.contains(&number(2)), is_counted, "{again:?}");
        assert_eq!(found.doubted.contains(&number(2)), !is_counted, "{again:?}");
    }
}

#[test]
fn a_phone_has_four_different_plates_a_month() {
    let four = [
        (Bind, 1, Done),
        (Unbind, 1, Done),
        (Bind, 2, Unknown),
        (Unbind, 2, Done),
        (Bind, 3, Done),
        (Unbind, 3, Done),
        (Bind, 4, Done),
        (Unbind, 4, Done),
    ];
    let plates = vec![number(1), number(2), number(3), number(4)];
    assert_eq!(may_bind(&four, 5, &[]), Err(LimitError::PlatesAMonth { mobile: phone(), plates }));
    assert_eq!(may_bind(&four, 3, &[]), Ok(()), "not a different one");
    assert_eq!(may_bind(&four[..6], 5, &[]), Ok(()));
}

#[test]
fn the_month_is_the_calendar_month_in_shanghai() {
    let bound_at = |text: &str| {
        let one = |n| PastBinding { act: Bind, plate: number(n), asked_at: at(text), outcome: Done };
        let gone = |n| PastBinding { act: Unbind, ..one(n) };
        (1..=4).flat_map(|n| [one(n), gone(n)]).collect::<Vec<_>>()
    };
    let may = |text: &str, now: &str| BoundPlates::of(&bound_at(text), at(now)).may_bind(&phone(), &number(5), &[]);
    assert_eq!(may("2026-10-31 23:59:59", "2026-11-01 00:00:00"), Ok(()));
    assert!(may("2026-11-01 00:00:00", "2026-11-30 23:59:59").is_err());
    assert_eq!(may("2025-11-23 10:00:00", "2026-11-23 10:30:00"), Ok(()));
}

#[test]
fn what_a_person_types_is_read_and_a_phone_number_is_never_shown() {
    assert_eq!(mobile("138 0000 0001"), Ok(phone()));
    assert_eq!(plate("渝 a00001"), Ok(number(1)));
    for (text, color) in [("1", 1), ("black", 2), ("黄", 3), (" White ", 4)] {
        assert_eq!(plate_color(text), Ok(color));
    }
    for text in ["0", "5", "green", "", "１"] {
        assert_eq!(plate_color(text), Err(LimitError::Color), "{text}");
    }
    let errors = [mobile("1380000000").unwrap_err(), plate("13800000001").unwrap_err(), plate("渝****87").unwrap_err()];
    for error in errors {
        for in_chinese in [false, true] {
            assert!(!error.text(in_chinese).contains("1380000000"), "{error}");
        }
    }
}

#[test]
fn each_message_names_its_limit_in_both_languages() {
    let plates = vec![number(1)];
    let errors = [
        (LimitError::Mobile { digits: 3 }, "11"),
        (LimitError::Plate { shown: None }, "7"),
        (LimitError::Plate { shown: Some("X".to_owned()) }, "8"),
        (LimitError::Color, "4"),
        (LimitError::Latitude, "90"),
        (LimitError::Longitude, "180"),
        (LimitError::Radius { radius_m: 1 }, "500"),
        (LimitError::City, "北京市"),
        (LimitError::LotId, "128"),
        (LimitError::SmsTooSoon { wait_s: 7 }, "7"),
        (LimitError::PlatesAtOnce { mobile: phone(), plates: plates.clone() }, "3"),
        (LimitError::PlatesAMonth { mobile: phone(), plates }, "4"),
    ];
    for (error, word) in errors {
        let (english, chinese) = (error.text(false), error.text(true));
        assert!(english.contains(word) && chinese.contains(word), "{english}\n{chinese}");
        assert_ne!(english, chinese);
        assert!(!format!("{error:?}{english}{chinese}").contains("13800000001"));
    }
}

#[test]
fn of_many_plates_the_first_are_named() {
    let error = LimitError::PlatesAtOnce { mobile: phone(), plates: (1..=6).map(number).collect() };
    assert!(error.text(false).contains("渝A00005, …") && !error.text(false).contains("渝A00006"));
}
