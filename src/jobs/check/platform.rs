//! Whether the platform can be reached and takes our signature, and how far the clocks are apart.
//!
//! With a roster it is asked as a run would ask, for the first user. A sign-in voids the user's token
//! of before, so it must not race against a run: that needs the lock. Without a roster a call with a
//! void token changes nothing, and its 20101 says that signature and merchant number were accepted.

use std::sync::Arc;

use secrecy::SecretString;

use super::{Checked, Level, What, same_in_both, store_error, told};
use crate::clock::Clock;
use crate::config::Settings;
use crate::etcp::{Client, Code, EtcpError, Sessions, skew_in_chinese, skew_in_words};
use crate::jobs::platform::{StoredTokens, client};
use crate::jobs::pull::{User, users};
use crate::jobs::run::database_path;
use crate::report::data::Sentence;
use crate::store::{RunLock, Store};

/// A difference of the clocks that wants a person's eye, far below what makes a time stamp expire.
const NOTABLE_SKEW_S: u64 = 30;

/// What the platform said.
enum Asked {
    /// A user's history was read: how many orders, how many records that cannot be.
    Read {
        user: User,
        orders: usize,
        rejected: usize,
    },
    /// A call with a void token was refused as such.
    TokenRefused,
    Failed(EtcpError),
}

/// Asks the platform one thing that changes nothing.
pub(super) async fn platform(checked: &mut Checked, settings: &Settings, store: Option<&Store>, clock: &Clock) {
    let client = match client(settings, clock) {
        Ok(client) => client,
        Err(error) => {
            checked.wrong_config = true;
            let otherwise = Sentence::new("检查 [platform] 与 [merchant]", "look at [platform] and [merchant]");
            return checked.error(What::Platform, error.as_ref(), otherwise);
        }
    };
    let first = match store.map(Store::roster).transpose() {
        Ok(roster) => store.zip(users(&roster.unwrap_or_default()).into_iter().next()),
        Err(error) => return store_error(checked, What::Roster, &error),
    };
    let asked = match first {
        None => without_token(&client).await,
        Some((store, user)) => match RunLock::try_acquire(database_path(settings)) {
            Ok(Some(_lock)) => as_user(&client, store, user, clock).await,
            Ok(None) => return another_run(checked),
            Err(error) => {
                let hint = Sentence::new("检查数据库目录的权限", "look at the rights of the database's folder");
                return checked.error(What::Platform, &error, hint);
            }
        },
    };
    let accepted = !matches!(&asked, Asked::Failed(error) if !is_about_the_user(error));
    answer(checked, &asked, &settings.platform.base_url);
    skew(checked, &client);
    if let (true, Some(store)) = (accepted, store) {
        signature_of_payments(checked, store);
    }
}

async fn without_token(client: &Client) -> Asked {
    match client.history(&SecretString::from("check")).await {
        Ok(_) | Err(EtcpError::InvalidToken) => Asked::TokenRefused,
        Err(error) => Asked::Failed(error),
    }
}

async fn as_user(client: &Client, store: &Store, user: User, clock: &Clock) -> Asked {
    let tokens = match StoredTokens::beside(store) {
        Ok(tokens) => tokens,
        Err(error) => return Asked::Failed(EtcpError::TokenStore { reason: error.to_string() }),
    };
    let Some(plate) = user.plates.first().cloned() else { return without_token(client).await };
    let sessions = Sessions::new(client.clone(), Arc::new(tokens), clock.clone());
    match sessions.with(&user.mobile, &plate, |token| async move { client.history(&token).await }).await {
        Ok(listing) => Asked::Read { user, orders: listing.records.len(), rejected: listing.rejected.len() },
        Err(error) => Asked::Failed(error),
    }
}

fn another_run(checked: &mut Checked) {
    checked.add(
        What::Platform,
        Level::Warning,
        Sentence::new(
            "正在对账，为不使其令牌失效而未询问平台",
            "not asked: a run is under way, and a sign-in would void its tokens",
        ),
        Sentence::new("对账结束后再检查", "check again when it is over"),
    );
}

/// Whether signature and merchant number were accepted all the same.
fn is_about_the_user(error: &EtcpError) -> bool {
    matches!(error, EtcpError::InvalidToken | EtcpError::Refused { .. })
}

fn answer(checked: &mut Checked, asked: &Asked, base_url: &str) {
    match asked {
        Asked::TokenRefused => checked.ok(
            What::Platform,
            format!("{base_url} 可达，接受签名与商户号(名册为空，未登录用户)"),
            format!("{base_url} answers and accepts signature and merchant number (no roster yet, so no sign-in)"),
        ),
        Asked::Read { user, orders, rejected } => {
            let mobile = user.mobile.masked();
            checked.ok(
                What::Platform,
                format!("{base_url} 可达，接受签名；用户 {mobile} 有 {orders} 个历史订单"),
                format!("{base_url} answers and accepts the signature; user {mobile} has {orders} closed orders"),
            );
            if *rejected > 0 {
                checked.add(
                    What::Platform,
                    Level::Warning,
                    Sentence::new(
                        format!("其中 {rejected} 条记录无法读懂"),
                        format!("{rejected} of the records cannot be read"),
                    ),
                    Sentence::new("对账报告会逐条列出", "the report of a run names each of them"),
                );
            }
        }
        Asked::Failed(error) if is_about_the_user(error) => {
            let (message, _) = told(error);
            checked.add(
                What::Platform,
                Level::Warning,
                Sentence::new(
                    format!("{base_url} 可达，接受签名；但名册中第一个用户：{message}"),
                    format!("{base_url} answers and accepts the signature; but of the roster's first user: {message}"),
                ),
                Sentence::new(
                    "检查该用户的手机号与车牌；其他程序若也登录同一用户，令牌会互相作废",
                    "look at the user's number and plate; another program that signs the same user in voids our token",
                ),
            );
        }
        Asked::Failed(error) => {
            let otherwise = Sentence::new(
                "检查 [platform] base_url 或 environment、网络、代理与防火墙",
                "look at [platform] base_url or environment, at network and firewall",
            );
            checked.error(What::Platform, error, otherwise);
        }
    }
}

fn skew(checked: &mut Checked, client: &Client) {
    let Some(ahead_s) = client.clock_skew_s() else { return };
    let message = Sentence::new(
        format!("平台时钟{}", skew_in_chinese(ahead_s)),
        format!("the platform's clock is {}", skew_in_words(ahead_s)),
    );
    let hint = Sentence::new("校准本机时钟(NTP)", "set this machine's clock (NTP)");
    if client.clock_correction_s() != 0 {
        checked.add(What::Clock, Level::Wrong, message, hint);
    } else if ahead_s.unsigned_abs() > NOTABLE_SKEW_S {
        checked.add(What::Clock, Level::Warning, message, hint);
    } else {
        checked.ok(
            What::Clock,
            format!("与平台相差 {} 秒", ahead_s.unsigned_abs()),
            format!("{} s from the platform's", ahead_s.unsigned_abs()),
        );
    }
}

/// `orderpaid` alone is refused as badly signed when the platform signs without white space: only its
/// data has any.
fn signature_of_payments(checked: &mut Checked, store: &Store) {
    match store.newest_attempt_code() {
        Ok(Some(code)) if code == Code::BadSignature.number() => checked.add(
            What::Platform,
            Level::Warning,
            Sentence::new(
                "最近一次支付通知被答以代码 4，而其他请求的签名被接受",
                "the newest orderpaid was answered code 4, while other calls are accepted",
            ),
            same_in_both("[platform] signature.strip_whitespace = true"),
        ),
        Ok(_) => {}
        Err(error) => store_error(checked, What::Platform, &error),
    }
}
