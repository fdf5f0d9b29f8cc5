//! `WeChat` Pay 交易账单. Bare rows get a frame (see `frame`), totals are corrected (see `repair`).
#![no_main]

use std::sync::LazyLock;

use etcp_recon::bills::{BillSource, Profile};
use etcp_recon_fuzz::frame::wechat_trade;
use etcp_recon_fuzz::repair::{Totals, check_repaired};
use libfuzzer_sys::fuzz_target;

static SOURCE: LazyLock<BillSource> = LazyLock::new(|| etcp_recon_fuzz::source(Profile::WechatTrade, "商户数据包"));

fuzz_target!(|input: &[u8]| check_repaired(wechat_trade(input), &SOURCE, Totals::Table));
