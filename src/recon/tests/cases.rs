//! Every rule and every disposition, with the readings that the rules leave open.

use std::collections::BTreeSet;

use super::super::Rule;
use super::world::{World, check};

// Rule 1: assignment.

#[test]
fn an_order_id_assigns_in_any_case_even_when_plate_and_time_disagree() {
    check(
        "order Park-A 渝A00001 08:00-10:00 fee 10 cash 0 => settled 3a p1
         pay p1 order pARK-a plate 渝A00009 10 23:00 => settled 3a Park-A",
    );
}

#[test]
fn an_order_id_without_such_an_order_never_falls_back_to_the_plate() {
    check(
        "order A 渝A00001 08:00-10:00 fee 10 cash 0 => payment_missing 5
         pay p1 order X plate 渝A00001 10 09:00 => order_not_found 7
         pay p2 order Y plate 渝A00001 10 09:00 missing => unverifiable 7",
    );
}

#[test]
fn a_notification_assigns_before_the_order_id_unless_it_is_void() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => notified 4 p1
         order B - 08:00-10:00 fee 10 cash 0 => payment_missing 5
         pay p1 order B 10 09:00 => notified 4 A
         note p1 A 10 confirmed",
    );
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => written_off 4 p1
         order B - 08:00-10:00 fee 10 cash 0 => written_off 4 p1
         pay p1 order B 10 09:00 => written_off 4 B
         note p1 A 10 void",
    );
}

#[test]
fn a_planned_notification_for_an_order_that_is_gone_finds_nothing() {
    check(
        "order A 渝A00001 08:00- fee 10 left 10 => unpaid 5
         pay p1 plate 渝A00001 10 09:00 => order_not_found 7
         note p1 X 10 planned",
    );
    check(
        "pay p1 plate 渝A00001 10 09:00 => notify_unknown 4
         note p1 X 10 unknown",
    );
}

#[test]
fn plate_and_amount_find_the_one_stay_around_the_payment() {
    check(
        "order A 渝A00001 08:00-10:00 fee 12 cash 2 => settled 3a p1
         order B 渝A00001 10:31-12:00 fee 10 cash 0 => payment_missing 5
         order C 渝A00001 08:00-10:00 fee 11 cash 0 => payment_missing 5
         order D 渝A00002 08:00-10:00 fee 10 cash 0 => payment_missing 5
         pay p1 plate 渝A00001 10 10:30 => settled 3a A",
    );
    check(
        "order A 渝A00001 08:00- fee 12 left 10 => amount_mismatch 3c p1
         order B 渝A00001 08:00- fee 12 left 9 => notify_due 3b p2
         pay p1 plate 渝A00001 11 23:59 back 1 => amount_mismatch 3c A
         pay p2 plate 渝A00001 9 23:59 => notify_due 3b B
         due p2 B",
    );
}

#[test]
fn the_stay_begins_with_the_entrance_and_ends_with_the_grace() {
    for (time, disposition) in [("07:59:59", false), ("08:00", true), ("10:30", true), ("10:30:01", false)] {
        let (order, pay) =
            if disposition { ("settled 3a p1", "settled 3a A") } else { ("payment_missing 5", "order_not_found 7") };
        check(&format!(
            "order A 渝A00001 08:00-10:00 fee 10 cash 0 => {order}
             pay p1 plate 渝A00001 10 {time} => {pay}"
        ));
    }
}

#[test]
fn one_payment_and_two_stays_are_ambiguous() {
    check(
        "order A 渝A00001 08:00-10:00 fee 10 cash 0 => ambiguous 1c
         order B 渝A00001 09:00-11:00 fee 10 cash 0 => ambiguous 1c
         order C 渝A00001 11:00-12:00 fee 10 cash 0 => payment_missing 5
         pay p1 plate 渝A00001 10 09:30 => ambiguous 1c",
    );
}

#[test]
fn two_payments_and_one_stay_are_ambiguous_and_so_is_the_neighbour_one_of_them_fits() {
    check(
        "order A 渝A00001 08:00-10:00 fee 10 cash 0 => ambiguous 1c
         order B 渝A00001 09:30-11:00 fee 10 cash 0 => ambiguous 1c
         order C 渝A00001 09:30-11:00 fee 10 cash 0 => settled 3a p3
         pay p1 plate 渝A00001 10 08:30 => ambiguous 1c
         pay p2 plate 渝A00001 10 10:15 => ambiguous 1c
         pay p3 order C 10 10:15 => settled 3a C",
    );
}

#[test]
fn an_order_that_has_a_payment_is_no_candidate_even_when_that_was_given_back() {
    check(
        "order A 渝A00001 08:00-10:00 fee 10 cash 0 => refunded_after_settlement 2 p1
         pay p1 order A 10 09:00 back 10 => refunded_after_settlement 2 A
         pay p2 plate 渝A00001 10 09:00 => order_not_found 7",
    );
    check(
        "order A 渝A00001 08:00-10:00 fee 10 cash 0 => notified 4
         note - A 10 confirmed
         pay p2 plate 渝A00001 10 09:00 => order_not_found 7",
    );
}

#[test]
fn without_order_id_and_plate_there_is_nothing_to_look_for() {
    check(
        "pay p1 10 09:00 => order_not_found 7
         pay p2 10 09:00 missing => unverifiable 7",
    );
}

#[test]
fn payments_in_conflict_are_assigned_to_nothing_and_taint_an_order_that_has_no_other() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => conflicting_record 1 p1
         order B - 08:00-10:00 fee 10 cash 0 => settled 3a p4
         order C - 08:00- fee 10 left 10 => conflicting_record 1 p3
         pay p1 order A 10 09:00 conflict => conflicting_record 1
         pay p2 order A 11 09:30 conflict => conflicting_record 1
         pay p3 order C 10 09:00 conflict => conflicting_record 1
         pay p4 order B 10 09:00 => settled 3a B
         pay p5 order B 10 09:00 conflict => conflicting_record 1
         pay p6 10 09:00 conflict back 10 => conflicting_record 1
         note p3 C 10 planned",
    );
}

#[test]
fn an_order_named_in_conflict_can_still_be_found_by_plate_and_is_never_called_ambiguous() {
    check(
        "order A 渝A00001 08:00-10:00 fee 10 cash 0 => settled 3a p2
         pay p1 order A 10 09:00 conflict => conflicting_record 1
         pay p2 plate 渝A00001 10 09:00 => settled 3a A",
    );
    check(
        "order A 渝A00001 08:00-10:00 fee 10 cash 0 => conflicting_record 1 p1
         pay p1 order A 10 09:00 conflict => conflicting_record 1
         pay p2 plate 渝A00001 10 09:00 => ambiguous 1c
         pay p3 plate 渝A00001 10 09:01 => ambiguous 1c",
    );
}

// Rule 2: refunds.

#[test]
fn a_payment_given_back_in_full_is_refunded_with_or_without_its_order() {
    check(
        "order A - 08:00- fee 10 left 10 => unpaid 5
         order B - 08:00-10:00 fee 10 cash 10 => cash 5
         order C - 08:00-10:00 fee 0 cash 0 => free 5
         pay p1 order A 10 09:00 back 10 => refunded 2 A
         pay p2 order B 10 09:00 back 10 => refunded 2 B
         pay p3 order C 10 09:00 back 10 => refunded 2 C
         pay p4 order X 10 09:00 back 10 => refunded 2
         pay p5 plate 渝A00001 10 09:00 back 10 missing => refunded 2",
    );
}

#[test]
fn a_booking_that_only_a_refunded_payment_explains_is_refunded_after_settlement() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => refunded_after_settlement 2 p1
         pay p2 order A 10 09:30 back 10 => refunded_after_settlement 2 A
         pay p1 order A 10 09:00 back 10 => refunded_after_settlement 2 A
         order B - 08:00-10:00 fee 10 cash 0 => settled 3a p4
         pay p3 order B 10 09:00 back 10 => refunded 2 B
         pay p4 order B 10 09:30 => settled 3a B",
    );
}

#[test]
fn a_wrong_amount_beside_it_does_not_explain_the_booking_but_an_acknowledged_one_does() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => refunded_after_settlement 2 p1
         pay p1 order A 10 09:00 back 10 => refunded_after_settlement 2 A
         pay p2 order A 7 09:30 => amount_mismatch 3c A",
    );
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => notified 4
         pay p1 order A 10 09:00 back 10 => refunded 2 A
         note - A 10 acknowledged",
    );
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => notify_held 4 p2
         pay p1 order A 10 09:00 back 10 => refunded_after_settlement 2 A
         pay p2 order A 7 09:30 => notify_held 4 A
         note p2 A 7 held",
    );
}

#[test]
fn more_given_back_than_paid_is_a_mismatch() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => amount_mismatch 2 p1
         pay p1 order A 10 09:00 back 11 => amount_mismatch 2 A
         pay p2 10 09:00 back 11 missing => amount_mismatch 2
         order B - 08:00-10:00 fee 0 cash 0 => amount_mismatch 2 p4
         pay p3 order B 10 08:00 back 10 => refunded 2 B
         pay p4 order B 10 09:00 back 11 => amount_mismatch 2 B",
    );
}

// Rule 3: settled, due, the rest.

#[test]
fn a_part_given_back_counts_by_what_is_left() {
    check(
        "order A - 08:00-10:00 fee 10 cash 2 => settled 3a p1
         pay p1 order A 12 09:00 back 4 => settled 3a A",
    );
}

#[test]
fn the_first_payments_that_add_up_to_the_booking_are_settled() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => settled 3a p1
         pay p3 order A 5 09:40 => duplicate_payment 3c A
         pay p2 order A 4 09:30 => settled 3a A
         pay p1 order A 6 09:30 => settled 3a A",
    );
}

#[test]
fn else_the_first_that_equals_the_booking_is_settled() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => settled 3a p2
         pay p1 order A 3 09:00 => duplicate_payment 3c A
         pay p2 order A 10 09:30 => settled 3a A
         pay p3 order A 10 09:40 => duplicate_payment 3c A",
    );
}

#[test]
fn what_is_due_is_paid_once_by_the_first_without_any_refund() {
    check(
        "order A - 08:00- fee 10 left 10 => notify_due 3b p3
         pay p1 order A 10 08:30 pending => duplicate_payment 3c A
         pay p2 order A 11 08:40 back 1 => duplicate_payment 3c A
         pay p3 order A 10 09:00 => notify_due 3b A
         pay p4 order A 10 09:30 => duplicate_payment 3c A
         due p3 A",
    );
    check(
        "order A - 08:00- fee 10 left 10 => amount_mismatch 3c p1
         pay p1 order A 10 08:30 pending => amount_mismatch 3c A",
    );
}

#[test]
fn one_is_settled_and_another_due_on_the_same_order() {
    check(
        "order A - 08:00- fee 15 left 5 => notify_due 3b p2
         pay p1 order A 10 09:00 => settled 3a A
         pay p2 order A 5 11:00 => notify_due 3b A
         pay p3 order A 5 11:30 => duplicate_payment 3c A
         due p2 A",
    );
}

#[test]
fn due_payments_come_oldest_first_then_by_id_and_a_planned_one_is_among_them() {
    check(
        "order A - 08:00- fee 5 left 5 => notify_due 3b p1
         order B - 08:00- fee 5 left 5 => notify_due 3b p2
         order C - 08:00- fee 5 left 5 => notify_due 3b p3
         pay p1 order A 5 11:00 => notify_due 3b A
         pay p3 order C 5 10:00 => notify_due 3b C
         pay p2 order B 5 10:00 => notify_due 3b B
         note p3 C 5 planned
         due p2 B
         due p3 C
         due p1 A",
    );
}

#[test]
fn paying_again_in_cash_is_paid_twice() {
    check(
        "order A - 08:00-10:00 fee 10 cash 10 => paid_twice 3c p1
         pay p1 order A 10 09:00 => paid_twice 3c A
         pay p2 order A 3 09:30 => paid_twice 3c A",
    );
}

#[test]
fn what_fits_neither_booking_nor_due_is_a_mismatch_to_the_cent() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => amount_mismatch 3c p1
         order B - 08:00- fee 10 left 10 => amount_mismatch 3c p2
         order C - 08:00-10:00 fee 0 cash 0 => amount_mismatch 3c p3
         order D - 08:00-10:00 fee 10 cash 4 => amount_mismatch 3c p4
         pay p1 order A 9.99 09:00 => amount_mismatch 3c A
         pay p2 order B 10.01 09:00 => amount_mismatch 3c B
         pay p3 order C 1 09:00 => amount_mismatch 3c C
         pay p4 order D 10 09:00 => amount_mismatch 3c D",
    );
}

// Rules 4 and 6: notifications.

#[test]
fn the_state_of_a_notification_is_the_disposition_of_payment_and_order() {
    for (state, disposition) in [
        ("sending", "notify_unknown"),
        ("unknown", "notify_unknown"),
        ("held", "notify_held"),
        ("rejected", "notify_rejected"),
        ("acknowledged", "notified"),
        ("confirmed", "notified"),
        ("void", "written_off"),
    ] {
        for flags in ["", "conflict", "back 10"] {
            let order = if state == "void" && flags == "conflict" { "" } else { " A" };
            check(&format!(
                "order A - 08:00- fee 10 left 10 => {disposition} 4 p1
                 pay p1 order A 10 09:00 {flags} => {disposition} 4{order}
                 note p1 A 10 {state}"
            ));
        }
    }
}

#[test]
fn a_payment_that_was_told_of_takes_its_place_before_older_ones() {
    check(
        "order A - 08:00- fee 10 left 0 => notified 4 p2
         pay p1 order A 10 09:00 => duplicate_payment 3c A
         pay p2 order A 10 10:00 => notified 4 A
         note p2 A 10 acknowledged",
    );
}

#[test]
fn an_order_takes_the_most_pressing_of_its_notifications() {
    check(
        "order A - 08:00- fee 30 left 10 => notify_unknown 4 p3
         pay p1 order A 10 09:00 => notified 4 A
         pay p2 order A 10 10:00 => notify_rejected 4 A
         pay p3 order A 10 11:00 => notify_unknown 4 A
         pay p4 order A 10 12:00 => notify_held 4 A
         note p1 A 10 confirmed
         note p2 A 10 rejected
         note p3 A 10 unknown
         note p4 A 10 held",
    );
    check(
        "order A - 08:00- fee 20 left 0 => notified 4 p1
         pay p1 order A 10 09:00 => notified 4 A
         pay p2 order A 10 10:00 => notified 4 A
         note p2 A 10 acknowledged
         note p1 A 10 acknowledged",
    );
}

#[test]
fn a_payment_too_old_to_be_read_still_accounts_for_its_booking() {
    check(
        "order A - 08:00- fee 20 left 10 => notified 4
         pay p1 order A 10 09:00 => notify_due 3b A
         note - A 10 confirmed
         due p1 A",
    );
    check(
        "order A - 08:00- fee 10 left 10 => notify_due 3b
         pay p1 order A 10 09:00 => duplicate_payment 3c A
         note - A 10 planned",
    );
}

#[test]
fn a_closed_order_that_books_less_than_was_acknowledged_lost_a_notification() {
    check(
        "order A - 08:00-10:00 fee 10 cash 10 => notification_lost 6 p1
         order B - 08:00-10:00 fee 20 cash 10 => notification_lost 6 p2
         order C - 08:00-10:00 fee 20 cash 15 => notification_lost 6 p4
         order D - 08:00- fee 10 left 10 => notified 4 p6
         order E - 08:00-10:00 fee 10 cash 10 => notify_held 4 p7
         pay p1 order A 10 09:00 => notification_lost 6 A
         pay p2 order B 10 09:00 => notification_lost 6 B
         pay p3 order B 10 10:00 => notified 4 B
         pay p4 order C 10 09:00 => notification_lost 6 C
         pay p5 order C 10 10:00 => notification_lost 6 C
         pay p6 order D 10 09:00 => notified 4 D
         pay p7 order E 10 09:00 => notify_held 4 E
         pay p8 order E 10 10:00 => notification_lost 6 E
         note p1 A 10 acknowledged
         note p2 B 10 acknowledged
         note p3 B 10 confirmed
         note p4 C 10 acknowledged
         note p5 C 10 confirmed
         note p6 D 10 acknowledged
         note p7 E 10 held
         note p8 E 10 acknowledged",
    );
}

// Rules 5 and 7: orders without payments.

#[test]
fn an_order_without_payment_is_what_its_figures_say() {
    check(
        "order A - 08:00-10:00 fee 10 cash 0 => payment_missing 5
         order B - 08:00-10:00 fee 10 cash 9.99 => payment_missing 5
         order C - 08:00-10:00 fee 10 cash 10 => cash 5
         order D - 08:00-10:00 fee 0 cash 0 => free 5
         order E - 08:00- fee 10 left 10 => unpaid 5
         order F - 08:00- fee 10 left 0 => unpaid 5
         order G - 08:00- fee 10 left 10 vanished => vanished 5
         order H - 08:00-10:00 fee 10 cash 0 missing => unverifiable 7
         order I - 08:00-10:00 fee 10 cash 10 missing => cash 5",
    );
}

#[test]
fn a_vanished_order_is_open_to_the_rules_and_vanished_only_when_nothing_else_applies() {
    check(
        "order A 渝A00001 08:00- fee 10 left 10 vanished => notify_due 3b p1
         order B - 08:00- fee 10 left 10 vanished => amount_mismatch 3c p2
         order C - 08:00- fee 10 left 10 vanished => conflicting_record 1 p3
         order D - 08:00- fee 10 left 10 vanished => vanished 5
         pay p1 plate 渝A00001 10 09:00 => notify_due 3b A
         pay p2 order B 9 09:00 => amount_mismatch 3c B
         pay p3 order C 9 09:00 conflict => conflicting_record 1
         pay p4 order D 9 09:00 back 9 => refunded 2 D
         due p1 A",
    );
}

#[test]
fn nothing_at_all_is_an_outcome() {
    check("");
}

#[test]
fn many_equal_stays_of_one_plate_are_ambiguous_where_the_grace_makes_them_overlap() {
    let order = |n: u32| {
        let (h, m) = (n / 20, n % 20 * 3);
        format!("order A{n:03} 渝A00001 {h:02}:{m:02}:00-{h:02}:{:02}:00 fee 5 cash 0\n", m + 1)
    };
    let mut text: String = (0..300).map(order).collect();
    // Of stays of one minute, three minutes apart, eleven are within the grace of one payment.
    text += "pay p1 plate 渝A00001 5 00:30\n";
    let world = World::parse(&text);
    let outcome = world.with_input(super::super::reconcile);
    let ambiguous = outcome.orders.iter().filter(|o| o.rule == Rule::Ambiguous).count();
    assert_eq!(ambiguous, 11);
}

#[test]
fn every_rule_says_one_sentence_in_both_languages() {
    let english: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.english()).collect();
    let chinese: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.chinese()).collect();
    assert_eq!((english.len(), chinese.len()), (Rule::ALL.len(), Rule::ALL.len()));
    assert!(english.iter().all(|text| text.ends_with('.') && text.matches(". ").count() == 0));
    assert!(chinese.iter().all(|text| text.ends_with('。') && text.matches('。').count() == 1));
}
