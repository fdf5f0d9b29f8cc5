//! Alipay 业务明细. Bare rows get a frame (see `frame`), totals are corrected (see `repair`).
#![no_main]

use std::sync::LazyLock;

use etcp_recon::bills::{BillSource, Profile};
use etcp_recon_fuzz::frame::ALIPAY_TRADE;
use etcp_recon_fuzz::repair::{Totals, check_repaired};
use libfuzzer_sys::fuzz_target;

static SOURCE: LazyLock<BillSource> = LazyLock::new(|| etcp_recon_fuzz::source(Profile::AlipayTrade, "商品名称"));

fuzz_target!(|input: &[u8]| check_repaired(ALIPAY_TRADE.around(input), &SOURCE, Totals::Sentences));
