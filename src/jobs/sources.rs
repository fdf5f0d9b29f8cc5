//! The configured bill sources as the readers of bills take them.

use super::inbox::ClaimedSource;
use crate::bills::{BillSource, Columns, Delimiter, GenericFormat, Places, Profile, Role, StatusMeaning, Unit};
use crate::config;

/// All configured sources, in the order of the config.
///
/// # Errors
/// When a glob is none; the config has checked them.
pub fn claimed_sources(bills: &config::Bills) -> anyhow::Result<Vec<ClaimedSource>> {
    bills.sources.iter().map(|source| ClaimedSource::new(bill_source(source), source.required, &source.files)).collect()
}

/// One configured source.
pub fn bill_source(source: &config::BillSource) -> BillSource {
    let column = |name: &str| source.columns.get(name).cloned();
    let mut generic = GenericFormat {
        columns: Columns {
            payment_id: column("payment_id"),
            order_id: column("order_id"),
            plate: column("plate"),
            amount: column("amount"),
            refund_amount: column("refund_amount"),
            status: column("status"),
            paid_at: column("paid_at"),
            channel: column("channel"),
            external_order_id: column("external_order_id"),
            trade_no: column("trade_no"),
            refund_id: column("refund_id"),
        },
        ..GenericFormat::default()
    };
    match source.delimiter {
        Some('\t') => generic.delimiter = Delimiter::Tab,
        Some('|') => generic.delimiter = Delimiter::Pipe,
        Some(_) => generic.delimiter = Delimiter::Comma,
        None => {}
    }
    match source.unit {
        Some(config::Unit::Fen) => generic.unit = Unit::Fen,
        Some(config::Unit::Yuan) => generic.unit = Unit::Yuan,
        None => {}
    }
    generic.status = source
        .status
        .iter()
        .map(|(word, meaning)| {
            let meaning = match meaning {
                config::StatusWord::Payment => StatusMeaning::Payment,
                config::StatusWord::Refund => StatusMeaning::Refund,
                config::StatusWord::Ignored => StatusMeaning::Ignored,
            };
            (word.clone(), meaning)
        })
        .collect();
    BillSource {
        name: source.name.clone(),
        profile: Profile::from_name(source.profile).unwrap_or(Profile::Auto),
        id_prefix: source.id_prefix.clone(),
        role: match source.role {
            Some(config::SourceRole::Ledger) => Role::Ledger,
            Some(config::SourceRole::Trade) | None => Role::Trade,
        },
        places: Places::default(),
        generic,
    }
}
