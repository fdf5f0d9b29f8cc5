//! What a file is, told from its first bytes: always the same, and what the reading then goes by.
#![no_main]

use std::io::Cursor;
use std::sync::LazyLock;

use etcp_recon::bills::detect::{Found, choose, detect};
use etcp_recon::bills::{BillItem, BillSource, Packing, Profile, read_bill};
use libfuzzer_sys::fuzz_target;

static SOURCE: LazyLock<BillSource> = LazyLock::new(BillSource::default);

fuzz_target!(|input: &[u8]| {
    let found = detect(input).map_err(|error| error.to_string());
    assert_eq!(found, detect(input).map_err(|error| error.to_string()));
    let read = read_bill(Cursor::new(input), &SOURCE, &mut |_: BillItem| {});
    match (found, read) {
        (Ok(Found::Profile(profile)), Ok(summary)) => {
            assert_eq!(summary.profile, profile);
            assert_eq!(choose(Profile::Auto, profile).ok(), Some(profile));
            assert_eq!(choose(profile, profile).ok(), Some(profile));
        }
        (Ok(Found::Unknown), Ok(summary)) => {
            assert!(summary.packing != Packing::Plain || summary.profile == Profile::Generic);
        }
        (Ok(Found::Summary), Ok(_)) => panic!("a summary was read as a bill"),
        (Err(refusal), Ok(summary)) => assert_ne!(summary.packing, Packing::Plain, "read, but: {refusal}"),
        (Err(refusal), Err(error)) => {
            is_readable(&refusal);
            is_readable(&error.to_string());
        }
        (Ok(_), Err(error)) => is_readable(&error.to_string()),
    }
});

/// No control characters but the line break before a hint.
fn is_readable(text: &str) {
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control characters in a message: {text:?}");
}
