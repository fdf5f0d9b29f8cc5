//! What the fuzz targets share: a bill is read, and everything that must hold of any bill is checked.
//!
//! - `props` reads a bill from bytes and checks what the reading gave.
//! - `repair` corrects a bill's own totals by what the refusal says, so that changed rows get past them.
//! - `frame` puts a channel's header and totals around bare rows, `records` makes `UnionPay`'s records of short
//!   ones, `pack` puts bytes into archives: so the fuzzer's changes meet the reader and not the door.

pub mod frame;
pub mod pack;
pub mod props;
pub mod records;
pub mod repair;

use etcp_recon::bills::{BillSource, Place, Places, Profile, Role};

/// A source of bills of one profile, with order id and plate in the column `free`.
pub fn source(profile: Profile, free: &str) -> BillSource {
    let place = |pattern: &str| Place {
        column: free.to_owned(),
        pattern: Some(pattern.parse().expect("a regular expression")),
    };
    BillSource {
        name: "fuzz".to_owned(),
        profile,
        id_prefix: "FZ-".to_owned(),
        role: Role::Trade,
        places: Places { order_id: Some(place(r"([A-Z]\d{2})")), plate: Some(place(r"(?:停车费|plate)[-:](\S+)")) },
        ..BillSource::default()
    }
}
