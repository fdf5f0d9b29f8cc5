//! Reports once more: rendered as the run rendered them, and sent through a real mail server, once for each set of people.

use std::fs;
use std::process::{Output, Stdio};

use mail_parser::{Message, MessageParser, MimeHeaders};

use super::mail_server::{MailServer, Taken};
use super::merchant::Merchant;
use super::support::Rig;

/// A merchant whose reports go to two people through a mail server.
struct Office {
    merchant: Merchant,
    server: MailServer,
}

impl Office {
    async fn new(seed: u64) -> Self {
        let (merchant, server) = (Merchant::new(seed).await, MailServer::start());
        let config = fs::read_to_string(merchant.path("etcp-recon.toml")).unwrap();
        let port = server.port;
        let config = format!(
            "{config}\n[report.email]\nfrom = \"停车对账 <recon@example.com>\"\n\
             to = [\"财务 <finance@example.com>\", \"boss@example.com\"]\n\
             smtp = \"smtp://robot@localhost:{port}?tls=required\"\n"
        );
        fs::write(merchant.path("etcp-recon.toml"), config).unwrap();
        fs::write(merchant.path("ca.pem"), &server.certificate_pem).unwrap();
        Self { merchant, server }
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = self.merchant.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // The system's own list of authorities, as a company with its own has it.
        command.env("SSL_CERT_FILE", self.merchant.path("ca.pem")).env_remove("SSL_CERT_DIR");
        command.env("ETCP_RECON_SMTP_PASSWORD", "pa55word").output().unwrap()
    }

    #[track_caller]
    fn ends(&self, arguments: &[&str], code: i32) -> String {
        let output = self.command(arguments);
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
        format!("{out}{err}")
    }

    /// A run of the date.
    #[track_caller]
    fn run(&self, code: i32) -> String {
        self.ends(&["run", "--date", &self.merchant.date.to_string()], code)
    }

    fn taken(&self) -> Vec<Taken> {
        self.server.taken()
    }

    /// The report's files of the only run.
    fn file(&self, ending: &str) -> Vec<u8> {
        let folder = self.merchant.path("reports").join(self.merchant.date.to_string());
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|found| found == ending));
        assert_eq!(files.len(), 1, "{files:?}");
        fs::read(&files[0]).unwrap()
    }
}

fn parsed(taken: &Taken) -> Message<'_> {
    MessageParser::default().parse(&taken.raw).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_a_date_comes_again_byte_for_byte() {
    let office = Office::new(21).await;
    let empty = office.ends(&["report"], 2);
    assert!(empty.contains("nothing has been reported yet") && empty.contains("hint: etcp-recon run"), "{empty}");
    office.run(0);
    let date = office.merchant.date.to_string();
    for (format, ending) in [("html", "html"), ("text", "txt"), ("csv", "csv"), ("xlsx", "xlsx")] {
        let again = office.command(&["report", "--date", &date, "--format", format]);
        assert_eq!(again.status.code(), Some(0));
        assert!(again.stdout == office.file(ending), "{format}");
        office.ends(&["report", "--format", format, "--out", "again"], 0);
        assert!(fs::read(office.merchant.path("again")).unwrap() == office.file(ending), "{format}: the last one");
    }
    let json = office.command(&["report", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["date"], date);
    let none = office.ends(&["report", "--date", "2001-01-01"], 2);
    assert!(none.contains("no finished run has reported 2001-01-01"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_through_starttls_and_a_login_and_is_read_back() {
    let office = Office::new(22).await;
    office.run(0);
    let taken = office.taken();
    let [mail] = &taken[..] else { panic!("{} mails", taken.len()) };
    assert!(mail.encrypted);
    assert_eq!(mail.login, Some(("robot".to_owned(), "pa55word".to_owned())));
    assert_eq!(mail.to, ["boss@example.com", "finance@example.com"]);
    let message = parsed(mail);
    assert!(message.subject().unwrap().contains(&office.merchant.date.to_string()));
    let text = String::from_utf8(office.file("txt")).unwrap();
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), text);
    let picture = message.parts.iter().find(|part| part.content_id() == Some("chart@etcp-recon")).unwrap();
    assert!(picture.contents().starts_with(b"\x89PNG"));
    assert!(message.body_html(0).unwrap().contains("src=\"cid:chart@etcp-recon\""));
    let files: Vec<_> = message.attachments().filter(|part| part.attachment_name().is_some()).collect();
    let [xlsx, csv] = &files[..] else { panic!("{} files", files.len()) };
    assert!(xlsx.contents() == office.file("xlsx") && csv.contents() == office.file("csv"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_sent_once_for_each_set_of_people_unless_it_is_asked_for() {
    let office = Office::new(23).await;
    office.run(0);
    let told = office.ends(&["report", "--send", "--to", "auditor@example.com"], 0);
    assert!(!told.contains("had it before"), "{told}");
    let told = office.ends(&["--lang", "en", "report", "--send"], 0);
    assert!(told.contains("had it before, sent again as asked, under the same Message-ID"), "{told}");
    let taken = office.taken();
    let ids: Vec<_> = taken.iter().map(|mail| parsed(mail).message_id().unwrap().to_owned()).collect();
    assert_eq!(taken[1].to, ["auditor@example.com"]);
    assert_ne!(ids[0], ids[1], "another set of people, another mail");
    assert_eq!(ids[0], ids[2], "the same set, the same mail");
    assert!(taken[0].raw == taken[2].raw);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_address_stops_nobody_and_is_not_tried_for_ever() {
    let office = Office::new(24).await;
    office.server.refuse("boss@", "550 5.1.1 no such user");
    let told = office.run(4);
    assert!(told.contains("boss@example.com") && told.contains("no such user"), "{told}");
    assert_eq!(office.taken().last().unwrap().to, ["finance@example.com"]);
    office.server.refuse_nobody();
    office.ends(&["report", "--send", "--to", "auditor@example.com"], 0);
    assert_eq!(office.taken().len(), 2, "the one that was refused is not tried again by itself");
    office.ends(&["report", "--send"], 0);
    assert_eq!(office.taken().last().unwrap().to, ["boss@example.com", "finance@example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_waits_and_goes_out_with_the_next() {
    let office = Office::new(25).await;
    office.server.refuse("@", "451 4.7.1 later");
    office.run(4);
    assert!(office.taken().is_empty());
    let told = office.ends(&["report", "--send"], 4);
    assert!(told.contains("later"), "{told}");
    office.server.refuse_nobody();
    let told = office.ends(&["--lang", "en", "report", "--send"], 0);
    assert!(!told.contains("had it before"), "{told}");
    assert_eq!(office.taken().len(), 1, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_may_have_arrived_is_sent_again_under_the_same_message_id() {
    let office = Office::new(26).await;
    office.server.cut_once();
    office.run(4);
    office.ends(&["report", "--send"], 0);
    let taken = office.taken();
    assert_eq!(taken.len(), 2);
    assert!(taken[0].raw == taken[1].raw, "byte for byte, so that the receiver can tell");
    office.ends(&["report", "--send", "--to", "auditor@example.com"], 0);
    assert_eq!(office.taken().len(), 3, "and not a third time");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_sent_without_a_mail_section() {
    let office = Office::new(27).await;
    let config = fs::read_to_string(office.merchant.path("etcp-recon.toml")).unwrap();
    let without = config.split("\n[report.email]").next().unwrap();
    fs::write(office.merchant.path("etcp-recon.toml"), without).unwrap();
    office.run(0);
    let told = office.ends(&["report", "--send"], 2);
    assert!(told.contains("no [report.email]"), "{told}");
    let told = office.ends(&["report", "--send", "--to", "nobody"], 2);
    assert!(told.contains("`nobody` is no mail address"), "{told}");
}

#[tokio::test]
async fn the_chart_shows_the_days_up_to_the_date_as_they_were_last_reported() {
    let rig = Rig::new().await;
    let shown = |report: &etcp_recon::report::ReportData| -> Vec<(String, String, u64)> {
        let days = report.history.iter();
        days.map(|day| (day.date.to_string(), day.matched.amount(), day.open.count)).collect()
    };
    let day = |date: &str, matched: &str, open| (date.to_owned(), matched.to_owned(), open);
    rig.bill("a.csv", &["p1,X,渝B757D0,1.00,,success,2026-11-21 09:00:00,cash"]);
    let first = rig.run_of("2026-11-21").await;
    assert_eq!(shown(&first.report), [day("2026-11-21", "0.00", 1)]);
    let second = rig.run_of("2026-11-22").await;
    assert_eq!(shown(&second.report).len(), 2);
    rig.run_of("2026-10-01").await;
    let again = rig.run_of("2026-11-21").await;
    assert_eq!(
        shown(&again.report),
        [day("2026-11-21", "0.00", 1)],
        "later days and those beyond thirty are not shown"
    );
}
