//! HTTP by hand, and the platform's signature once more: for tests that look at the sandbox without any of our client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use md5::{Digest, Md5};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The content type of a POST to the platform.
pub const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";

/// Sends one request and reads the answer: status and body.
pub fn exchange(addr: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Type: {FORM}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// The four parameters of a call, signed with the sandbox's own key, for the time `20261123103000`.
pub fn signed(data: &str) -> String {
    let time_stamp = "20261123103000";
    let sign = hex::encode_upper(Md5::digest(format!("{data}sandbox-merchant-key{time_stamp}")));
    let merchant_no = "9827c6b5c6d94485b912b6e90c92a7ae";
    format!("merchant_no={merchant_no}&time_stamp={time_stamp}&data={}&sign={sign}", encoded(data))
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The fields of a form, decoded.
pub fn form_fields(form: &str) -> Vec<(String, String)> {
    form.split('&')
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), decoded(value))).unwrap())
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => bytes.extend(hex::decode([rest.next().unwrap(), rest.next().unwrap()]).unwrap()),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}
