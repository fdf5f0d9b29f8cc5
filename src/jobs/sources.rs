//! The configured bill sources with the files that they claim.

use super::inbox::ClaimedSource;
use crate::config;

/// All configured sources, in the order of the config.
///
/// # Errors
/// When a glob is none; the config has checked them.
pub fn claimed_sources(bills: &config::Bills) -> anyhow::Result<Vec<ClaimedSource>> {
    let claimed =
        |source: &config::BillSource| ClaimedSource::new(source.source.clone(), source.required, &source.files);
    bills.sources.iter().map(claimed).collect()
}

#[cfg(test)]
mod tests;
