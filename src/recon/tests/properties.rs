//! Properties over small random worlds in which everything happens: few ids, few plates, few amounts, so that they collide.

use proptest::prelude::*;

use super::super::*;
use super::naive;
use super::world::World;
use crate::model::{Amount, Disposition, NotificationState, OrderState, Side, Timestamp, Total};

/// Ids that orders may have; one more is named in bills without being there.
const ORDERS: usize = 5;

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![1 => Just(0_i64), 6 => 1..4_i64].prop_map(|yuan| Amount::from_fen(yuan * 100).unwrap())
}

/// A half hour of the day.
fn time() -> impl Strategy<Value = Timestamp> {
    (0..12_i64).prop_map(|n| Timestamp::from_unix(n * 1800))
}

fn order(key: Key, plates: [Key; 2]) -> impl Strategy<Value = OrderRow> {
    let state = (amount(), amount(), any::<bool>()).prop_map(|(a, b, open)| {
        let (fee, part) = (a.max(b), a.min(b));
        if open { OrderState::Open { fee, remaining: part } } else { OrderState::Closed { fee, cash: part } }
    });
    let plate = proptest::option::weighted(0.9, proptest::sample::select(plates.to_vec()));
    (plate, time(), proptest::option::weighted(0.9, 0..7200_i64), state, 0..8_u8).prop_map(
        move |(plate, entrance_at, stay_s, state, odd)| OrderRow {
            key,
            plate,
            entrance_at,
            exit_at: stay_s.map(|stay_s| entrance_at.plus_s(stay_s)),
            state,
            vanished: odd == 0,
            missing_is_unverifiable: odd == 1,
        },
    )
}

fn payment(keys: Vec<Key>, plates: [Key; 2]) -> impl Strategy<Value = (PaymentRow, Option<NotificationRow>)> {
    let refund = prop_oneof![6 => Just(None), 1 => Just(Some(None)), 2 => amount().prop_map(|a| Some(Some(a)))];
    (
        proptest::option::weighted(0.6, proptest::sample::select(keys.clone())),
        proptest::option::weighted(0.8, proptest::sample::select(plates.to_vec())),
        amount(),
        refund,
        time(),
        0..10_u8,
        proptest::option::weighted(0.25, notification(keys)),
    )
        .prop_map(|(order, plate, gross, refund, paid_at, odd, note)| {
            let refunded = refund.flatten().unwrap_or(Amount::ZERO);
            let row = PaymentRow {
                order,
                plate,
                gross,
                refunded,
                has_refund: refund.is_some(),
                paid_at,
                conflict: odd == 0,
                missing_is_unverifiable: odd == 1,
            };
            (row, note)
        })
}

fn notification(keys: Vec<Key>) -> impl Strategy<Value = NotificationRow> {
    (proptest::sample::select(keys), amount(), proptest::sample::select(NotificationState::ALL.to_vec()))
        .prop_map(|(order, amount, state)| NotificationRow { payment: None, order, amount, state })
}

fn world() -> impl Strategy<Value = World> {
    let mut space = KeySpace::new();
    let keys: Vec<Key> = (0..=ORDERS).map(|n| space.order_key(&format!("order {n}"))).collect();
    let plates = ["渝A00001", "渝A00002"].map(|plate| space.plate_key(plate));
    let orders: Vec<_> = keys[..ORDERS].iter().map(|key| order(*key, plates)).collect();
    let payments = proptest::collection::vec(payment(keys.clone(), plates), 0..9);
    let unseen = proptest::collection::vec(notification(keys), 0..2);
    (orders, 0..=ORDERS, payments, unseen).prop_flat_map(|(mut orders, count, payments, unseen)| {
        orders.truncate(count);
        let mut world = World { orders, ..World::default() };
        world.order_ids = (0..count).map(|n| format!("order {n}")).collect();
        let mut ids = Vec::new();
        for (position, (row, note)) in payments.into_iter().enumerate() {
            world.payments.push(row);
            ids.push(format!("p{position}"));
            world.notifications.extend(note.map(|note| NotificationRow { payment: Some(index(position)), ..note }));
        }
        world.notifications.extend(unseen);
        Just(ids).prop_shuffle().prop_map(move |payment_ids| World { payment_ids, ..world.clone() })
    })
}

/// The world with its rows in another order, and where each row went.
fn shuffled() -> impl Strategy<Value = (World, World, Vec<usize>, Vec<usize>)> {
    world().prop_flat_map(|world| {
        let positions = |n: usize| Just((0..n).collect::<Vec<_>>()).prop_shuffle();
        let notes = Just(world.notifications.clone()).prop_shuffle();
        (Just(world.clone()), positions(world.payments.len()), positions(world.orders.len()), notes).prop_map(
            |(world, payments, orders, notifications)| {
                let goes_to = |old: u32| payments.iter().position(|p| *p == at(old)).map(index);
                let other = World {
                    payment_ids: payments.iter().map(|p| world.payment_ids[*p].clone()).collect(),
                    order_ids: orders.iter().map(|o| world.order_ids[*o].clone()).collect(),
                    payments: payments.iter().map(|p| world.payments[*p]).collect(),
                    orders: orders.iter().map(|o| world.orders[*o]).collect(),
                    notifications: notifications
                        .into_iter()
                        .map(|note| NotificationRow { payment: note.payment.and_then(goes_to), ..note })
                        .collect(),
                    ..World::default()
                };
                (world, other, payments, orders)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_agrees_with_the_naive_one(world in world()) {
        let outcome = world.with_input(reconcile);
        let found = naive::Answer {
            payments: outcome.payments.iter().map(|p| (p.disposition, p.order.map(at))).collect(),
            orders: outcome.orders.iter().map(|o| (o.disposition, o.payment.map(at))).collect(),
            due: outcome.due.iter().map(|d| (at(d.payment), at(d.order))).collect(),
        };
        prop_assert_eq!(found, world.with_input(naive::reconcile));
    }

    #[test]
    fn each_row_has_one_outcome_that_its_side_can_have_and_the_sums_add_up(world in world()) {
        let outcome = world.with_input(reconcile);
        prop_assert_eq!((outcome.payments.len(), outcome.orders.len()), (world.payments.len(), world.orders.len()));
        prop_assert!(outcome.payments.iter().all(|p| p.disposition.applies_to(Side::Payment)));
        prop_assert!(outcome.orders.iter().all(|o| o.disposition.applies_to(Side::Order)));

        let totals = world.with_input(|input| Totals::of(input, &outcome));
        prop_assert!(totals.tie_out(&Control::of(&world.payments, &world.orders)).holds());
        let mut by_hand = Total::default();
        for disposition in Disposition::ALL {
            by_hand.merge(totals.payments.get(*disposition));
        }
        prop_assert_eq!(by_hand.fen, world.payments.iter().map(|p| i128::from(p.gross.fen())).sum::<i128>());
    }

    #[test]
    fn the_order_of_rows_changes_nothing((world, other, payments, orders) in shuffled()) {
        let (mine, theirs) = (world.with_input(reconcile), other.with_input(reconcile));
        for (new, old) in payments.iter().enumerate() {
            let (a, b) = (mine.payments[*old], theirs.payments[new]);
            prop_assert_eq!((a.disposition, a.rule), (b.disposition, b.rule));
            prop_assert_eq!(a.order, b.order.map(|o| index(orders[at(o)])));
        }
        for (new, old) in orders.iter().enumerate() {
            let (a, b) = (mine.orders[*old], theirs.orders[new]);
            prop_assert_eq!((a.disposition, a.rule), (b.disposition, b.rule));
            prop_assert_eq!(a.payment, b.payment.map(|p| index(payments[at(p)])));
        }
        let back: Vec<Due> = theirs
            .due
            .iter()
            .map(|due| Due { payment: index(payments[at(due.payment)]), order: index(orders[at(due.order)]) })
            .collect();
        prop_assert_eq!(mine.due, back);
    }

    #[test]
    fn nothing_is_due_twice_on_an_order_nor_ever_above_what_it_costs(world in world()) {
        let outcome = world.with_input(reconcile);
        for (position, due) in outcome.due.iter().enumerate() {
            let (payment, order) = (world.payments[at(due.payment)], world.orders[at(due.order)]);
            prop_assert_eq!(payment.gross, order.state.due());
            prop_assert!(!payment.has_refund && !payment.conflict);
            prop_assert!(outcome.due[..position].iter().all(|other| other.order != due.order));
        }
    }
}
