//! `kill -9` in the middle of telling the platform: the next run books every due order exactly once.

use std::collections::BTreeMap;

use super::merchant::Merchant;

/// Every due payment stands in the ledger once, with its amount, and nothing else does.
fn assert_each_once(merchant: &Merchant) {
    let booked = merchant.booked();
    let by_id: BTreeMap<String, String> = booked.iter().cloned().collect();
    assert_eq!(by_id.len(), booked.len(), "an id was booked twice");
    assert_eq!(by_id, merchant.expected);
    assert!(merchant.server.with_world(|world| world.violations().is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_booking_the_next_run_books_each_due_order_once() {
    for (seed, after) in [(1, 1), (2, 3), (3, 5), (4, 8)] {
        let merchant = Merchant::new(seed).await;
        let mut run = merchant.start_run();
        assert!(merchant.wait_for_bookings(after, &mut run), "seed {seed} has too few bookings");
        run.kill().unwrap();
        run.wait().unwrap();
        let code = merchant.start_run().wait().unwrap().code();
        assert!(matches!(code, Some(0 | 3)), "seed {seed}: {code:?}");
        assert_each_once(&merchant);
        merchant.start_run().wait().unwrap();
        assert_each_once(&merchant);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_answer_is_awaited_the_booking_is_found_and_not_repeated() {
    let merchant = Merchant::new(5).await;
    // Books at once and answers long after the kill: the attempt is on the wire when the process dies.
    let delay = "orderpaid:delay=2s:always".parse().unwrap();
    merchant.server.with_world(|world| world.add_fault(delay));
    let mut run = merchant.start_run();
    assert!(merchant.wait_for_bookings(1, &mut run));
    run.kill().unwrap();
    run.wait().unwrap();
    merchant.server.with_world(|world| world.clear_faults());
    merchant.start_run().wait().unwrap();
    assert_each_once(&merchant);
}
