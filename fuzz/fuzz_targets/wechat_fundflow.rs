//! `WeChat` Pay 资金账单. Bare rows get a frame (see `frame`), totals are corrected (see `repair`).
#![no_main]

use std::sync::LazyLock;

use etcp_recon::bills::{BillSource, Profile};
use etcp_recon_fuzz::frame::wechat_fundflow;
use etcp_recon_fuzz::repair::{Totals, check_repaired};
use libfuzzer_sys::fuzz_target;

static SOURCE: LazyLock<BillSource> = LazyLock::new(|| etcp_recon_fuzz::source(Profile::WechatFundflow, "业务凭证号"));

fuzz_target!(|input: &[u8]| check_repaired(wechat_fundflow(input), &SOURCE, Totals::Table));
