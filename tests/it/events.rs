//! Pushes as evidence in a run: an exit that no order tells of, a fee that differs, and that neither ever sends anything.

use std::process::{Command, Output};

use etcp_recon::jobs::run::Finished;
use etcp_recon::jobs::show::{Event, Story, render, show};
use etcp_recon::model::event::Exit;
use etcp_recon::model::{Amount, OrderId, ParkingEvent};
use etcp_recon::report::Lang;
use etcp_recon::sandbox::Stay;
use etcp_recon::store::{ExceptionRow, Recorded, RunMode};
use mail_parser::MessageParser;
use serde_json::Value;

use super::support::{Rig, at, date, yuan};

const USER: &str = "13800000001";
const A: &str = "渝B757D0";
const B: &str = "渝B757D1";

/// A push of a car of plate `A` that came in and left on the date.
fn exit(id: &str, fen: i64) -> ParkingEvent {
    exit_of(id, A, "2026-11-22 08:00:00", "2026-11-22 18:00:00", fen)
}

fn exit_of(id: &str, plate: &str, entrance: &str, exit: &str, fen: i64) -> ParkingEvent {
    ParkingEvent {
        exit: Some(Exit { at: at(exit), fee: Amount::from_fen(fen).unwrap() }),
        ..entrance_of(id, plate, entrance)
    }
}

fn entrance_of(id: &str, plate: &str, entrance: &str) -> ParkingEvent {
    ParkingEvent {
        syn_id: OrderId::new(id).unwrap(),
        plate: plate.to_owned(),
        parking_id: "3126".to_owned(),
        parking_name: "测试车场".to_owned(),
        entrance_at: at(entrance),
        exit: None,
        pushed_at: None,
    }
}

/// A merchant with one plate, and a bill of the date that holds no money.
async fn rig() -> Rig {
    let rig = Rig::new().await;
    rig.bind(USER, A);
    rig
}

fn push(rig: &Rig, events: &[ParkingEvent]) {
    let received_at = rig.clock.now();
    let events: Vec<_> = events.iter().map(|event| (event.clone(), received_at)).collect();
    let recorded = rig.store().record_events(&events).unwrap();
    assert!(recorded.iter().all(|one| *one == Recorded::New));
}

/// The open exceptions: kind, order, what the push tells, what the order.
fn open(rig: &Rig) -> Vec<(String, String, String, String)> {
    let told = |row: ExceptionRow| {
        let facts = row.facts;
        (facts.kind, facts.order_id.unwrap_or_default(), facts.paid.to_string(), facts.due.to_string())
    };
    rig.store().open_exceptions().unwrap().into_iter().map(told).collect()
}

fn row(kind: &str, order: &str, paid: &str, due: &str) -> (String, String, String, String) {
    (kind.to_owned(), order.to_owned(), paid.to_owned(), due.to_owned())
}

fn counts(finished: &Finished) -> [u64; 4] {
    let counted = finished.summary.exceptions;
    [counted.opening, counted.new, counted.resolved, counted.closing]
}

fn command(rig: &Rig, arguments: &[&str]) -> Output {
    rig.settings();
    Command::new(env!("CARGO_BIN_EXE_etcp-recon")).args(arguments).current_dir(rig.path("")).output().unwrap()
}

fn json(rig: &Rig, arguments: &[&str]) -> Value {
    let output = command(rig, arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn story(rig: &Rig, id: &str) -> Story {
    show(&rig.store(), id).unwrap().unwrap()
}

/// What a story tells of pushes, in its order.
fn pushes(story: &Story) -> Vec<String> {
    let told = story.entries.iter().filter_map(|entry| match &entry.event {
        Event::Push(push) => Some(format!("{} {}", push.kind.name(), push.syn_id)),
        Event::PushContradiction(push) => Some(format!("not {} {}", push.kind.name(), push.syn_id)),
        Event::BillRow(_) | Event::Order(_) | Event::Journal(_) | Event::Exception(_) | Event::Outcome(_) => None,
    });
    told.collect()
}

#[tokio::test]
async fn an_exit_with_a_fee_that_no_order_tells_of_is_an_exception_everywhere() {
    let mut rig = rig().await;
    rig.extra = "[report.email]\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]\n".to_owned();
    push(&rig, &[exit("Syn-1", 550)]);
    let run = rig.run().await;
    assert_eq!(counts(&run), [0, 1, 0, 1]);
    assert!(run.summary.tie_out);
    assert_eq!(run.report.exceptions.closing.count, 1);
    let tallies = serde_json::to_value(&run.summary).unwrap();
    assert_eq!((&tallies["payments"]["count"], &tallies["orders"]["count"]), (&0.into(), &0.into()), "no disposition");
    assert_eq!(open(&rig), [row("event_without_order", "Syn-1", "5.50", "0.00")]);

    let listed = json(&rig, &["exceptions", "--json"]);
    let one = &listed[0];
    let texts = ["kind", "status", "date", "order_id", "plate", "paid", "due", "difference"].map(|name| &one[name]);
    assert_eq!(texts, ["event_without_order", "open", "2026-11-22", "Syn-1", A, "5.50", "0.00", "5.50"]);
    assert!(one["payment_id"].is_null());

    let subject = etcp_recon::report::subject(&run.report, Lang::En);
    assert!(subject.ends_with("1 exception ¥5.50"), "{subject}");
    for (lang, rule) in [(Lang::En, "show no order with that id"), (Lang::Zh, "既无该编号的订单")] {
        let text = etcp_recon::report::text(&run.report, lang).replace("\n      ", "");
        assert!(text.contains("(event_without_order)") && text.contains("Syn-1"), "{text}");
        assert!(text.contains("5.50") && text.contains(rule), "{text}");
    }
    let mail = run.files.iter().find(|file| file.extension().is_some_and(|ending| ending == "eml")).unwrap();
    let mail = std::fs::read(mail).unwrap();
    let mail = MessageParser::default().parse(&mail).unwrap();
    assert_eq!(mail.subject(), Some(subject.as_str()));
    assert!(mail.body_html(0).unwrap().contains("event_without_order"));
    let csv = mail.attachments().map(|part| String::from_utf8_lossy(part.contents()).into_owned()).collect::<String>();
    assert!(csv.contains("event_without_order") && csv.contains("5.50,0.00,5.50"), "{csv}");
}

#[tokio::test]
async fn the_run_without_a_platform_judges_by_what_the_last_one_pulled() {
    let rig = rig().await;
    let before = rig.run().await;
    assert_eq!(counts(&before), [0, 0, 0, 0]);
    push(&rig, &[exit("Syn-1", 550), exit_of("after", A, "2026-11-23 09:00:00", "2026-11-23 10:31:00", 550)]);
    let dry = rig.try_run(RunMode::DryRun).await.unwrap();
    assert_eq!((counts(&dry), open(&rig)), ([0, 0, 0, 0], Vec::new()), "a dry run opens nothing");
    let run = ["run", "--offline", "--date", "2026-11-22", "--no-email", "--fail-on-exceptions"];
    assert_eq!(command(&rig, &run).status.code(), Some(10));
    assert_eq!(open(&rig), [row("event_without_order", "Syn-1", "5.50", "0.00")]);
}

#[tokio::test]
async fn without_a_live_run_of_the_date_nothing_is_known() {
    let rig = rig().await;
    push(&rig, &[exit("Syn-1", 550)]);
    let offline = rig.try_run(RunMode::Offline).await.unwrap();
    assert_eq!(counts(&offline), [0, 0, 0, 0]);
}

#[tokio::test]
async fn an_exception_is_carried_while_nothing_is_known_and_resolved_when_the_order_turns_up() {
    let rig = rig().await;
    push(&rig, &[exit("Syn-1", 500)]);
    rig.run().await;
    assert_eq!(counts(&rig.run().await), [1, 0, 0, 1], "the same again opens nothing");
    rig.fault("orderhistory:fail:always");
    let blind = rig.run().await;
    assert_eq!(counts(&blind), [1, 0, 0, 1], "a plate that was not pulled tells nothing");
    rig.server.with_world(etcp_recon::sandbox::World::clear_faults);
    rig.left("SYN-1", A, "5.00", "5.00");
    rig.clock.set(at("2026-11-24 10:30:00"));
    let resolved = rig.run_of("2026-11-23").await;
    assert_eq!(counts(&resolved), [1, 0, 1, 0]);
    let told = etcp_recon::report::text(&resolved.report, Lang::En);
    assert!(told.contains("Its order is there now."), "{told}");
    assert_eq!(counts(&rig.run_of("2026-11-23").await), [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_missing_order_that_turns_up_with_another_fee_becomes_a_fee_that_differs() {
    let rig = rig().await;
    push(&rig, &[exit("syn-1", 500)]);
    rig.run().await;
    rig.left("SYN-1", A, "6.00", "6.00");
    let became = rig.run().await;
    assert_eq!(counts(&became), [1, 1, 1, 1]);
    assert_eq!(open(&rig), [row("event_fee_differs", "SYN-1", "5.00", "6.00")]);
    rig.left("SYN-1", A, "5.00", "5.00");
    let corrected = rig.run().await;
    assert_eq!(counts(&corrected), [1, 0, 1, 0]);
    assert!(etcp_recon::report::text(&corrected.report, Lang::Zh).contains("推送与订单的费用现已一致"));
}

#[tokio::test]
async fn fen_and_yuan_agree_to_the_cent() {
    for (fen, expected) in [
        (500, Vec::new()),
        (501, vec![row("event_fee_differs", "ORDER-A", "5.01", "5.00")]),
        (0, vec![row("event_fee_differs", "ORDER-A", "0.00", "5.00")]),
    ] {
        let rig = rig().await;
        rig.left("ORDER-A", A, "5.00", "5.00");
        push(&rig, &[exit("order-a", fen)]);
        let run = rig.run().await;
        assert_eq!(open(&rig), expected, "{fen}");
        assert_eq!(run.summary.exceptions.closing, u64::try_from(expected.len()).unwrap());
        assert!(run.summary.tie_out);
    }
}

#[tokio::test]
async fn an_order_that_is_still_open_is_not_compared() {
    let rig = rig().await;
    rig.inside("ORDER-A", A, "5.00");
    push(&rig, &[exit("ORDER-A", 900)]);
    assert_eq!(counts(&rig.run().await), [0, 0, 0, 0]);
    let id = OrderId::new("ORDER-A").unwrap();
    rig.server.with_world(|w| w.vanish(&id));
    assert_eq!(counts(&rig.run().await), [0, 0, 0, 0], "nor one that vanished");
}

#[tokio::test]
async fn another_id_is_the_same_stay_within_a_minute_of_its_entrance() {
    let rig = rig().await;
    rig.left("ORDER-A", A, "5.00", "5.00");
    push(&rig, &[exit_of("near", A, "2026-11-22 08:01:00", "2026-11-22 18:00:00", 500)]);
    push(&rig, &[exit_of("far", A, "2026-11-22 08:01:01", "2026-11-22 18:00:00", 500)]);
    rig.run().await;
    assert_eq!(open(&rig), [row("event_without_order", "far", "5.00", "0.00")]);
}

#[tokio::test]
async fn what_the_pull_cannot_have_shown_is_no_exception() {
    let rig = rig().await;
    rig.bind("13800000002", B);
    rig.bind("13800000003", "渝B757D3");
    rig.fault("orderhistory@13800000002:fail:always");
    // More cash than the fee: a record that cannot be read, so that an order of the plate may be missing.
    let unreadable = Stay::Left { fee: yuan("1.00"), cash: yuan("2.00"), exit_at: at("2026-11-22 18:00:00") };
    rig.order_of("13800000003", "BAD", "渝B757D3", "2026-11-22 08:00:00", unreadable);
    let (came, left) = ("2026-11-22 08:00:00", "2026-11-22 18:00:00");
    push(
        &rig,
        &[
            exit_of("in-no-roster", "渝B757D9", came, left, 500),
            exit_of("not-pulled", B, came, left, 500),
            exit_of("doubtful", "渝B757D3", came, left, 500),
            exit_of("no-plate", "无牌车", came, left, 500),
            exit_of("too-old", A, "2026-11-16 10:29:59", left, 500),
            exit_of("old-enough", A, "2026-11-16 10:30:00", left, 500),
            exit_of("free", A, "2026-11-22 12:00:00", left, 0),
            entrance_of("inside", A, "2026-11-22 13:00:00"),
        ],
    );
    rig.run().await;
    assert_eq!(open(&rig), [row("event_without_order", "old-enough", "5.00", "0.00")]);
}

#[tokio::test]
async fn what_an_exit_push_says_when_it_comes_again_is_judged_too() {
    let rig = rig().await;
    let again = |event: ParkingEvent| {
        rig.store().record_events(&[(event, rig.clock.now())]).unwrap();
    };
    push(
        &rig,
        &[exit("syn-1", 0), exit("syn-2", 500), exit_of("syn-3", A, "2026-11-22 01:00:00", "2026-11-22 02:00:00", 0)],
    );
    rig.left("SYN-2", A, "6.00", "6.00");
    again(exit("syn-1", 500));
    again(exit("syn-2", 600));
    again(exit_of("syn-3", A, "2026-11-22 01:00:00", "2026-11-22 02:00:00", 300));
    again(exit_of("syn-3", A, "2026-11-22 01:00:00", "2026-11-22 02:00:00", 200));
    // By the entrance, the first one is the stay of SYN-2.
    again(exit_of("syn-1", A, "2026-11-22 03:00:00", "2026-11-22 04:00:00", 500));
    rig.run().await;
    assert_eq!(
        open(&rig),
        [row("event_fee_differs", "SYN-2", "5.00", "6.00"), row("event_without_order", "syn-3", "3.00", "0.00")]
    );
    // A content that agrees ends it, whenever it comes.
    again(exit("syn-1", 600));
    let corrected = rig.run().await;
    assert_eq!(counts(&corrected), [2, 0, 1, 1]);
    assert_eq!(open(&rig), [row("event_without_order", "syn-3", "3.00", "0.00")]);
}

#[tokio::test]
async fn a_push_that_comes_after_its_day_was_reported_is_told_by_the_next_run_of_any_day() {
    let rig = rig().await;
    rig.run().await;
    push(&rig, &[exit("late", 500), exit_of("next-day", A, "2026-11-23 08:00:00", "2026-11-23 09:00:00", 500)]);
    rig.clock.set(at("2026-11-24 10:30:00"));
    let earlier = rig.run_of("2026-11-21").await;
    assert_eq!(counts(&earlier), [0, 1, 0, 1], "of its own day, which was reported");
    let [one] = &rig.store().open_exceptions().unwrap()[..] else { panic!("{:?}", open(&rig)) };
    assert_eq!((one.facts.date, one.facts.key.subject.as_str()), (date("2026-11-22"), "late"));
    let next = rig.run_of("2026-11-23").await;
    assert_eq!(counts(&next), [1, 1, 0, 2], "the other waited for the run of its day");
}

#[tokio::test]
async fn an_order_from_before_the_window_is_evidence_too() {
    let mut rig = rig().await;
    rig.extra = "[matching]\nlookback_days = 1\n".to_owned();
    for (id, entrance) in [("ORDER-OLD", "2026-11-19 08:00:00"), ("OTHER", "2026-11-19 12:00:00")] {
        let stay = Stay::Left { fee: yuan("5.00"), cash: yuan("5.00"), exit_at: at("2026-11-19 18:00:00") };
        rig.order(id, A, entrance, stay);
    }
    // The platform's clocks disagree about the exits; the stays are the same.
    let left = "2026-11-21 18:00:00";
    push(&rig, &[exit_of("order-old", A, "2026-11-19 08:30:00", left, 500)]);
    push(&rig, &[exit_of("by-entrance", A, "2026-11-19 12:00:30", left, 600)]);
    rig.run_of("2026-11-21").await;
    assert_eq!(open(&rig), [row("event_fee_differs", "OTHER", "6.00", "5.00")]);
    // Even when the exit is older than the window, an open exception is looked at again.
    let stay = Stay::Left { fee: yuan("6.00"), cash: yuan("6.00"), exit_at: at("2026-11-19 18:00:00") };
    rig.order("OTHER", A, "2026-11-19 12:00:00", stay);
    rig.clock.set(at("2026-11-26 02:00:00"));
    assert_eq!(counts(&rig.run_of("2026-11-25").await), [1, 0, 1, 0]);
}

#[tokio::test]
async fn false_pushes_send_nothing() {
    let rig = rig().await;
    rig.inside("ORDER-A", A, "5.50");
    rig.bill("till.csv", &["p1,ORDER-B,渝B757D0,7.00,,success,2026-11-22 09:00:00,cash"]);
    let forged: Vec<_> = (0..500)
        .map(|n| match n % 3 {
            // As if the order of the payment had been there, as if the payment had been for this car, as if anything.
            0 => exit_of(&format!("ORDER-{n}"), A, "2026-11-22 08:00:00", "2026-11-22 09:00:00", 700),
            1 => exit_of(&format!("p{n}"), A, "2026-11-22 08:59:00", "2026-11-22 09:00:00", 550 + n),
            _ => exit_of(&format!("x{n}"), &format!("渝C{n:05}"), "2026-11-22 08:00:00", "2026-11-22 09:00:00", n),
        })
        .collect();
    push(&rig, &forged);
    push(&rig, &[exit("ORDER-A", 700), exit_of("ORDER-B", A, "2026-11-22 08:00:00", "2026-11-22 09:00:00", 700)]);
    let run = rig.run().await;
    assert!(rig.ledger().is_empty(), "{:?}", rig.ledger());
    assert_eq!((run.summary.notifications.due, rig.store().notifications().unwrap().len()), (0, 0));
    let again = rig.run().await;
    assert_eq!(again.summary.exceptions.new, 0);
    assert_eq!(again.summary.exceptions.opening, run.summary.exceptions.closing);
    assert!(rig.ledger().is_empty());
}

#[tokio::test]
async fn the_story_of_an_order_tells_its_pushes_by_every_name() {
    let rig = rig().await;
    rig.left("ORDER-A", A, "5.00", "5.00");
    push(&rig, &[exit_of("Syn-1", A, "2026-11-22 08:00:30", "2026-11-22 18:00:00", 600)]);
    rig.clock.set(at("2026-11-23 10:31:00"));
    push(&rig, &[entrance_of("syn-1", A, "2026-11-22 08:00:30"), exit("order-a", 500)]);
    let other = (exit_of("syn-1", A, "2026-11-22 08:00:30", "2026-11-22 18:00:00", 700), at("2026-11-23 10:32:00"));
    assert_eq!(rig.store().record_events(&[other]).unwrap(), [Recorded::Contradicts]);
    rig.clock.set(at("2026-11-23 10:40:00"));
    let run = rig.run().await;
    assert_eq!(open(&rig), [row("event_fee_differs", "ORDER-A", "7.00", "5.00")]);
    let report = etcp_recon::report::text(&run.report, Lang::En);
    assert!(
        report.contains("1 push came again with other content; an exit agrees if one of its contents does."),
        "{report}"
    );

    let by_order = story(&rig, "Order-A");
    assert_eq!(pushes(&by_order), ["exit Syn-1", "exit order-a", "entrance syn-1", "not exit Syn-1"]);
    assert!(by_order.entries.is_sorted_by_key(|entry| entry.at));
    assert_eq!(
        (&by_order.orders[..], &by_order.pushes[..]),
        (&["ORDER-A".to_owned()][..], &["order-a".to_owned(), "Syn-1".to_owned()][..])
    );
    let by_push = story(&rig, "SYN-1");
    let entries = |story: &Story| serde_json::to_value(&story.entries).unwrap();
    assert_eq!((by_push.orders.clone(), entries(&by_push)), (by_order.orders.clone(), entries(&by_order)));
    let english = render(&by_order, Lang::En, false).join("\n");
    for told in [
        "exit push Syn-1: 渝B757D0 测试车场, came in 2026-11-22 08:00:30, left 2026-11-22 18:00:00, fee 6.00 yuan",
        "entrance push syn-1: 渝B757D0 测试车场, came in 2026-11-22 08:00:30\n",
        "exit push Syn-1 came again and says otherwise: fee 7.00",
        "event_fee_differs (Announced fee differs) 2026-11-22: paid 7.00, due 5.00, difference 2.00",
        "The fee that the exit push announced is not the closed order's whole fee",
    ] {
        assert!(english.contains(told), "{told}\n{english}");
    }
    let chinese = render(&by_push, Lang::Zh, false).join("\n");
    assert!(chinese.contains("出场推送 Syn-1 再次收到，内容不同：fee 7.00"), "{chinese}");
    assert!(chinese.contains("不等于已关闭订单的停车费总额"), "{chinese}");
    let told = json(&rig, &["show", "syn-1", "--json"]);
    let kinds: Vec<_> =
        told["entries"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"push") && kinds.contains(&"push_contradiction"), "{kinds:?}");
}

#[tokio::test]
async fn a_push_without_any_order_has_a_story() {
    let rig = rig().await;
    push(&rig, &[exit("Syn-1", 600)]);
    let story = story(&rig, "syn-1");
    assert_eq!((pushes(&story), story.orders.len()), (vec!["exit Syn-1".to_owned()], 0));
    assert!(show(&rig.store(), "syn-2").unwrap().is_none());
    rig.run().await;
    let text = render(&show(&rig.store(), "Syn-1").unwrap().unwrap(), Lang::En, false).join("\n");
    assert!(text.contains("event_without_order") && text.contains("show no order with that id"), "{text}");
}
