//! The mail read back by an independent reader, and sent over a real socket to a small server.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use mail_parser::MimeHeaders;
use secrecy::SecretString;

use super::SmtpUrlError as E;
use super::*;

fn mailbox(text: &str) -> Mailbox {
    parse_mailbox(text).unwrap()
}

fn message() -> Message {
    let from = mailbox("停车对账 <recon@example.com>");
    Message {
        message_id: message_id("run 7", &from),
        from,
        to: vec![mailbox("财务 <finance@example.com>"), mailbox("boss@example.com")],
        cc: vec![mailbox("finance@example.com")],
        subject: "停车对账 2026-11-22：部分完成，差异 7 笔 ¥1,367.00".to_owned(),
        html: "<p>一致</p>\n.\n".to_owned(),
        text: "一致\n.\nFrom here on\n".to_owned(),
        pictures: vec![Picture { id: "chart@etcp-recon", png: b"\x89PNG not really".to_vec() }],
        attachments: vec![MailAttachment {
            file_name: "差异-2026-11-22.csv".to_owned(),
            content_type: "text/csv; charset=utf-8".to_owned(),
            content: "\u{feff}编号\r\n1\r\n".as_bytes().to_vec(),
        }],
        date: Timestamp::parse_wall("2026-11-23 10:31:07").unwrap(),
    }
}

#[test]
fn an_independent_reader_reads_what_was_written() {
    let raw = message().to_bytes().unwrap();
    assert!(raw.is_ascii());
    let mail = mail_parser::MessageParser::default().parse(&raw).unwrap();
    assert_eq!(mail.subject(), Some("停车对账 2026-11-22：部分完成，差异 7 笔 ¥1,367.00"));
    assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("停车对账"));
    assert_eq!(mail.to().unwrap().first().unwrap().name(), Some("财务"));
    assert_eq!(mail.date().unwrap().to_timestamp(), message().date.unix());
    assert_eq!(format!("<{}>", mail.message_id().unwrap()), message().message_id);
    assert_eq!(mail.body_text(0).unwrap(), "一致\r\n.\r\nFrom here on\r\n");
    assert_eq!(mail.body_html(0).unwrap(), "<p>一致</p>\r\n.\r\n");
    let charset = |part: &mail_parser::MessagePart<'_>| {
        part.content_type().and_then(|kind| kind.attribute("charset")).map(str::to_ascii_lowercase)
    };
    assert_eq!(charset(mail.text_bodies().next().unwrap()).as_deref(), Some("utf-8"));
    assert_eq!(charset(mail.html_bodies().next().unwrap()).as_deref(), Some("utf-8"));
    let kind = |part: &mail_parser::MessagePart<'_>| part.content_type().unwrap().subtype().unwrap().to_owned();
    let kinds: Vec<_> = mail.parts.iter().map(kind).collect();
    assert_eq!(kinds, ["mixed", "alternative", "plain", "related", "html", "png", "csv"]);
    let picture = mail.part(5).unwrap();
    assert_eq!(picture.content_id(), Some("chart@etcp-recon"));
    assert_eq!(picture.content_disposition().unwrap().ctype(), "inline");
    assert_eq!(picture.contents(), message().pictures[0].png);
    let file = mail.attachments().find(|part| part.attachment_name().is_some()).unwrap();
    assert_eq!(file.attachment_name(), Some("差异-2026-11-22.csv"));
    assert_eq!(file.contents(), message().attachments[0].content);
    let bare = Message { pictures: Vec::new(), ..message() }.to_bytes().unwrap();
    let bare = mail_parser::MessageParser::default().parse(&bare).unwrap();
    let kinds: Vec<_> = bare.parts.iter().map(kind).collect();
    assert_eq!(kinds, ["mixed", "alternative", "plain", "html", "csv"]);
}

#[test]
fn the_same_mail_is_the_same_bytes() {
    assert_eq!(message().to_bytes().unwrap(), message().to_bytes().unwrap());
    let from = &message().from;
    assert_eq!(message_id("a", from), message_id("a", from));
    assert_ne!(message_id("a", from), message_id("b", from));
}

#[test]
fn every_recipient_is_named_once_and_no_data_adds_one() {
    let hostile = Message { subject: "x\r\nBcc: thief@example.com".to_owned(), ..message() };
    let envelope = hostile.envelope().unwrap();
    let to: Vec<_> = envelope.to().iter().map(ToString::to_string).collect();
    assert_eq!(to, ["finance@example.com", "boss@example.com"]);
    let raw = hostile.to_bytes().unwrap();
    let mail = mail_parser::MessageParser::default().parse(&raw).unwrap();
    assert!(mail.bcc().is_none());
    assert_eq!(mail.subject(), Some("x[U+000D][U+000A]Bcc: thief@example.com"));
    let nobody = Message { to: Vec::new(), cc: Vec::new(), ..message() };
    assert!(matches!(nobody.envelope(), Err(MailError::Message { .. })));
    assert!(matches!(nobody.to_bytes(), Err(MailError::Message { .. })));
}

#[test]
fn what_cannot_stand_in_a_header_is_an_error_not_a_panic() {
    for name in ["a\r\nBcc: x@example.com", "a\nb", "a\0b", "a\u{7}b", "a\u{202e}b"] {
        assert!(parse_mailbox(&format!("{name} <a@example.com>")).is_err(), "{name:?}");
        let from = Mailbox::new(Some(name.to_owned()), "a@example.com".parse().unwrap());
        assert!(Message { from, ..message() }.to_bytes().is_err(), "{name:?}");
        let file = MailAttachment { file_name: name.to_owned(), ..message().attachments[0].clone() };
        assert!(Message { attachments: vec![file], ..message() }.to_bytes().is_err(), "{name:?}");
    }
    for id in ["", "a@b", "<a b@c>", "<a@b>\r\nX: y", "<号@b>"] {
        assert!(Message { message_id: id.to_owned(), ..message() }.to_bytes().is_err(), "{id:?}");
    }
    for text in ["", "nobody", "a@", "@b", "a b@c", "财务@example.com", "a@example.com\r\nRCPT TO:<b@c>"] {
        assert!(parse_mailbox(text).is_err(), "{text:?}");
    }
    assert_eq!(
        parse_mailbox("no\u{202e}body").unwrap_err().to_string(),
        "`no[U+202E]body` is no mail address: it has a control character or another that cannot be seen"
    );
    let far = Message { date: Timestamp::from_unix(i64::MAX), ..message() };
    assert!(far.to_bytes().is_ok());
}

#[test]
fn a_mail_in_a_folder_is_whole_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("mail");
    let raw = message().to_bytes().unwrap();
    let path = write_eml(&folder, "2026-11-22.eml", &raw).unwrap();
    assert_eq!(write_eml(&folder, "2026-11-22.eml", &raw).unwrap(), path);
    assert_eq!(std::fs::read(&path).unwrap(), raw);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for name in ["", "..", "a/b.eml", "../x.eml", "/etc/x.eml"] {
        assert!(write_eml(&folder, name, &raw).is_err(), "{name:?}");
    }
}

/// What the server says to one client.
#[derive(Clone, Copy)]
struct Script {
    ehlo: &'static str,
    auth: &'static str,
    rcpt: &'static str,
    /// A recipient that is told something else, and what; nobody when empty.
    refuse: &'static str,
    refusal: &'static str,
    after_data: &'static str,
}

const FRIENDLY: Script = Script {
    ehlo: "250 8BITMIME",
    auth: "235 ok",
    rcpt: "250 ok",
    refuse: "",
    refusal: "",
    after_data: "250 taken as 7",
};

/// Everything the client said, and the mail as it was before dots were doubled.
#[derive(Default)]
struct Heard {
    commands: Vec<String>,
    mail: Vec<u8>,
}

/// A server for one connection.
fn server(script: Script) -> (String, JoinHandle<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = std::thread::spawn(move || listener.accept().map(|(stream, _)| talk(stream, script)).unwrap());
    (address, heard)
}

fn talk(stream: TcpStream, script: Script) -> Heard {
    let mut answers = stream.try_clone().unwrap();
    let mut say = |text: &str| answers.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    let mut lines = BufReader::new(stream);
    let mut heard = Heard::default();
    say("220 mail.example.com");
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap_or(0) == 0 {
            return heard;
        }
        let command = line.trim_end().to_owned();
        let answer = match command.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => format!("250-mail.example.com\r\n{}", script.ehlo),
            "AUTH" => script.auth.to_owned(),
            "RCPT" if !script.refuse.is_empty() && command.contains(script.refuse) => script.refusal.to_owned(),
            "RCPT" => script.rcpt.to_owned(),
            "DATA" => "354 go on".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "250 ok".to_owned(),
        };
        let is_data = answer.starts_with("354");
        heard.commands.push(command);
        if !say(&answer) {
            return heard;
        }
        if is_data {
            heard.mail = read_mail(&mut lines);
            if script.after_data.is_empty() || !say(script.after_data) {
                return heard;
            }
        }
    }
}

fn read_mail(lines: &mut impl BufRead) -> Vec<u8> {
    let mut mail = Vec::new();
    loop {
        let mut line = Vec::new();
        lines.read_until(b'\n', &mut line).unwrap();
        if line == b".\r\n" || line.is_empty() {
            return mail;
        }
        mail.extend(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn envelope() -> Envelope {
    message().envelope().unwrap()
}

async fn send(
    script: Script,
    url: impl Fn(&str) -> String,
    password: Option<&str>,
) -> (Result<HandedOver, MailError>, Heard) {
    let (address, heard) = server(script);
    let smtp = Smtp::from_url(&url(&address), password.map(|text| SecretString::from(text.to_owned()))).unwrap();
    let result = smtp.send(&envelope(), b"Subject: x\r\n\r\nbefore\r\n.\r\n..\r\nMAIL FROM:<x@y>\r\n").await;
    (result, heard.join().unwrap())
}

fn plain(address: &str) -> String {
    format!("smtp://{address}?tls=none")
}

#[tokio::test]
async fn the_bytes_arrive_whole_even_a_single_dot() {
    let (result, heard) = send(FRIENDLY, plain, None).await;
    result.unwrap();
    assert!(heard.mail.starts_with(b"Subject: x\r\n\r\nbefore\r\n.\r\n..\r\nMAIL FROM:<x@y>\r\n"));
    let recipients: Vec<_> = heard.commands.iter().filter(|command| command.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<finance@example.com>", "RCPT TO:<boss@example.com>"]);
    assert_eq!(heard.commands.iter().filter(|command| command.starts_with("MAIL")).count(), 1);
    assert_eq!(heard.commands.last().map(String::as_str), Some("QUIT"));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let refused = |result: Result<HandedOver, MailError>| {
        let handed = result.unwrap();
        assert_eq!((handed.accepted.len(), handed.refused.len()), (0, 2));
        handed.refused.into_iter().next().unwrap().error
    };
    let (result, heard) = send(Script { rcpt: "550 5.1.1 no such user", ..FRIENDLY }, plain, None).await;
    let error = refused(result);
    assert!(matches!(error, MailError::Permanent { code: 550, .. }), "{error:?}");
    assert!(!error.is_temporary() && error.to_string().contains("no such user"));
    assert!(!heard.commands.iter().any(|command| command == "DATA"), "there is nobody to send it to");
    let (result, _) = send(Script { rcpt: "451 4.7.1 greylisted\u{1b}[31m", ..FRIENDLY }, plain, None).await;
    let error = refused(result);
    assert!(matches!(error, MailError::Temporary { code: 451, .. }), "{error:?}");
    assert!(error.is_temporary() && error.to_string().contains("greylisted[U+001B]"));
    let (result, _) = send(Script { after_data: "552 too large", ..FRIENDLY }, plain, None).await;
    assert!(matches!(result, Err(MailError::Permanent { code: 552, .. })));
}

#[tokio::test]
async fn one_bad_recipient_does_not_stop_the_others() {
    let script = Script { refuse: "boss@", refusal: "550 5.1.1 no such user", ..FRIENDLY };
    let (result, heard) = send(script, plain, None).await;
    let handed = result.unwrap();
    assert_eq!(handed.accepted, ["finance@example.com"]);
    let [refusal] = &handed.refused[..] else { panic!("{handed:?}") };
    assert_eq!(refusal.address, "boss@example.com");
    assert!(matches!(refusal.error, MailError::Permanent { code: 550, .. }));
    assert!(heard.mail.starts_with(b"Subject: x"));
}

#[tokio::test]
async fn a_broken_connection_is_temporary() {
    let (result, heard) = send(Script { after_data: "", ..FRIENDLY }, plain, None).await;
    let error = result.unwrap_err();
    assert!(matches!(error, MailError::Connection { .. }) && error.is_temporary(), "{error:?}");
    assert!(!heard.mail.is_empty());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let smtp = Smtp::from_url(&plain(&closed.to_string()), None).unwrap();
    let error = smtp.check().await.unwrap_err();
    assert!(matches!(error, MailError::Connection { .. }), "{error:?}");
    assert!(error.to_string().contains(&closed.to_string()));
}

#[tokio::test]
async fn a_silent_server_does_not_hold_the_run() {
    // The listener accepts by its backlog and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = plain(&listener.local_addr().unwrap().to_string());
    let limit = Duration::from_millis(20);
    let smtp = Smtp::from_url(&url, None).unwrap().with_timeouts(limit, limit);
    assert!(matches!(smtp.check().await, Err(MailError::Connection { .. })));
}

#[tokio::test]
async fn without_starttls_nothing_is_said_where_tls_is_required() {
    let offer = Script { ehlo: "250 AUTH PLAIN LOGIN", ..FRIENDLY };
    let required = |address: &str| format!("smtp://finance@{address}?tls=required");
    let (result, heard) = send(offer, required, Some("pa55word")).await;
    let error = result.unwrap_err();
    assert!(error.to_string().contains("offers no STARTTLS"), "{error}");
    assert!(heard.mail.is_empty());
    let said: Vec<_> = heard.commands.iter().map(|command| command.split(' ').next().unwrap()).collect();
    assert_eq!(said, ["EHLO", "QUIT"]);
}

#[tokio::test]
async fn no_error_shows_the_password() {
    // base64 of "\0finance\0pa55word", as AUTH PLAIN says it.
    let echo = "535 5.7.8 bad: pa55word AGZpbmFuY2UAcGE1NXdvcmQ=";
    let script = Script { ehlo: "250 AUTH PLAIN LOGIN", auth: echo, ..FRIENDLY };
    let (address, heard) = server(script);
    let url = format!("smtp://finance@{address}?tls=none");
    let smtp = Smtp::from_url(&url, Some(SecretString::from("pa55word".to_owned()))).unwrap();
    let error = smtp.check().await.unwrap_err();
    assert!(matches!(error, MailError::Login { code: 535, .. }) && !error.is_temporary());
    for shown in [error.to_string(), format!("{error:?}"), format!("{smtp:?}")] {
        assert!(!shown.contains("pa55word") && !shown.contains("AGZpbm"), "{shown}");
    }
    drop(error);
    heard.join().unwrap();
}

#[tokio::test]
async fn a_check_logs_in_and_sends_nothing() {
    let (address, heard) = server(Script { ehlo: "250 AUTH PLAIN", ..FRIENDLY });
    let url = format!("smtp://fin%40example.com@{address}?tls=none");
    let smtp = Smtp::from_url(&url, Some(SecretString::from("pa55word".to_owned()))).unwrap();
    smtp.check().await.unwrap();
    let heard = heard.join().unwrap();
    assert!(heard.commands.iter().any(|command| command.starts_with("AUTH PLAIN")));
    assert!(!heard.commands.iter().any(|command| command.starts_with("MAIL")));
}

#[test]
fn a_url_that_would_send_in_the_clear_is_refused() {
    let secret = || Some(SecretString::from("pa55word".to_owned()));
    let error = |url: &str, password| Smtp::from_url(url, password).unwrap_err();
    assert_eq!(error("http://x", None), E::Scheme);
    assert_eq!(
        error("smtp://mail.example.com?tls=none", None),
        E::PlainToElsewhere { host: "mail.example.com".to_owned() }
    );
    assert_eq!(error("smtp://u@10.0.0.1:25?tls=none", secret()), E::PlainToElsewhere { host: "10.0.0.1".to_owned() });
    assert_eq!(
        error("smtp://127.0.0.1.example.com?tls=none", None),
        E::PlainToElsewhere { host: "127.0.0.1.example.com".to_owned() }
    );
    assert_eq!(error("smtps://mail.example.com?tls=none", None), E::TlsTwice);
    assert_eq!(error("smtps://u@mail.example.com", None), E::NoPassword);
    assert_eq!(error("smtps://mail.example.com", secret()), E::NoUser);
    assert_eq!(error("smtp://mail.example.com?tls=maybe", None), E::Extra);
    assert_eq!(error("smtps://mail.example.com/inbox", None), E::Extra);
    for url in ["smtp://", "smtp://:25", "smtp://a b", "smtp://[nonsense]:25", "smtp://a\r\nb"] {
        assert_eq!(error(url, None), E::Host, "{url:?}");
    }
    for url in ["smtp://h:0", "smtp://h:65536", "smtp://h:x", "smtp://[::1]25"] {
        assert_eq!(error(url, None), E::Port, "{url:?}");
    }
    assert_eq!(error("smtp://%0a@h", secret()), E::User);
    let shown = error("smtps://u:pa55word@mail.example.com", None);
    assert_eq!(shown, E::PasswordInUrl);
    assert!(!shown.to_string().contains("pa55word"));
}

#[test]
fn the_promised_urls_are_read() {
    let secret = || Some(SecretString::from("pa55word".to_owned()));
    let server = |url: &str, password| Smtp::from_url(url, password).unwrap().server();
    assert_eq!(server("smtps://fin@mail.example.com", secret()), "mail.example.com:465");
    assert_eq!(server("smtps://fin@example.com@mail.example.com:2465", secret()), "mail.example.com:2465");
    assert_eq!(server("smtp://mail.example.com", None), "mail.example.com:587");
    assert_eq!(server("smtp://fin@mail.example.com:25?tls=opportunistic", secret()), "mail.example.com:25");
    assert_eq!(server("smtp://[::1]:2525?tls=none", None), "[::1]:2525");
    assert_eq!(server("smtp://LocalHost?tls=none", None), "LocalHost:587");
}
