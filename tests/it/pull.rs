//! The pull over real HTTP: users apart from each other, a platform that is down, that refuses us, or that asks to be
//! left alone, tokens voided on the way, and the limits as the platform counts them.

use etcp_recon::model::Disposition::{PaymentMissing, Unpaid, Unverifiable};
use etcp_recon::model::{Mobile, Plate};
use etcp_recon::report::data::PartialReason;
use etcp_recon::sandbox::Interface;
use etcp_recon::store::{RosterPlate, RunMode, RunStatus};

use super::support::{Rig, orders};

fn mobile(number: usize) -> String {
    format!("138{number:08}")
}

fn plate(user: usize, number: usize) -> String {
    format!("渝{}{user:05}", ["A", "B"][number])
}

/// So many users with two plates each, a car inside and one that left for each user.
async fn crowd(users: usize) -> Rig {
    let rig = Rig::new().await;
    let mut roster = Vec::new();
    for user in 0..users {
        for number in 0..2 {
            let plate = Plate::parse(&plate(user, number)).unwrap();
            roster.push(RosterPlate { plate, mobile: Mobile::parse(&mobile(user)).unwrap(), color: 1 });
        }
        rig.inside_of(&mobile(user), &format!("IN-{user}"), &plate(user, 0), "5.50");
        let stay = etcp_recon::sandbox::Stay::Left {
            fee: super::support::yuan("8.00"),
            cash: super::support::yuan("0.00"),
            exit_at: super::support::at("2026-11-22 18:00:00"),
        };
        rig.order_of(&mobile(user), &format!("LEFT-{user}"), &plate(user, 1), "2026-11-22 08:00:00", stay);
    }
    rig.store().merge_roster(&roster, false).unwrap();
    rig
}

fn calls(rig: &Rig, interface: Interface) -> u64 {
    rig.server.with_world(|world| world.calls(interface))
}

/// Calls at all interfaces.
fn all_calls(rig: &Rig) -> u64 {
    Interface::ALL.iter().map(|interface| calls(rig, *interface)).sum()
}

fn reasons(finished: &etcp_recon::jobs::run::Finished) -> Vec<String> {
    finished.summary.coverage.failed.iter().map(|plate| plate.reason.clone()).collect()
}

#[tokio::test]
async fn hundreds_of_users_are_signed_in_once_each_and_never_more_are_asked_at_once_than_allowed() {
    let mut rig = crowd(300).await;
    rig.platform = "retries = 3\nmax_concurrency = 32\nmax_requests_per_second = 0".to_owned();
    // Answers take their time, so that calls are under way together.
    rig.fault("orderunpay:delay=10ms:always");
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Complete, "{:?}", finished.reasons);
    assert_eq!(finished.summary.coverage.pulled, 600);
    assert_eq!((orders(&finished, Unpaid), orders(&finished, PaymentMissing)), (300, 300));
    let stats = rig.server.stats();
    assert_eq!(stats.sign_ins_per_user_max, 1);
    assert!((2..=32).contains(&stats.max_concurrent), "{stats:?}");
    assert_eq!((stats.calls["usersignin"], stats.calls["orderunpay"], stats.calls["orderhistory"]), (300, 600, 300));
    // The tokens are kept: the next run needs no sign-in.
    rig.server.reset_stats();
    assert_eq!(rig.run().await.status, RunStatus::Complete);
    assert_eq!(rig.server.stats().calls.get("usersignin"), None);
}

#[tokio::test]
async fn neither_limit_is_exceeded_while_calls_are_repeated() {
    let mut rig = crowd(40).await;
    rig.platform = "retries = 3\nmax_concurrency = 4\nmax_requests_per_second = 120".to_owned();
    for user in 0..20 {
        for fault in ["orderunpay@M:status=503:2", "orderhistory@M:drop:1", "usersignin@M:answer=2:1"] {
            rig.fault(&fault.replace('M', &mobile(user)));
        }
    }
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Complete, "{:?}", finished.reasons);
    let stats = rig.server.stats();
    assert_eq!(all_calls(&rig), 4 * 40 + 20 * 4);
    assert!(stats.max_per_second <= 120 && stats.max_concurrent <= 4, "{stats:?}");
}

#[tokio::test]
async fn a_token_that_is_voided_elsewhere_in_the_middle_costs_one_sign_in_and_the_pull_goes_on() {
    let rig = crowd(6).await;
    for (interface, user) in [("orderunpay", 2), ("orderhistory", 4)] {
        rig.fault(&format!("{interface}@{}:expire-token:1", mobile(user)));
    }
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Complete, "{:?}", reasons(&finished));
    assert_eq!(finished.summary.coverage.pulled, 12);
    assert_eq!(calls(&rig, Interface::UserSignIn), 6 + 2);
    assert_eq!((calls(&rig, Interface::OrderUnpay), calls(&rig, Interface::OrderHistory)), (12 + 1, 6 + 1));
}

#[tokio::test]
async fn a_token_that_is_voided_again_and_again_costs_one_sign_in_more_and_that_user_alone() {
    let rig = crowd(6).await;
    assert_eq!(rig.run().await.status, RunStatus::Complete);
    rig.server.reset_stats();
    rig.fault(&format!("orderunpay@{}:expire-token:always", mobile(3)));
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Partial);
    assert_eq!(finished.summary.coverage.pulled, 10);
    assert_eq!(reasons(&finished), vec!["the token is void (code 20101)"; 2]);
    assert_eq!(calls(&rig, Interface::UserSignIn), 1, "the kept tokens served, this one's was had anew once");
    assert_eq!(calls(&rig, Interface::OrderUnpay), 10 + 2);
    // The token that was refused is not kept; the next night is a good one.
    rig.server.with_world(etcp_recon::sandbox::World::clear_faults);
    assert_eq!(rig.run().await.status, RunStatus::Complete);
    assert_eq!(calls(&rig, Interface::UserSignIn), 2);
}

#[tokio::test]
async fn what_fails_for_one_user_or_one_plate_is_in_the_coverage_and_spoils_no_other() {
    let rig = crowd(7).await;
    rig.fault(&format!("usersignin@{}:answer=20201:always", mobile(1)));
    rig.fault(&format!("orderunpay@{}:garbage:always", plate(3, 0)));
    rig.fault(&format!("orderhistory@{}:answer=20100:always", mobile(5)));
    rig.bill("till.csv", &["p1,LEFT-1,渝B00001,8.00,,success,2026-11-22 09:00:00,wxpay"]);
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Partial);
    assert_eq!(finished.summary.coverage.pulled, 14 - 2 - 1 - 2);
    let failed: Vec<&str> = finished.summary.coverage.failed.iter().map(|failed| failed.plate.as_str()).collect();
    assert_eq!(failed, ["渝A00001", "渝A00003", "渝A00005", "渝B00001", "渝B00005"]);
    let reasons = reasons(&finished);
    for (reason, expected) in reasons.iter().zip(["20201", "no answer", "order history: ", "20201", "order history: "])
    {
        assert!(reason.contains(expected), "{reason}");
    }
    assert_eq!(super::support::payments(&finished, Unverifiable), 1);
}

#[tokio::test]
async fn a_platform_that_is_down_ends_the_pull_early_and_the_run_is_partial() {
    for fault in ["status=503", "drop", "answer=2", "garbage"] {
        let mut rig = crowd(60).await;
        rig.platform = "retries = 0\nmax_concurrency = 32\nmax_requests_per_second = 0".to_owned();
        rig.fault(&format!("usersignin:{fault}:always"));
        let finished = rig.run().await;
        assert_eq!(finished.status, RunStatus::Partial, "{fault}");
        assert_eq!(finished.summary.coverage.pulled, 0, "{fault}");
        assert_eq!(calls(&rig, Interface::UserSignIn), 5, "{fault}: one alone, then no more than it takes");
        let reasons = reasons(&finished);
        let not_asked = reasons.iter().filter(|reason| reason.starts_with("not asked: ")).count();
        assert_eq!((reasons.len(), not_asked), (120, 110), "{fault}");
        let said = finished.reasons.iter().any(|reason| {
            matches!(reason, PartialReason::Other { text } if text.en.contains("ended early") && text.zh.contains("提前结束"))
        });
        assert!(said, "{:?}", finished.reasons);
    }
}

#[tokio::test]
async fn a_platform_that_goes_down_in_the_middle_keeps_what_it_gave() {
    let mut rig = crowd(60).await;
    rig.platform = "retries = 0\nmax_concurrency = 1\nmax_requests_per_second = 0".to_owned();
    // No time to wait for it to come back.
    rig.extra = "[run]\ndeadline = \"14s\"".to_owned();
    // The ten users up to there are pulled, the five after them fail.
    for user in 10..60 {
        rig.fault(&format!("usersignin@{}:status=503:always", mobile(user)));
    }
    let finished = rig.run().await;
    assert_eq!((finished.status, finished.summary.coverage.pulled), (RunStatus::Partial, 20));
    assert_eq!(calls(&rig, Interface::UserSignIn), 15);
    assert_eq!(orders(&finished, Unpaid), 10);
    // What was given is kept, tokens too.
    rig.server.with_world(etcp_recon::sandbox::World::clear_faults);
    assert_eq!(rig.run().await.status, RunStatus::Complete);
    assert_eq!(calls(&rig, Interface::UserSignIn), 15 + 50);
}

#[tokio::test]
async fn failures_of_users_here_and_there_end_nothing() {
    let mut rig = crowd(40).await;
    rig.platform = "retries = 0\nmax_concurrency = 1\nmax_requests_per_second = 0".to_owned();
    for user in (0..40).filter(|user| user % 5 != 4) {
        rig.fault(&format!("usersignin@{}:drop:always", mobile(user)));
    }
    let finished = rig.run().await;
    assert_eq!((finished.status, finished.summary.coverage.pulled), (RunStatus::Partial, 16));
    assert_eq!(calls(&rig, Interface::UserSignIn), 40);
}

#[tokio::test]
async fn a_wrong_key_or_an_unknown_merchant_is_seen_with_one_call() {
    for fault in ["usersignin:answer=4:always", "usersignin:answer=5:always"] {
        let mut rig = crowd(60).await;
        rig.platform = "max_concurrency = 32\nmax_requests_per_second = 0".to_owned();
        rig.fault(fault);
        let error = rig.try_run(RunMode::Live).await.unwrap_err();
        assert!(format!("{error:#}").contains("answers code"), "{error:#}");
        assert_eq!(all_calls(&rig), 1);
    }
}

#[tokio::test]
async fn what_came_in_before_code_4_is_stored_with_its_tokens() {
    let mut rig = crowd(9).await;
    rig.platform = "max_concurrency = 1\nmax_requests_per_second = 0".to_owned();
    rig.fault(&format!("orderunpay@{}:answer=4:always", mobile(4)));
    rig.try_run(RunMode::Live).await.unwrap_err();
    assert_eq!((calls(&rig, Interface::UserSignIn), calls(&rig, Interface::OrderUnpay)), (5, 2 * 4 + 1));
    rig.server.with_world(etcp_recon::sandbox::World::clear_faults);
    assert_eq!(rig.run().await.status, RunStatus::Complete);
    assert_eq!(calls(&rig, Interface::UserSignIn), 9, "no user was signed in a second time");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_corrected_with_one_call_and_said() {
    let mut rig = crowd(20).await;
    rig.platform = "max_concurrency = 32\nmax_requests_per_second = 0".to_owned();
    rig.clock = etcp_recon::clock::Clock::fixed(super::support::at("2026-11-23 09:30:00"));
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Complete, "{:?}", finished.reasons);
    assert_eq!(all_calls(&rig), 4 * 20 + 1);
    assert_eq!((finished.report.clock_skew_s, finished.report.clock_correction_s), (Some(-3600), 3600));
    let report = etcp_recon::report::text(&finished.report, etcp_recon::report::Lang::En);
    assert!(report.contains("its clock was followed, which is 3600 s ahead of this machine's"), "{report}");
}

#[tokio::test]
async fn a_platform_that_asks_for_more_than_the_night_has_is_not_asked_again() {
    let mut rig = crowd(60).await;
    rig.extra = "[run]\ndeadline = \"59m\"".to_owned();
    rig.platform = "retries = 3\nmax_concurrency = 32\nmax_requests_per_second = 0".to_owned();
    rig.fault("orderunpay:retry-after=3600:1");
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Partial);
    assert_eq!((calls(&rig, Interface::UserSignIn), calls(&rig, Interface::OrderUnpay)), (1, 1));
    assert_eq!(all_calls(&rig), 2);
    let reasons = reasons(&finished);
    assert!(reasons.iter().any(|reason| reason.contains("HTTP status 429, no call for 3600 s")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.starts_with("not asked: ")), "{reasons:?}");
}

#[tokio::test]
async fn a_platform_that_asks_for_a_second_is_asked_after_it() {
    let mut rig = crowd(3).await;
    rig.platform = "retries = 3\nmax_concurrency = 32\nmax_requests_per_second = 0".to_owned();
    rig.fault("orderunpay:retry-after=1:1");
    let finished = rig.run().await;
    assert_eq!(finished.status, RunStatus::Complete, "{:?}", reasons(&finished));
    assert_eq!(all_calls(&rig), 4 * 3 + 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_in_a_run() {
    let mut rig = crowd(1).await;
    let other = crowd(1).await;
    rig.platform = "retries = 0".to_owned();
    rig.fault(&format!(
        "orderunpay:redirect={}/merchant/open/1.0.0/openapi/orderunpay:always",
        other.server.base_url()
    ));
    let finished = rig.run().await;
    assert_eq!((finished.status, finished.summary.coverage.pulled), (RunStatus::Partial, 0));
    assert_eq!(all_calls(&other), 0);
}
