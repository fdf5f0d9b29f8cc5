//! Where a bill comes from and how it is to be read.

use serde::{Deserialize, Serialize};

use super::{GenericFormat, Places};

/// The format of a bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Told from the content.
    #[default]
    Auto,
    /// Text with delimiters and a header, as [`GenericFormat`] says.
    Generic,
    /// Alipay 业务明细.
    AlipayTrade,
    /// Alipay 账务明细.
    AlipayLedger,
    /// `WeChat` Pay 交易账单.
    WechatTrade,
    /// `WeChat` Pay 资金账单.
    WechatFundflow,
    /// `UnionPay` ZM, fixed width.
    UnionpayZm,
}

impl Profile {
    /// Every profile, in the order in which help and messages list them.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::Generic,
        Self::AlipayTrade,
        Self::AlipayLedger,
        Self::WechatTrade,
        Self::WechatFundflow,
        Self::UnionpayZm,
    ];

    /// The name in config, on the command line and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Generic => "generic",
            Self::AlipayTrade => "alipay-trade",
            Self::AlipayLedger => "alipay-ledger",
            Self::WechatTrade => "wechat-trade",
            Self::WechatFundflow => "wechat-fundflow",
            Self::UnionpayZm => "unionpay-zm",
        }
    }

    /// The profile called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

/// What the rows of a bill are evidence of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Of payments.
    #[default]
    Trade,
    /// Of the same payments a second time (ledger, fund flow): where a trade bill tells of a
    /// payment, that one counts.
    Ledger,
}

/// A configured source of bills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillSource {
    /// Its name; payment ids are unique within it.
    pub name: String,
    /// The format, or [`Profile::Auto`].
    pub profile: Profile,
    /// Put before the payment id where a row has no external order id of its own.
    pub id_prefix: String,
    /// What its rows are evidence of.
    pub role: Role,
    /// Where its bills hold the order id and the plate, beyond what their format says.
    pub places: Places,
    /// How the profile `generic` reads it.
    pub generic: GenericFormat,
}

impl BillSource {
    /// What a bill of `profile` is evidence of: the channels' ledgers are ledgers whatever a config says.
    pub const fn role_of(&self, profile: Profile) -> Role {
        match profile {
            Profile::AlipayLedger | Profile::WechatFundflow => Role::Ledger,
            Profile::AlipayTrade | Profile::WechatTrade | Profile::UnionpayZm => Role::Trade,
            Profile::Auto | Profile::Generic => self.role,
        }
    }
}

impl Default for BillSource {
    /// A source that is not configured.
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            profile: Profile::Auto,
            id_prefix: String::new(),
            role: Role::Trade,
            places: Places::default(),
            generic: GenericFormat::default(),
        }
    }
}
