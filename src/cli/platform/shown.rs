//! The platform's answers as tables and as JSON: amounts with two places, what could not be read beside the rest.

use secrecy::ExposeSecret;
use serde::Serialize;

use super::super::page::{Grid, LOOK, Page};
use super::super::words::pick;
use crate::etcp::lots::{LotKind, LotLevel, LotPayment};
use crate::etcp::{Listing, Lot, LotId, LotStatus, RejectedRecord, UnpaidOrder};
use crate::model::{Amount, OrderSnapshot, Timestamp};
use crate::report::{Lang, visible};

/// A record that could not be read.
#[derive(Serialize)]
struct Rejected<'a> {
    order_id: Option<&'a str>,
    plate: Option<&'a str>,
    reason: &'a str,
}

impl<'a> Rejected<'a> {
    fn of(record: &'a RejectedRecord) -> Self {
        Self {
            order_id: record.order_id.as_ref().map(crate::model::OrderId::as_str),
            plate: record.plate.as_ref().map(crate::model::Plate::as_str),
            reason: &record.reason,
        }
    }
}

/// Orders, and what could not be read.
#[derive(Serialize)]
pub struct Listed<'a, T> {
    orders: Vec<T>,
    rejected: Vec<Rejected<'a>>,
    /// As many as servers like to cut a list at: there may be more.
    may_be_cut: bool,
}

/// A listing as JSON, each record by `one`.
pub fn orders_json<'a, T, J>(listing: &'a Listing<T>, one: impl Fn(&'a T) -> J) -> Listed<'a, J> {
    Listed {
        orders: listing.records.iter().map(one).collect(),
        rejected: listing.rejected.iter().map(Rejected::of).collect(),
        may_be_cut: listing.may_be_cut(),
    }
}

/// A closed order as `platform history --json` prints it.
#[derive(Serialize)]
pub struct Closed<'a> {
    order_id: &'a str,
    plate: Option<&'a str>,
    parking_id: &'a str,
    parking_name: &'a str,
    entrance_time: Timestamp,
    exit_time: Option<Timestamp>,
    parking_fee: Amount,
    cash: Amount,
    electronic: Amount,
}

impl<'a> Closed<'a> {
    /// The order's facts.
    pub fn of(order: &'a OrderSnapshot) -> Self {
        Self {
            order_id: order.order_id.as_str(),
            plate: order.plate.as_ref().map(crate::model::Plate::as_str),
            parking_id: &order.parking_id,
            parking_name: &order.parking_name,
            entrance_time: order.entrance_at,
            exit_time: order.exit_at,
            parking_fee: order.state.fee(),
            cash: order.state.cash(),
            electronic: order.state.booked(),
        }
    }
}

/// An open order as `platform unpaid --json` prints it.
#[derive(Serialize)]
pub struct Open<'a> {
    order_id: &'a str,
    plate: Option<&'a str>,
    parking_id: &'a str,
    parking_name: &'a str,
    entrance_time: Timestamp,
    parking_fee: Amount,
    /// Paid so far.
    electronic: Amount,
    remaining_fee: Amount,
    /// Whether it came; itself it is a secret.
    has_verification_info: bool,
}

impl<'a> Open<'a> {
    /// The order's facts.
    pub fn of(order: &'a UnpaidOrder) -> Self {
        let snapshot = &order.snapshot;
        Self {
            order_id: snapshot.order_id.as_str(),
            plate: snapshot.plate.as_ref().map(crate::model::Plate::as_str),
            parking_id: &snapshot.parking_id,
            parking_name: &snapshot.parking_name,
            entrance_time: snapshot.entrance_at,
            parking_fee: snapshot.state.fee(),
            electronic: snapshot.state.booked(),
            remaining_fee: snapshot.state.due(),
            has_verification_info: has_verification_info(order),
        }
    }
}

fn has_verification_info(order: &UnpaidOrder) -> bool {
    !order.verification_info.expose_secret().is_empty()
}

/// Closed orders as a table.
pub fn history(page: &mut Page, lang: Lang, listing: &Listing<OrderSnapshot>) {
    if !listing.records.is_empty() {
        let header = pick(
            lang,
            ["订单", "车牌", "车场", "入场", "出场", "停车费", "现金", "电子支付"],
            ["order", "plate", "car park", "entrance", "exit", "fee", "cash", "electronic"],
        );
        let mut grid = Grid::new(&header, &[5, 6, 7]);
        for order in &listing.records {
            let state = order.state;
            grid.row([
                order.order_id.to_string(),
                order.plate.as_ref().map(ToString::to_string).unwrap_or_default(),
                order.parking_name.clone(),
                order.entrance_at.wall(),
                order.exit_at.map(Timestamp::wall).unwrap_or_default(),
                state.fee().grouped(),
                state.cash().grouped(),
                state.booked().grouped(),
            ]);
        }
        page.grid(&grid);
    }
    below(page, lang, listing);
}

/// Open orders as a table.
pub fn unpaid(page: &mut Page, lang: Lang, listing: &Listing<UnpaidOrder>) {
    if !listing.records.is_empty() {
        let header = pick(
            lang,
            ["订单", "车场", "入场", "停车费", "已付", "待付", "验证信息"],
            ["order", "car park", "entrance", "fee", "paid", "remaining", "verification"],
        );
        let mut grid = Grid::new(&header, &[3, 4, 5]);
        for order in &listing.records {
            let snapshot = &order.snapshot;
            let came = if has_verification_info(order) { pick(lang, "有", "yes") } else { pick(lang, "无", "no") };
            grid.row([
                snapshot.order_id.to_string(),
                snapshot.parking_name.clone(),
                snapshot.entrance_at.wall(),
                snapshot.state.fee().grouped(),
                snapshot.state.booked().grouped(),
                snapshot.state.due().grouped(),
                came.to_owned(),
            ]);
        }
        page.grid(&grid);
    }
    below(page, lang, listing);
}

/// What stands below a table: that it may be cut, and the records that could not be read.
fn below<T>(page: &mut Page, lang: Lang, listing: &Listing<T>) {
    if listing.may_be_cut() {
        page.colored(
            LOOK,
            pick(lang, "恰为常见的分页数量，平台可能截断了列表", "a round number: the platform may have cut the list"),
        );
    }
    rejected(page, lang, &listing.rejected);
}

fn rejected(page: &mut Page, lang: Lang, records: &[RejectedRecord]) {
    if records.is_empty() {
        return;
    }
    let count = records.len();
    page.colored(
        LOOK,
        match lang {
            Lang::Zh => format!("无法读取的记录：{count}"),
            Lang::En => format!("records that cannot be read: {count}"),
        },
    );
    for record in records {
        let id = record.order_id.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
        page.line(format_args!("  {}{}", visible(&id), visible(&record.reason)));
    }
}

/// A car park as `platform lots --json` prints it.
#[derive(Serialize)]
struct ListedLot<'a> {
    id: &'a LotId,
    name: &'a str,
    kind: &'a str,
    level: &'a str,
    payment: &'a str,
    capacity: &'a str,
    distance: &'a str,
    free_minutes: Option<u32>,
    estimated_cost_of_4h: Option<String>,
    lon: Option<String>,
    lat: Option<String>,
}

impl<'a> ListedLot<'a> {
    fn of(lot: &'a Lot) -> Self {
        Self {
            id: &lot.id,
            name: &lot.name,
            kind: match &lot.kind {
                LotKind::Own => "own",
                LotKind::ThirdParty => "third_party",
                LotKind::Other(text) => text,
            },
            level: match &lot.level {
                LotLevel::AboveGround => "above_ground",
                LotLevel::BelowGround => "below_ground",
                LotLevel::Both => "both",
                LotLevel::Other(text) => text,
            },
            payment: match &lot.payment {
                LotPayment::Electronic => "electronic",
                LotPayment::NotElectronic => "not_electronic",
                LotPayment::Other(text) => text,
            },
            capacity: &lot.capacity,
            distance: &lot.distance,
            free_minutes: lot.free_minutes,
            estimated_cost_of_4h: lot.cost_of_4h.map(|cost| cost.to_string()),
            lon: lot.lon.map(|lon| lon.to_string()),
            lat: lot.lat.map(|lat| lat.to_string()),
        }
    }
}

/// What `platform lots --json` prints.
#[derive(Serialize)]
pub struct LotsJson<'a> {
    lots: Vec<ListedLot<'a>>,
    rejected: Vec<Rejected<'a>>,
    /// There are more than were asked for, or may be.
    more: bool,
    /// Why the list is cut, where it is.
    cut: Option<&'a str>,
}

/// Car parks of all pages.
#[derive(Default)]
pub struct FoundLots {
    /// Those that could be read.
    pub lots: Vec<Lot>,
    /// Those that could not.
    pub rejected: Vec<RejectedRecord>,
    /// There are more than were asked for.
    pub more: bool,
    /// The platform did not get to the end of the list, and why.
    pub cut: Option<String>,
}

impl FoundLots {
    /// Whether no page brought anything.
    pub fn is_empty(&self) -> bool {
        self.lots.is_empty() && self.rejected.is_empty()
    }

    /// As JSON.
    pub fn json(&self) -> LotsJson<'_> {
        LotsJson {
            lots: self.lots.iter().map(ListedLot::of).collect(),
            rejected: self.rejected.iter().map(Rejected::of).collect(),
            more: self.more || self.cut.is_some(),
            cut: self.cut.as_deref(),
        }
    }

    /// As a table.
    pub fn print(&self, page: &mut Page, lang: Lang) {
        let count = self.lots.len();
        page.line(match lang {
            Lang::Zh => format!("车场：{count}"),
            Lang::En => format!("car parks: {count}"),
        });
        if count > 0 {
            let header = pick(
                lang,
                ["ID", "名称", "距离", "车位", "类型", "位置", "电子支付", "免费分钟", "4 小时估价"],
                ["id", "name", "distance", "spaces", "whose", "where", "electronic", "free min", "4 h about"],
            );
            let mut grid = Grid::new(&header, &[2, 7, 8]);
            self.lots.iter().for_each(|lot| grid.row(lot_cells(lang, lot)));
            page.grid(&grid);
        }
        if self.more {
            page.line(pick(lang, "还有更多；加大 --limit 或不加", "there are more: raise --limit, or leave it out"));
        }
        rejected(page, lang, &self.rejected);
    }
}

fn lot_cells(lang: Lang, lot: &Lot) -> [String; 9] {
    let kind = match &lot.kind {
        LotKind::Own => pick(lang, "自营", "ETCP's own"),
        LotKind::ThirdParty => pick(lang, "三方", "third party's"),
        LotKind::Other(text) => text,
    };
    let level = match &lot.level {
        LotLevel::AboveGround => pick(lang, "地上", "above ground"),
        LotLevel::BelowGround => pick(lang, "地下", "below ground"),
        LotLevel::Both => pick(lang, "地上+地下", "both"),
        LotLevel::Other(text) => text,
    };
    let payment = match &lot.payment {
        LotPayment::Electronic => pick(lang, "是", "yes"),
        LotPayment::NotElectronic => pick(lang, "否", "no"),
        LotPayment::Other(text) => text,
    };
    [
        lot.id.as_str().to_owned(),
        lot.name.clone(),
        lot.distance.clone(),
        lot.capacity.clone(),
        kind.to_owned(),
        level.to_owned(),
        payment.to_owned(),
        lot.free_minutes.map(|minutes| minutes.to_string()).unwrap_or_default(),
        lot.cost_of_4h.map(|cost| cost.to_string()).unwrap_or_default(),
    ]
}

/// What `platform lot-status --json` prints.
#[derive(Serialize)]
pub struct LotStatusJson<'a> {
    id: &'a LotId,
    total_spaces: u32,
    status: &'a str,
    at: Timestamp,
}

/// How full a car park is, as JSON.
pub fn lot_status_json<'a>(id: &'a LotId, status: &'a LotStatus) -> LotStatusJson<'a> {
    LotStatusJson { id, total_spaces: status.total_spaces, status: &status.status, at: status.at }
}

/// How full a car park is, as a table.
pub fn lot_status(page: &mut Page, lang: Lang, id: &LotId, status: &LotStatus) {
    let header = pick(lang, ["ID", "车位", "总车位数", "时间"], ["id", "spaces", "spaces in all", "at"]);
    let mut grid = Grid::new(&header, &[2]);
    grid.row([id.as_str().to_owned(), status.status.clone(), status.total_spaces.to_string(), status.at.wall()]);
    page.grid(&grid);
}
