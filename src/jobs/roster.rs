//! The roster from a file into the database: read whole, compared, merged in one transaction.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::config::roster::{RosterError, read_roster};
use crate::model::Plate;
use crate::store::RosterPlate;

/// Why a roster file is not taken; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RosterFileError {
    /// It cannot be opened.
    #[error("cannot open the roster {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("the roster {} is not taken; nothing was changed", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, and where.
        source: RosterError,
    },
}

/// Reads a roster file, in its order.
///
/// # Errors
/// When it cannot be opened, or at its first line that is wrong.
pub fn roster_file(path: &Path) -> Result<Vec<RosterPlate>, RosterFileError> {
    let file = File::open(path).map_err(|source| RosterFileError::Open { path: path.to_owned(), source })?;
    let entries = read_roster(file).map_err(|source| RosterFileError::Wrong { path: path.to_owned(), source })?;
    let plates = entries.into_iter();
    Ok(plates.map(|entry| RosterPlate { plate: entry.plate, mobile: entry.mobile, color: entry.color }).collect())
}

/// The plates of `current` that `wanted` does not name, in the order of `current`: what `--replace` takes out.
pub fn dropped<'a>(current: &'a [RosterPlate], wanted: &[RosterPlate]) -> Vec<&'a RosterPlate> {
    let kept: HashSet<&Plate> = wanted.iter().map(|entry| &entry.plate).collect();
    current.iter().filter(|entry| !kept.contains(&entry.plate)).collect()
}

/// The plates that get another user or colour: as they are, and as they will be.
pub fn changed<'a>(current: &'a [RosterPlate], wanted: &'a [RosterPlate]) -> Vec<(&'a RosterPlate, &'a RosterPlate)> {
    let now: HashMap<&Plate, &RosterPlate> = current.iter().map(|entry| (&entry.plate, entry)).collect();
    let pairs = wanted.iter().filter_map(|entry| Some((*now.get(&entry.plate)?, entry)));
    pairs.filter(|(before, after)| before != after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mobile;

    fn entry(plate: &str, mobile: &str) -> RosterPlate {
        RosterPlate { plate: Plate::parse(plate).unwrap(), mobile: Mobile::parse(mobile).unwrap(), color: 1 }
    }

    #[test]
    fn replacing_drops_what_the_file_does_not_name() {
        let current = [entry("渝A00001", "13800000001"), entry("渝A00002", "13800000001")];
        let wanted = [entry("渝A00002", "13800000002"), entry("渝A00003", "13800000001")];
        assert_eq!(dropped(&current, &wanted), [&current[0]]);
        assert_eq!(changed(&current, &wanted), [(&current[1], &wanted[0])]);
        assert!(dropped(&current, &current).is_empty() && changed(&current, &current).is_empty());
    }

    #[test]
    fn a_wrong_line_is_named_without_the_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plates.csv");
        std::fs::write(&path, "mobile,plate\n13800000001,渝A00001\n13800000001,xx\n").unwrap();
        let error = anyhow::Error::new(roster_file(&path).unwrap_err());
        let text = format!("{error:#}");
        assert!(text.contains("plates.csv") && text.contains("line 3"), "{text}");
        assert!(!text.contains("13800000001"), "{text}");
    }
}
