//! `UnionPay` ZM. Records may come in short form (see `records`).
#![no_main]

use std::sync::LazyLock;

use etcp_recon::bills::{BillSource, Profile};
use etcp_recon_fuzz::props::check;
use etcp_recon_fuzz::records::laid_out;
use libfuzzer_sys::fuzz_target;

static SOURCE: LazyLock<BillSource> = LazyLock::new(|| etcp_recon_fuzz::source(Profile::UnionpayZm, "商户自定义域"));

// A refusal is no fault; `check` has looked at it.
fuzz_target!(|input: &[u8]| drop(check(&laid_out(input), &SOURCE)));
