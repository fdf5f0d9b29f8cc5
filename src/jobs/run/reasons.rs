//! Why a run is partial. Pure.

use super::{Intake, Night, Telling};
use crate::jobs::inbox::BillStatus;
use crate::jobs::notify::Stopped;
use crate::jobs::outage::Outage;
use crate::jobs::pull::PullEnd;
use crate::report::data::{PartialReason, Sentence};
use crate::store::RunMode;

impl Night<'_> {
    /// Everything that keeps the run from being complete; empty when it is.
    pub(super) fn partial_reasons(&self, intake: &Intake, telling: &Telling, unknown: u64) -> Vec<PartialReason> {
        let mut reasons = Vec::new();
        let failed = intake.coverage.iter().flatten().filter(|row| row.failure.is_some()).count();
        if failed > 0 {
            reasons.push(PartialReason::PlatesNotPulled { count: u64::try_from(failed).unwrap_or(u64::MAX) });
        }
        if intake.pull_ended == PullEnd::Outage {
            let limit = Outage::LIMIT;
            reasons.push(PartialReason::Other {
                text: Sentence::new(
                    format!("平台连续 {limit} 个用户无法查询，已提前结束查询，其余用户本次未查询"),
                    format!("the platform could not be asked for {limit} users in a row; the pull ended early, the others were not asked"),
                ),
            });
        }
        let refused = intake.inbox.bills.iter().filter(|bill| bill.status == BillStatus::Refused && bill.blocks);
        reasons.extend(refused.map(|bill| PartialReason::BillRefused { file: bill.file.clone() }));
        let missing = intake.missing_sources.iter();
        reasons.extend(missing.map(|source| PartialReason::BillMissing { source: source.clone() }));
        if self.options.mode == RunMode::Live && unknown > 0 {
            reasons.push(PartialReason::NotificationsUnknown { count: unknown });
        }
        if telling.unsent > 0 {
            let count = telling.unsent;
            reasons.push(PartialReason::Other {
                text: Sentence::new(
                    format!("{count} 笔待通知的支付未能发送：无法向平台核实费用，或车牌不在名册"),
                    format!("{count} payments due could not be told: the fee could not be asked again, or the plate is not in the roster"),
                ),
            });
        }
        match telling.stopped {
            None => {}
            Some(Stopped::Refused(code)) => reasons.push(PartialReason::SendingStopped { code: code.number() }),
            Some(Stopped::Breaker) => {
                let count = u64::from(crate::notify::Breaker::LIMIT);
                reasons.push(PartialReason::BreakerOpen { count });
            }
            Some(Stopped::Unreachable) => reasons.push(PartialReason::Other {
                text: Sentence::new(
                    "平台连续对多个用户查询失败，本次不再发送支付通知",
                    "the platform could not be asked for several users in a row; nothing more was sent",
                ),
            }),
            Some(Stopped::Deadline) => reasons.push(PartialReason::DeadlineReached),
            Some(Stopped::TwoBookings) => reasons.push(PartialReason::Other {
                text: Sentence::new(
                    "平台对同一订单返回了两个不同的入账号，已停止发送",
                    "the platform named two different bookings for one order; nothing more was sent",
                ),
            }),
        }
        reasons
    }
}
