//! Cases of folding: who is one payment, what refunds take off it, what contradicts.

use super::*;
use crate::bills::{BillSource, payments_of_file};
use crate::model::{OrderId, Plate};

/// A payment row of 5.00 at noon; the tests change what they are about.
fn row(source: &str, bill: i64, payment_id: &str) -> SourcedRow {
    SourcedRow {
        source: source.into(),
        role: Role::Trade,
        bill,
        is_id_derived: false,
        row: BillRow {
            part: 1,
            line: 2,
            kind: RowKind::Payment,
            payment_id: payment_id.into(),
            refund_id: None,
            external_order_id: ExternalOrderId::new(&format!("{source}-{payment_id}")).unwrap(),
            trade_no: None,
            order_id: None,
            plate: None,
            amount: yuan("5.00"),
            received: None,
            fee: None,
            refunded: Amount::ZERO,
            refund_pending: false,
            at: at("12:00:00"),
            channel: String::new(),
        },
    }
}

fn refund(source: &str, payment_id: &str, refund_id: &str, amount: &str) -> SourcedRow {
    let mut sourced = row(source, 1, payment_id);
    sourced.row.kind = RowKind::Refund;
    sourced.row.refund_id = (!refund_id.is_empty()).then(|| refund_id.into());
    sourced.row.amount = yuan(amount);
    sourced
}

impl SourcedRow {
    fn with(mut self, change: impl FnOnce(&mut BillRow)) -> Self {
        change(&mut self.row);
        self
    }

    fn trade_no(self, number: &str) -> Self {
        self.with(|row| row.trade_no = Some(number.into()))
    }

    fn external(self, id: &str) -> Self {
        self.with(|row| row.external_order_id = ExternalOrderId::new(id).unwrap())
    }

    fn amount(self, amount: &str) -> Self {
        self.with(|row| row.amount = yuan(amount))
    }

    fn order(self, id: &str) -> Self {
        self.with(|row| row.order_id = OrderId::new(id))
    }

    fn at(self, time: &str) -> Self {
        self.with(|row| row.at = at(time))
    }

    fn ledger(mut self) -> Self {
        self.role = Role::Ledger;
        self
    }
}

fn yuan(text: &str) -> Amount {
    text.parse().unwrap()
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse_wall(&format!("2026-11-22 {time}")).unwrap()
}

/// Folds `rows` in both directions; the two must not differ.
fn folded(rows: Vec<SourcedRow>) -> Folded {
    let mut backwards = rows.clone();
    backwards.reverse();
    let folded = fold(rows);
    assert_eq!(fold(backwards), folded);
    assert!(folded.ties_out(), "{folded:?}");
    folded
}

/// `external id, gross, refunded, rows` with `!` for a conflict and `?` for a bill that disagrees.
fn shown(folded: &Folded) -> Vec<String> {
    folded
        .payments
        .iter()
        .map(|payment| {
            let (conflict, disagrees) =
                (if payment.conflict { "!" } else { "" }, if payment.bill_disagrees { "?" } else { "" });
            let Payment { external_order_id, gross, refunded, rows, .. } = payment;
            format!("{external_order_id} {gross} {refunded} {rows}{conflict}{disagrees}")
        })
        .collect()
}

#[test]
fn no_rows_are_no_payments() {
    assert_eq!(folded(Vec::new()), Folded::default());
}

#[test]
fn the_same_row_in_two_files_is_one_payment() {
    let folded = folded(vec![row("a", 1, "P1"), row("a", 2, "P1"), row("a", 2, "P1"), row("a", 1, "P2")]);
    assert_eq!(shown(&folded), ["a-P1 5.00 0.00 3", "a-P2 5.00 0.00 1"]);
    assert_eq!(folded.payment_rows(), Total { count: 4, fen: 2000 });
    assert_eq!(folded.row_totals[0], Total { count: 3, fen: 1500 });
}

#[test]
fn the_same_payment_id_of_two_sources_is_two_payments() {
    assert_eq!(folded(vec![row("a", 1, "P1"), row("b", 2, "P1")]).payments.len(), 2);
}

#[test]
fn the_same_external_id_of_two_sources_is_one_payment() {
    let folded = folded(vec![row("a", 1, "P1").external("E1"), row("b", 2, "X9").external("E1").order("ORD-1")]);
    assert_eq!(shown(&folded), ["E1 5.00 0.00 2"]);
    assert_eq!(folded.payments[0].order_id, OrderId::new("ORD-1"));
    assert!(folded.aliases.is_empty());
}

#[test]
fn a_trade_bill_and_a_cashiers_export_meet_by_the_trade_number_and_keep_what_each_knows() {
    let bill = row("alipay", 1, "2026T").trade_no("2026T").external("M77").with(|row| row.channel = "alipay".into());
    let cashier = row("kiosk", 2, "K1").trade_no("2026T").order("ORD-1").at("12:00:03");
    let cashier = cashier.with(|row| row.plate = Plate::parse("渝B757D0").ok());
    let folded = folded(vec![bill, cashier]);
    let payment = &folded.payments[0];
    assert_eq!(shown(&folded), ["M77 5.00 0.00 2"]);
    assert_eq!((payment.source.as_str(), payment.payment_id.as_str()), ("alipay", "2026T"));
    assert_eq!((payment.channel.as_str(), payment.paid_at), ("alipay", at("12:00:00")));
    assert_eq!(payment.order_id, OrderId::new("ORD-1"));
    assert_eq!(payment.plate, Plate::parse("渝B757D0").ok());
    assert_eq!(folded.aliases, [(ExternalOrderId::new("kiosk-K1").unwrap(), 0)]);
}

#[test]
fn one_trade_number_within_one_bill_makes_no_payment_of_two() {
    let twice = || vec![row("a", 1, "P1").trade_no("T"), row("a", 1, "P2").trade_no("T")];
    assert_eq!(folded(twice()).payments.len(), 2);
    // Nor when the same rows come in again with another file.
    let again = twice().into_iter().map(|row| SourcedRow { bill: 2, ..row });
    let folded = folded(twice().into_iter().chain(again).collect());
    assert_eq!(shown(&folded), ["a-P1 5.00 0.00 2", "a-P2 5.00 0.00 2"]);
}

#[test]
fn an_id_that_the_platform_can_take_names_the_payment() {
    let folded = folded(vec![row("a", 1, "单号 1").trade_no("T"), row("b", 2, "P1").trade_no("T")]);
    assert_eq!(shown(&folded), ["b-P1 5.00 0.00 2"]);
}

#[test]
fn rows_that_contradict_each_other_are_kept_in_conflict() {
    let base = || row("a", 1, "P1").order("ORD-1");
    let with_plate = |text: &str| base().with(|row| row.plate = Plate::parse(text).ok());
    for (name, first, second) in [
        ("amount", base(), base().amount("6.00")),
        ("order", base(), base().order("ORD-2")),
        ("plate", with_plate("渝B757D0"), with_plate("渝B757D1")),
        ("day", base(), base().with(|row| row.at = row.at.plus_s(86_400))),
    ] {
        let folded = folded(vec![first.clone(), second, first]);
        assert_eq!(folded.payments.len(), 2, "{name}");
        assert!(folded.payments.iter().all(|payment| payment.conflict), "{name}");
        assert_eq!(folded.payments.iter().map(|payment| payment.rows).sum::<u32>(), 3, "{name}");
    }
}

#[test]
fn spelling_time_of_day_and_refund_column_contradict_nothing() {
    let first = row("a", 1, "P1").order("abc-1").at("12:00:05");
    let second = row("a", 2, "P1").order("ABC-1").with(|row| row.refunded = yuan("1.00"));
    let folded = folded(vec![first, second, row("a", 3, "P1")]);
    assert_eq!(shown(&folded), ["a-P1 5.00 1.00 3"]);
    assert_eq!(folded.payments[0].paid_at, at("12:00:00"));
    assert_eq!(folded.payments[0].order_id.as_ref().unwrap().as_str(), "ABC-1");
}

#[test]
fn in_a_conflict_each_distinct_content_counts_once_with_its_own_gross() {
    let rows = vec![
        row("a", 1, "P1"),
        row("a", 2, "P1").amount("6.00"),
        row("a", 3, "P1").amount("6.00"),
        row("a", 4, "P1").order("ORD-1"),
    ];
    let folded = folded(rows);
    assert_eq!(shown(&folded), ["a-P1 5.00 0.00 1!", "a-P1 5.00 0.00 1!", "a-P1 6.00 0.00 2!"]);
    assert_eq!(folded.rows_in, Total { count: 4, fen: 2200 });
}

#[test]
fn identity_reaches_over_several_links() {
    let folded = folded(vec![
        row("a", 1, "P1").external("E1"),
        row("b", 2, "X").external("E1").trade_no("T"),
        row("c", 3, "Y").trade_no("T"),
    ]);
    assert_eq!(shown(&folded), ["E1 5.00 0.00 3"]);
}

#[test]
fn the_refund_column_and_refund_rows_are_not_added_up_but_the_larger_counts() {
    let paid = |refunded: &str| row("a", 1, "P1").with(|row| row.refunded = yuan(refunded));
    for (column, expected) in [("0.00", "3.00"), ("3.00", "3.00"), ("4.00", "4.00")] {
        let folded = folded(vec![paid(column), refund("a", "P1", "R1", "1.00"), refund("a", "P1", "R2", "2.00")]);
        assert_eq!(folded.payments[0].refunded, yuan(expected), "{column}");
        assert!(folded.payments[0].has_refund);
        assert!(folded.refunds.iter().all(|refund| refund.payment == Some(0)));
    }
}

#[test]
fn the_same_refund_again_is_no_second_refund() {
    let by_id = || refund("a", "P1", "R1", "1.00");
    let by_time = || refund("a", "P2", "", "1.00");
    let later = by_time().at("12:30:00");
    let folded = folded(vec![row("a", 1, "P1"), row("a", 1, "P2"), by_id(), by_id(), by_time(), by_time(), later]);
    assert_eq!(shown(&folded), ["a-P1 5.00 1.00 1", "a-P2 5.00 2.00 1"]);
    assert_eq!(folded.refunds.iter().map(|refund| refund.rows).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(folded.refund_rows(), Total { count: 5, fen: 500 });
}

#[test]
fn a_refund_id_used_for_two_payments_loses_neither() {
    let folded = folded(vec![
        row("a", 1, "P1"),
        row("a", 1, "P2"),
        refund("a", "P1", "R", "1.00"),
        refund("a", "P2", "R", "1.00"),
    ]);
    assert_eq!(shown(&folded), ["a-P1 5.00 1.00 1", "a-P2 5.00 1.00 1"]);
}

#[test]
fn a_pending_refund_is_one_but_takes_nothing_off_until_it_is_done() {
    let pending = || refund("a", "P1", "R1", "1.00").with(|row| row.refund_pending = true);
    let waiting = folded(vec![row("a", 1, "P1"), pending()]);
    assert_eq!((waiting.payments[0].refunded, waiting.payments[0].has_refund), (Amount::ZERO, true));
    let done = folded(vec![row("a", 1, "P1"), pending(), refund("a", "P1", "R1", "1.00")]);
    assert_eq!((done.payments[0].refunded, done.refunds[0].pending), (yuan("1.00"), false));
}

#[test]
fn a_refund_without_its_payment_waits() {
    let folded = folded(vec![row("a", 1, "P1"), refund("a", "P0", "R1", "1.00"), refund("b", "P1", "R2", "1.00")]);
    assert!(folded.refunds.iter().all(|refund| refund.payment.is_none()));
    assert!(!folded.payments[0].has_refund);
}

#[test]
fn a_refund_finds_its_payment_by_the_external_id_in_another_source() {
    let folded = folded(vec![row("a", 1, "P1").external("E1"), refund("b", "X", "R1", "1.00").external("E1")]);
    assert_eq!(shown(&folded), ["E1 5.00 1.00 1"]);
}

#[test]
fn two_sources_that_tell_of_one_refund_do_not_double_it() {
    let folded = folded(vec![
        row("bill", 1, "P1").trade_no("T"),
        row("kiosk", 2, "K1").trade_no("T"),
        refund("bill", "P1", "50300", "5.00"),
        refund("kiosk", "K1", "back-1", "5.00"),
    ]);
    assert_eq!(shown(&folded), ["bill-P1 5.00 5.00 2"]);
}

#[test]
fn a_ledger_confirms_or_disagrees_but_does_not_count() {
    let trade = || row("alipay", 1, "P1").external("E1");
    let ledger = |amount: &str| row("ledger", 2, "L1").external("E1").amount(amount).order("ORD-9").ledger();
    assert_eq!(shown(&folded(vec![trade(), ledger("5.00")])), ["E1 5.00 0.00 2"]);
    let disagreeing = folded(vec![trade(), ledger("4.99")]);
    assert_eq!(shown(&disagreeing), ["E1 5.00 0.00 2?"]);
    assert_eq!(disagreeing.payments[0].order_id, None);
    assert_eq!(disagreeing.row_totals, [Total { count: 2, fen: 999 }]);
    assert_eq!(shown(&folded(vec![ledger("4.99")])), ["E1 4.99 0.00 1"]);
}

#[test]
fn a_ledger_beside_a_conflict_disagrees_with_the_others_only() {
    let trade = |amount: &str| row("a", 1, "P1").amount(amount);
    let ledger = row("l", 2, "L").external("a-P1").amount("6.00").ledger();
    assert_eq!(shown(&folded(vec![trade("5.00"), trade("6.00"), ledger])), ["a-P1 5.00 0.00 1!?", "a-P1 6.00 0.00 2!"]);
}

#[test]
fn refunds_beyond_all_bounds_make_the_net_negative_and_nothing_else() {
    let most = "1000000000.00";
    let refunds = (0..200).map(|n| refund("a", "P1", &format!("R{n}"), most));
    let folded = folded(refunds.chain([row("a", 1, "P1").amount(most)]).collect());
    assert_eq!(folded.payments[0].refunded, yuan(most));
    let more = fold(vec![row("a", 1, "P1"), refund("a", "P1", "R1", most)]);
    assert!(more.payments[0].net().fen() < 0);
}

#[test]
fn payments_are_sorted_by_time_then_external_id() {
    let folded = folded(vec![row("a", 1, "P3").at("11:00:00"), row("a", 1, "P2"), row("a", 1, "P1")]);
    let ids: Vec<&str> = folded.payments.iter().map(|payment| payment.payment_id.as_str()).collect();
    assert_eq!(ids, ["P3", "P1", "P2"]);
}

#[test]
fn one_file_is_read_and_folded_at_once() {
    let text = "payment_id,order_id,plate,amount,refund_amount,status,paid_at,channel\n\
                P1,ORD-1,,5.00,,success,2026-11-22 12:00:00,wxpay\n\
                P1,ORD-1,,5.00,,success,2026-11-22 12:00:00,wxpay\n\
                P1,,,2.00,,refund,2026-11-22 13:00:00,wxpay\n\
                P2,,,0,,,2026-11-22 13:00:00,\n";
    let (folded, summary, set_aside) = payments_of_file(std::io::Cursor::new(text), &BillSource::default()).unwrap();
    assert_eq!(shown(&folded), ["P1 5.00 2.00 2"]);
    assert_eq!((summary.payments, summary.refunds, summary.set_aside), (2, 1, 1));
    assert_eq!(set_aside[0].to_string(), "line 5, column \"amount\": the amount is zero");
    assert_eq!(folded.rows_in.count, summary.payments + summary.refunds);
}

#[test]
fn a_ledger_tells_what_was_received_of_the_gross() {
    let trade = || row("w", 1, "P1").with(|row| row.received = Some(yuan("4.00")));
    let ledger = |amount: &str| row("w", 2, "P1").amount(amount).ledger();
    assert_eq!(shown(&folded(vec![trade(), ledger("4.00")])), ["w-P1 5.00 0.00 2"]);
    assert_eq!(shown(&folded(vec![trade(), ledger("5.00")])), ["w-P1 5.00 0.00 2?"]);
}

#[test]
fn a_refund_in_trade_bill_and_ledger_is_one_refund_and_the_ledger_confirms_it() {
    let back = |bill, id: &str| refund("w", "P1", id, "2.00").with(|row| row.line = bill);
    let pending = back(1, "R1").with(|row| row.refund_pending = true);
    let both = folded(vec![row("w", 1, "P1"), pending, row("w", 2, "P1").ledger(), back(2, "R1").ledger()]);
    assert_eq!(shown(&both), ["w-P1 5.00 2.00 2"]);
    assert_eq!((both.refunds.len(), both.refunds[0].pending, both.refunds[0].rows), (1, false, 2));
    // Under a number of its own the ledger tells of it by amount and day; another amount of that day disagrees.
    let other_id = folded(vec![row("w", 1, "P1"), back(1, "R1"), row("w", 2, "P1").ledger(), back(2, "L9").ledger()]);
    assert_eq!((shown(&other_id), other_id.refunds.len()), (vec!["w-P1 5.00 2.00 2".to_owned()], 1));
    let more = back(2, "L9").with(|row| row.amount = yuan("3.00")).ledger();
    let differing = folded(vec![row("w", 1, "P1"), back(1, "R1"), more]);
    assert_eq!((shown(&differing), differing.refunds.len()), (vec!["w-P1 5.00 2.00 1?".to_owned()], 1));
}

#[test]
fn what_only_a_ledger_tells_of_is_a_refund_of_its_own_on_top() {
    let (told, beside) = (refund("w", "P1", "R1", "2.00"), refund("w", "P1", "R1", "2.00").ledger());
    let later = refund("w", "P1", "L9", "1.00").with(|row| row.at = row.at.plus_s(86_400)).ledger();
    let folded = folded(vec![row("w", 1, "P1"), told, beside, later]);
    assert_eq!((shown(&folded), folded.refunds.len()), (vec!["w-P1 5.00 3.00 1".to_owned()], 2));
}

#[test]
fn a_refund_whose_payment_is_unknown_is_one_in_both_bills_too() {
    let folded = folded(vec![refund("a", "OLD", "R1", "2.00"), refund("b", "OLD", "R1", "2.00").ledger()]);
    assert_eq!((folded.refunds.len(), folded.refunds[0].rows, folded.refunds[0].payment), (1, 2, None));
}

#[test]
fn fees_of_a_ledger_are_kept_and_compared() {
    let fee = |id: &str, text: &str| {
        let fee: ChannelFee = text.parse().unwrap();
        let fen = Amount::from_fen(fee.whole_fen().unwrap().abs()).unwrap();
        refund("w", "P1", id, "1.00")
            .ledger()
            .with(|row| (row.kind, row.fee, row.amount) = (RowKind::Fee, Some(fee), fen))
    };
    let trade = |text: &str| row("w", 1, "P1").with(|row| row.fee = Some(text.parse().unwrap()));
    let fee_of = |folded: &Folded| folded.payments[0].fee.map(|fee| fee.to_string());
    let only_ledger = folded(vec![row("w", 2, "P1").ledger(), fee("F1", "0.03"), fee("F1", "0.03")]);
    assert_eq!((fee_of(&only_ledger).as_deref(), only_ledger.rows_in.count), (Some("0.03"), 1));
    assert!(!folded(vec![trade("0.03000"), fee("F1", "0.03")]).payments[0].bill_disagrees);
    assert!(folded(vec![trade("0.04"), fee("F1", "0.03")]).payments[0].bill_disagrees);
    assert!(!folded(vec![trade("0.04")]).payments[0].bill_disagrees, "silence contradicts nothing");
    let back = |text: &str| refund("w", "P1", "R1", "2.00").with(|row| row.fee = Some(text.parse().unwrap()));
    let beside = || refund("w", "P1", "R1", "2.00").ledger();
    let returned =
        |text: &str| folded(vec![trade("0.03"), back(text), beside(), fee("F1", "0.03"), fee("F2", "-0.01")]);
    assert!(!returned("-0.01").payments[0].bill_disagrees);
    assert!(returned("-0.02").payments[0].bill_disagrees);
}

#[test]
fn two_payments_of_one_bill_under_one_external_id_are_a_conflict_and_both_count() {
    let both = || vec![row("w", 1, "P1").external("E"), row("w", 1, "P2").external("E")];
    let folded_both = folded(both());
    assert_eq!(folded_both.payments.len(), 2);
    assert!(folded_both.payments.iter().all(|payment| payment.conflict && payment.gross == yuan("5.00")));
    // The same bill again in another file adds nothing; other names of one payment in other sources are one.
    let again = both().into_iter().map(|row| SourcedRow { bill: 2, ..row });
    assert_eq!(folded(both().into_iter().chain(again).collect()).payments.len(), 2);
    let other = folded(vec![row("w", 1, "P1").external("E"), row("till", 2, "K1").external("E")]);
    assert_eq!((other.payments.len(), other.payments[0].conflict), (1, false));
}

#[test]
fn a_payment_number_with_two_numbers_of_the_merchant_is_two_payments() {
    let both = vec![row("w", 1, "2.6E+27").external("PK1"), row("w", 1, "2.6E+27").external("PK2")];
    let folded = folded(both);
    assert_eq!((folded.payments.len(), folded.payments.iter().all(|payment| payment.conflict)), (2, true));
}

#[test]
fn two_channels_that_collected_under_one_number_collected_twice() {
    let paid = |source: &str, id: &str| row(source, 1, id).external("PK1").trade_no(id);
    let twice = folded(vec![paid("wechat", "4200"), paid("alipay", "2026")]);
    assert_eq!((twice.payments.len(), twice.payments.iter().all(|payment| payment.conflict)), (2, true));
    // A till that knows the channel's number, or none, tells of the same payment.
    let till =
        |number: Option<&str>| row("till", 2, "K1").external("PK1").with(|row| row.trade_no = number.map(Into::into));
    for number in [Some("4200"), None] {
        let once = folded(vec![paid("wechat", "4200"), till(number)]);
        assert_eq!((once.payments.len(), once.payments[0].conflict), (1, false), "{number:?}");
    }
}

#[test]
fn a_refund_that_the_ledger_books_after_midnight_is_the_same() {
    let trade = refund("a", "P1", "RF1", "2.00").with(|row| row.at = at("23:59:59"));
    let ledger = refund("a", "P1", "F9", "2.00").ledger().with(|row| row.at = at("23:59:59").plus_s(2));
    let folded = folded(vec![row("a", 1, "P1"), trade, ledger]);
    assert_eq!((shown(&folded), folded.refunds.len()), (vec!["a-P1 5.00 2.00 1".to_owned()], 1));
}

#[test]
fn a_reversal_and_a_banks_refund_number_are_found_in_wechats_fund_flow() {
    for id in ["REVOKED", "BANK-1"] {
        let of_wechat = |row: SourcedRow| row.with(|row| row.channel = "wechat".into());
        let trade = of_wechat(refund("w", "P1", id, "5.00"));
        let ledger = of_wechat(refund("w", "P1", "50300000000000000000001", "5.00").ledger());
        let folded = folded(vec![row("w", 1, "P1"), trade, ledger]);
        assert_eq!((shown(&folded), folded.refunds.len()), (vec!["w-P1 5.00 5.00 1".to_owned()], 1), "{id}");
    }
}

#[test]
fn what_each_bill_tells_alone_is_not_added_up_but_shown_to_differ() {
    let days_later =
        |days: i64| refund("a", "P1", "F9", "2.00").ledger().with(|row| row.at = row.at.plus_s(days * 86_400));
    let folded = folded(vec![row("a", 1, "P1"), refund("a", "P1", "RF1", "2.00"), days_later(3)]);
    assert_eq!(shown(&folded), ["a-P1 5.00 2.00 1?"]);
}

#[test]
fn two_amounts_under_one_refund_id_are_a_conflict_and_both_are_kept() {
    let folded = folded(vec![row("a", 1, "P1"), refund("a", "P1", "R1", "2.00"), refund("a", "P1", "R1", "1.00")]);
    assert_eq!((folded.refunds.len(), folded.payments[0].conflict), (2, true));
    assert_eq!(folded.payments[0].refunded, yuan("3.00"));
}

#[test]
fn a_fee_told_twice_under_two_ids_goes_to_one_payment_whatever_the_order() {
    let payments = || vec![row("w", 1, "P1").external("E1"), row("w", 1, "P2").external("E2").at("13:00:00")];
    let fee = |id: &str| {
        // The payment that it names is in no bill; its external id says which one is meant.
        refund("w", "GONE", "F1", "0.03")
            .external(id)
            .with(|row| (row.kind, row.fee) = (RowKind::Fee, Some("0.03".parse().unwrap())))
    };
    let told = [["E1", "E2"], ["E2", "E1"]].map(|ids| {
        let mut rows = payments();
        rows.extend(ids.map(fee));
        folded(rows).payments.into_iter().map(|payment| payment.fee.map(|fee| fee.to_string())).collect::<Vec<_>>()
    });
    assert_eq!(told[0], [Some("0.03".to_owned()), None]);
    assert_eq!(told[0], told[1]);
}
