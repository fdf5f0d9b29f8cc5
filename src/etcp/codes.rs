//! The platform's codes (§10), in both languages, and what each one means for a caller.

use std::fmt;

/// What a caller does about a code.
///
/// It is about calls that only ask. On `orderpaid` a code speaks about its own attempt alone, and
/// `notify` decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Go on with the data.
    Proceed,
    /// Ask again, with backoff.
    Retry,
    /// Correct the clock by the answer's `Date`, then ask once more.
    CorrectClock,
    /// Sign in once more, then ask once more.
    SignIn,
    /// Send nothing more: the key, the merchant number or the reading of the signature is wrong.
    Stop,
    /// A fault of ours or of the record: asking again changes nothing.
    Fault,
    /// The user has to do something.
    TellUser,
    /// Paid and due differ: a discrepancy, never tried with another amount.
    Discrepancy,
    /// No retry; what became of a change is to be read from the facts.
    NoRetry,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $chinese:literal, $english:literal, $treatment:ident;)+) => {
        /// A code of the platform.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)+
            /// One that the document does not list.
            Other(i64),
        }

        impl Code {
            /// All codes that the document lists.
            pub const LISTED: &'static [Self] = &[$(Self::$variant,)+];

            /// The code with that number.
            pub const fn from_i64(number: i64) -> Self {
                match number { $($number => Self::$variant,)+ other => Self::Other(other) }
            }

            /// Its number.
            pub const fn number(self) -> i64 {
                match self { $(Self::$variant => $number,)+ Self::Other(other) => other }
            }

            /// What it means, in Chinese, as the document words it.
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$variant => $chinese,)+ Self::Other(_) => "文档未列出的代码" }
            }

            /// What it means, in English.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$variant => $english,)+ Self::Other(_) => "a code that the document does not list" }
            }

            /// What a caller does about it.
            pub const fn treatment(self) -> Treatment {
                match self { $(Self::$variant => Treatment::$treatment,)+ Self::Other(_) => Treatment::NoRetry }
            }
        }
    };
}

codes! {
    /// Success.
    Success = 0, "成功", "success", Proceed;
    /// Failure, nothing more said.
    Failure = 1, "失败", "failure", NoRetry;
    /// A fault of the platform.
    ServerFault = 2, "服务器异常", "server fault", Retry;
    /// The time stamp is too far from the platform's clock.
    TimestampExpired = 3, "时间戳超时", "timestamp expired", CorrectClock;
    /// The signature does not fit.
    BadSignature = 4, "签名校验非法", "bad signature", Stop;
    /// The merchant number has no key.
    UnknownMerchant = 5, "没有找到商户密钥", "no merchant key found", Stop;
    /// A parameter is wrong.
    BadParameter = 6, "参数错误", "bad parameter", Fault;
    /// The order could not be updated.
    OrderUpdateFailed = 7, "更新订单失败", "order update failed", NoRetry;
    /// The order could not be created (the document prints 生产, meaning 生成).
    OrderCreationFailed = 8, "生成订单失败", "order creation failed", NoRetry;
    /// The operation failed.
    OperationFailed = 20100, "操作失败", "operation failed", NoRetry;
    /// The token is void.
    InvalidToken = 20101, "无效 token", "invalid token", SignIn;
    /// A parameter is missing.
    MissingParameter = 20102, "缺少必要参数", "missing parameter", Fault;
    /// The phone number is wrong.
    BadPhone = 20201, "手机号错误", "bad phone number", TellUser;
    /// No code could be had by SMS.
    NoSmsCode = 20202, "获取验证码失败", "no SMS code", TellUser;
    /// The code from the SMS is wrong.
    WrongSmsCode = 20203, "手机验证码错误", "wrong SMS code", TellUser;
    /// Paid and due differ.
    AmountMismatch = 20206, "支付金额与应付金额不匹配", "paid amount differs from the amount due", Discrepancy;
}

impl Code {
    /// Whether it is 0.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success)
    }

    /// Whether all sending stops: 4 and 5.
    pub const fn stops(self) -> bool {
        matches!(self.treatment(), Treatment::Stop)
    }

    /// What it means, in Chinese or in English.
    pub const fn text(self, in_chinese: bool) -> &'static str {
        if in_chinese { self.chinese() } else { self.english() }
    }
}

impl fmt::Display for Code {
    /// The number and its meaning: `20101 (invalid token)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number(), self.english())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_section_10_is_known_and_goes_there_and_back() {
        let numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 20100, 20101, 20102, 20201, 20202, 20203, 20206];
        assert_eq!(Code::LISTED.iter().map(|code| code.number()).collect::<Vec<_>>(), numbers);
        for code in Code::LISTED {
            assert_eq!(Code::from_i64(code.number()), *code);
            assert!(!code.chinese().is_empty() && !code.english().is_empty());
        }
        assert_eq!(Code::from_i64(20204), Code::Other(20204));
        assert_eq!(Code::Other(-1).number(), -1);
    }

    #[test]
    fn each_code_has_the_treatment_of_its_row() {
        use Treatment::{CorrectClock, Discrepancy, Fault, NoRetry, Proceed, Retry, SignIn, Stop, TellUser};
        let rows = [
            (Proceed, &[0][..]),
            (NoRetry, &[1, 7, 8, 20100, 99, -3]),
            (Retry, &[2]),
            (CorrectClock, &[3]),
            (Stop, &[4, 5]),
            (Fault, &[6, 20102]),
            (SignIn, &[20101]),
            (TellUser, &[20201, 20202, 20203]),
            (Discrepancy, &[20206]),
        ];
        for (treatment, numbers) in rows {
            for number in numbers {
                assert_eq!(Code::from_i64(*number).treatment(), treatment, "{number}");
            }
        }
        assert!(Code::BadSignature.stops() && Code::UnknownMerchant.stops() && !Code::Failure.stops());
    }
}
