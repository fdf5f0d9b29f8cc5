//! The signature of a request (§5.4): `UPPER(hex(md5(data + merchant_key + time_stamp)))`.
//!
//! The parts are fed to the hash one after the other, so that the text with the key in it never
//! stands in memory as a whole.

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};

/// The signature of `data`, exactly as it is sent, at `time_stamp` (`yyyyMMddHHmmss`).
///
/// `strip_whitespace` takes every space, tab, CR and LF out of the signed text first: public code
/// for this platform does that, its document does not say so.
pub fn sign(data: &str, key: &SecretString, time_stamp: &str, strip_whitespace: bool) -> String {
    let mut hasher = Md5::new();
    for part in [data, key.expose_secret(), time_stamp] {
        if strip_whitespace {
            part.split([' ', '\t', '\r', '\n']).for_each(|piece| hasher.update(piece));
        } else {
            hasher.update(part);
        }
    }
    hex::encode_upper(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"{"param1":"value1","param2":"value2","param3":"value3"}"#;

    fn key(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn the_documents_vector_holds_in_both_readings() {
        for strip in [false, true] {
            let signature = sign(DATA, &key("noxxxxx"), "20170721132452", strip);
            assert_eq!(signature, "A3DE1813F4DDBADFC18555E18A2E579D");
        }
    }

    #[test]
    fn stripping_takes_out_all_four_kinds_of_white_space_and_nothing_else() {
        let spaced = DATA.replace(',', " ,\t\r\n");
        assert_eq!(
            sign(&spaced, &key("nox xxxx"), "20170721132452", true),
            sign(DATA, &key("noxxxxx"), "20170721132452", false)
        );
        let wide = DATA.replace(',', "\u{3000},");
        assert_ne!(
            sign(&wide, &key("noxxxxx"), "20170721132452", true),
            sign(DATA, &key("noxxxxx"), "20170721132452", true)
        );
    }

    #[test]
    fn by_default_what_is_sent_is_what_is_signed() {
        let spaced = DATA.replace(',', ", ");
        assert_ne!(
            sign(&spaced, &key("noxxxxx"), "20170721132452", false),
            sign(DATA, &key("noxxxxx"), "20170721132452", false)
        );
    }
}
