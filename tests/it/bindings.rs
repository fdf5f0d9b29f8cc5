//! `plates bind` and `plates unbind` over real HTTP: consent, limits, the roster, and outcomes that nobody knows.

use std::process::{Command, Stdio};

use etcp_recon::etcp::limits::BindingOutcome;
use etcp_recon::sandbox::Interface;
use etcp_recon::store::Store;

use super::counter::{A, Counter, OTHER, PHONE, phone, plate};
use super::support::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn a_plate_is_bound_and_unbound_with_consent_and_the_roster_follows() {
    let counter = Counter::new().await;
    counter.server.with_world(|world| world.add_user(phone(PHONE)));
    let asked = counter.run(&["plates", "bind", PHONE, A]).ends(2);
    asked.says(&["asked to bind 渝B757D0 (blue) to 138****0001", "nothing was done", "--yes"]);
    assert_eq!(counter.all_calls(), 0);

    let said = counter.run(&["plates", "bind", PHONE, "渝 b757d0", "--plate-color", "black", "--yes"]).ends(0);
    assert_eq!(said.out, "渝B757D0 is bound to 138****0001, and in the roster\n");
    assert_eq!((counter.bound(PHONE), counter.listed()), (vec![A.to_owned()], vec![(A.into(), "138****0001".into())]));
    counter.run(&["plates", "bind", PHONE, A, "--plate-color", "2"]).ends(2).says(&["asked to bind", "--yes"]);
    counter.run(&["plates", "bind", PHONE, A, "--plate-color", "2", "--yes"]).ends(0);
    assert_eq!(counter.calls(Interface::BindCar), 2, "it may have been unbound elsewhere");

    counter.run(&["plates", "unbind", A]).ends(2).says(&["asked to unbind 渝B757D0 from 138****0001", "--yes"]);
    let said = counter.run(&["plates", "unbind", A, "--yes", "--lang", "zh"]).ends(0);
    assert_eq!(said.out, "平台已将 渝B757D0 从 138****0001 解绑；已从名册移除\n");
    assert!(counter.bound(PHONE).is_empty() && counter.listed().is_empty());
    counter.run(&["plates", "unbind", A, "--yes"]).ends(2).says(&["not in the roster", "--mobile"]);
    let refused = counter.run(&["plates", "unbind", A, "--mobile", PHONE, "--yes"]).ends(1);
    refused.says(&["code 20100 (operation failed)", "\nhint: the platform's limits"]);
    assert_eq!(counter.calls(Interface::UserSignIn), 1, "one token for all of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plate_has_one_user_in_the_roster() {
    let counter = Counter::new().await;
    counter.roster(OTHER, &[A]);
    counter.server.with_world(|world| world.add_user(phone(PHONE)));
    let said = counter.run(&["plates", "bind", PHONE, A, "--yes"]).ends(0);
    said.says(&["the roster has it as 139****0002's, it will be 138****0001's"]);
    assert_eq!(counter.listed(), [(A.to_owned(), "138****0001".to_owned())]);
    // Unbound from somebody else, it stays this user's.
    counter.server.with_world(|world| world.bind(&phone(OTHER), &plate(A), 1));
    let said = counter.run(&["plates", "unbind", A, "--mobile", OTHER, "--yes"]).ends(0);
    said.says(&["unbound from 139****0002; the roster has it as 138****0001's and keeps it"]);
    assert_eq!(counter.listed(), [(A.to_owned(), "138****0001".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fourth_plate_is_refused_before_asking_and_a_fifth_of_the_month_too() {
    let counter = Counter::new().await;
    counter.server.with_world(|world| world.add_user(phone(PHONE)));
    let bind = |n: u32| counter.run(&["plates", "bind", PHONE, &format!("渝A0000{n}"), "--yes"]);
    for n in 1..=3 {
        bind(n).ends(0);
    }
    let fourth = bind(4).ends(2);
    fourth.says(&["3 plates at once for a phone (document §8.4)", "渝A00001, 渝A00002, 渝A00003", "\nhint: "]);
    counter.run(&["plates", "unbind", "渝A00001", "--yes"]).ends(0);
    bind(4).ends(0);
    counter.run(&["plates", "unbind", "渝A00002", "--yes"]).ends(0);
    bind(5).ends(2).says(&["4 different plates a month for a phone", "138****0001"]);
    bind(1).ends(0);
    assert_eq!(counter.calls(Interface::BindCar), 5);
    assert_eq!(counter.bound(PHONE), ["渝A00003", "渝A00004", "渝A00001"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_bound_elsewhere_the_platform_refuses_itself() {
    let counter = Counter::new().await;
    counter.server.with_world(|world| {
        for n in 1..=3 {
            world.bind_elsewhere(&phone(PHONE), &plate(&format!("渝A0000{n}")), 1);
        }
    });
    let refused = counter.run(&["plates", "bind", PHONE, A, "--yes"]).ends(1);
    refused.says(&["the platform refuses with code 20100 (operation failed)", "3 plates at once"]);
    let refused = counter.run(&["plates", "bind", PHONE, A, "--yes", "--lang", "zh"]).ends(1);
    refused.says(&["平台拒绝：代码 20100（操作失败）", "同时 3 辆"]);
    assert!(counter.listed().is_empty());
    counter.roster(PHONE, &["渝A00001"]);
    counter.run(&["plates", "unbind", "渝A00001", "--yes"]).ends(1).says(&["20100", "only what this channel bound"]);
    assert_eq!(counter.listed().len(), 1, "it is still bound");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plate_that_was_unbound_elsewhere_locks_nobody_in() {
    let counter = Counter::new().await;
    counter.server.with_world(|world| world.add_user(phone(PHONE)));
    let run = |act: &str, n: u32| match act {
        "bind" => counter.run(&["plates", "bind", PHONE, &format!("渝A0000{n}"), "--yes"]),
        _ => counter.run(&["plates", "unbind", &format!("渝A0000{n}"), "--yes"]),
    };
    (1..=3).for_each(|n| drop(run("bind", n).ends(0)));
    counter.server.with_world(|world| world.unbind_elsewhere(&phone(PHONE), &plate("渝A00001")));
    run("bind", 4).ends(2).says(&["is not counted any more"]);
    let refused = run("unbind", 1).ends(1);
    refused.says(&["code 20100", "渝A00001 counts as perhaps bound from now on"]);
    run("bind", 4).ends(0);
    assert_eq!(counter.bound(PHONE), ["渝A00002", "渝A00003", "渝A00004"]);
    // One that is counted still is bound again all the same.
    counter.server.with_world(|world| world.unbind_elsewhere(&phone(PHONE), &plate("渝A00002")));
    run("bind", 2).ends(0);
    assert_eq!(counter.bound(PHONE), ["渝A00003", "渝A00004", "渝A00002"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_is_unknown_and_the_roster_left_alone() {
    for fault in ["drop-after-booking", "drop", "fail", "garbage", "cut"] {
        let counter = Counter::new().await;
        counter.server.with_world(|world| world.add_user(phone(PHONE)));
        counter.fault(&format!("bindcar:{fault}"));
        let unknown = counter.run(&["plates", "bind", PHONE, A, "--yes"]).ends(1);
        unknown.says(&["nobody knows whether the plate is bound now", "\nhint: look in"]);
        assert!(unknown.out.is_empty() && counter.listed().is_empty(), "{fault}");
        assert_eq!(counter.calls(Interface::BindCar), 1, "{fault}: never repeated by itself");
        // It counts: two more, and no third.
        counter.run(&["plates", "bind", PHONE, "渝A00001", "--yes"]).ends(0);
        counter.run(&["plates", "bind", PHONE, "渝A00002", "--yes"]).ends(0);
        counter.run(&["plates", "bind", PHONE, "渝A00003", "--yes"]).ends(2).says(&[A]);
    }
    let counter = Counter::new().await;
    counter.roster(PHONE, &[A]);
    counter.fault("unbindcar:drop");
    let unknown = counter.run(&["plates", "unbind", A, "--yes", "--lang", "zh"]).ends(1);
    unknown.says(&["不知道平台是否已解绑，名册未变"]);
    assert_eq!(counter.listed().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_answer_is_awaited_a_plate_counts_as_perhaps_bound() {
    let counter = Counter::new().await;
    counter.server.with_world(|world| world.add_user(phone(PHONE)));
    // Done at once, answered long after the kill.
    counter.fault("bindcar:delay=30s");
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcp-recon"));
    command.args(["plates", "bind", PHONE, A, "--yes"]).current_dir(counter.dir.path()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    while counter.calls(Interface::BindCar) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it asked");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let store = Store::open_existing(&counter.path("recon.db")).unwrap();
    let past = store.bindings(&phone(PHONE)).unwrap();
    assert_eq!((past.len(), past[0].outcome), (1, BindingOutcome::Unknown), "written before it was asked");
    assert!(counter.listed().is_empty());
    // It counts: two more, and no third.
    counter.run(&["plates", "bind", PHONE, "渝A00001", "--yes"]).ends(0);
    counter.run(&["plates", "bind", PHONE, "渝A00002", "--yes"]).ends(0);
    counter.run(&["plates", "bind", PHONE, "渝A00003", "--yes"]).ends(2).says(&[A]);
    // What is perhaps bound can be unbound, and then it is certain.
    counter.run(&["plates", "unbind", A, "--mobile", PHONE, "--yes"]).ends(0);
    counter.run(&["plates", "bind", PHONE, "渝A00003", "--yes"]).ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_fails_leaves_no_plate_counted() {
    let counter = Counter::new().await;
    counter.server.with_world(|world| world.add_user(phone(PHONE)));
    counter.fault("usersignin:drop:4");
    for n in 1..=4 {
        counter.run(&["plates", "bind", PHONE, &format!("渝A0000{n}"), "--yes"]).ends(1).says(&["cannot be reached"]);
    }
    assert_eq!(counter.calls(Interface::BindCar), 0);
    counter.run(&["plates", "bind", PHONE, "渝A00005", "--yes"]).ends(0);
    // A token that was voided elsewhere is replaced once, and the plate bound.
    counter.server.with_world(|world| world.void_token(&phone(PHONE)));
    counter.run(&["plates", "bind", PHONE, "渝A00006", "--yes"]).ends(0);
    assert_eq!(counter.bound(PHONE), ["渝A00005", "渝A00006"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_over_for_a_plate_is_said_before_it_is_unbound() {
    let mut rig = Rig::new().await;
    rig.notify = "max_amount = \"0.01\"".to_owned();
    for plate in [A, "渝A00001", "渝A00002"] {
        rig.bind(PHONE, plate);
    }
    rig.left("BEFORE", A, "3.00", "0.00");
    rig.inside("ORDER-A", A, "5.50");
    rig.inside("ORDER-1", "渝A00001", "7.00");
    rig.left("ORDER-2", "渝A00002", "7.00", "7.00");
    rig.bill("till.csv", &["p1,ORDER-A,渝B757D0,5.50,,success,2026-11-22 09:00:00,wxpay"]);
    rig.run().await;
    let asked = |plate: &str, lang: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcp-recon"));
        let config = rig.path("etcp-recon.toml");
        let output = command.arg("--config").arg(config).args(["plates", "unbind", plate, "--lang", lang]);
        let output = output.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let told = asked(A, "en");
    assert!(
        told.contains("mind: its order seen last, ORDER-A, was open, and its notification p1 is not finished (held); "),
        "{told}"
    );
    assert!(told.contains("\nthe platform is asked to unbind"), "{told}");
    assert!(asked(A, "zh").contains("注意：最近所见的订单 ORDER-A 尚未关闭，支付通知 p1 尚未完成（held）"));
    assert!(asked("渝A00001", "en").contains("mind: its order seen last, ORDER-1, was open; once unbound"));
    assert!(!asked("渝A00002", "en").contains("mind: "), "it has left");
}
