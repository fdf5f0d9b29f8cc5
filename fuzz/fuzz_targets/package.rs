//! Plain, gzip and zip, with any bill in it. The input may be what is to be packed (see `pack`).
#![no_main]

use std::sync::LazyLock;

use etcp_recon::bills::BillSource;
use etcp_recon_fuzz::pack::packed;
use etcp_recon_fuzz::props::check;
use libfuzzer_sys::fuzz_target;

static SOURCE: LazyLock<BillSource> = LazyLock::new(BillSource::default);

// A refusal is no fault; `check` has looked at it.
fuzz_target!(|input: &[u8]| drop(check(&packed(input), &SOURCE)));
