//! Every key, every default and every mistake, read as a person would write them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;

use secrecy::ExposeSecret;

use super::*;

/// The least that is a configuration.
const LEAST: &str = r#"
[merchant]
merchant_no = "M1"
app_id = "A1"
merchant_key = "0123456789abcdef-inline"
[platform]
environment = "test"
"#;

/// Every key there is, none at its default.
const FULL: &str = r##"
[merchant]
merchant_no = "M1"
app_id = "A1"
merchant_key_file = "merchant.key"
[platform]
base_url = "http://127.0.0.1:8099/"
timeout = "3s"
max_concurrency = 2
max_requests_per_second = 5
retries = 0
signature.strip_whitespace = true
[database]
url = "sqlite:data/recon.db"
[bills]
inbox = "/srv/bills"
[[bills.source]]
name = "cashier"
profile = "generic"
files = "cashier-*.csv"
required = true
id_prefix = "C-"
role = "ledger"
order_id = { column = "2", pattern = "S\\d+" }
plate = { column = "3" }
encoding = "gb18030"
delimiter = "tab"
quote = false
strip_prefix = "`"
header = false
skip_lines = 2
comment = "#"
stop = "合计"
columns = { payment_id = "1", amount = "4", paid_at = "5", paid_time = "6" }
unit = "fen"
thousands = true
negative = "refund"
time_format = "%Y%m%d %H%M%S"
status = { "支付成功" = "payment", "已退款" = "refund", "已关闭" = "ignored" }
unknown_status = "refuse"
[[bills.source]]
name = "alipay"
profile = "alipay-trade"
order_id = { column = "商品名称", pattern = "S\\d+" }
[matching]
lookback_days = 3
grace = "0s"
[run]
deadline = "90m"
[notify]
enabled = true
not_before = 2026-11-01
max_per_run = 5
max_amount = "5.5"
max_total = "50"
resend = "never"
settle_time = "1500ms"
[report]
language = "en"
dir = "out"
keep_days = 30
[report.email]
from = "对账 <recon@example.com>"
to = "finance@example.com"
cc = ["ops@example.com", "cfo@example.com"]
smtp = "smtp://bot@mail.example.com:2525"
password_file = "smtp.password"
when = "exceptions"
[push]
listen = "[::1]:8088"
path_prefix = "/etcp/"
[health]
listen = "127.0.0.1:9108"
ping_url = "https://hc.example.com/ping-secret"
"##;

fn no_env(_: &str) -> Option<OsString> {
    None
}

fn read(text: &str) -> Result<Settings, ConfigError> {
    parse(text, Path::new("/etc/recon/etcp-recon.toml"), &no_env)
}

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let variables: BTreeMap<String, OsString> = variables.iter().map(|(k, v)| ((*k).to_owned(), v.into())).collect();
    parse(text, Path::new("/etc/recon/etcp-recon.toml"), &|name| variables.get(name).cloned())
}

/// What is said of `text`; panics when nothing is.
fn complaint(text: &str) -> String {
    read(text).expect_err(text).to_string()
}

/// [`LEAST`] with more behind it.
fn and(more: &str) -> String {
    format!("{LEAST}{more}\n")
}

#[test]
fn the_least_configuration_gets_every_promised_default() {
    let settings = read(LEAST).unwrap();
    assert_eq!(settings.platform.environment, Environment::Test);
    assert_eq!(settings.platform.base_url, "http://mapi.test.etcp.cn");
    assert_eq!(settings.matching.lookback_days, 7);
    assert_eq!(settings.matching.grace_s(), 1800);
    assert_eq!(settings.run.deadline.as_secs(), 4 * 3600);
    assert!(!settings.notify.enabled);
    assert_eq!(settings.notify.not_before, None);
    assert_eq!(settings.notify.max_per_run, 10_000);
    assert_eq!(settings.notify.max_amount.to_string(), "1000.00");
    assert_eq!(settings.notify.max_total.to_string(), "1000000.00");
    assert_eq!(settings.notify.resend, Resend::AfterProof);
    assert_eq!(settings.notify.settle_s(), 20);
    assert_eq!(settings.report.language, Language::Zh);
    assert!(settings.report.email.is_none() && settings.push.is_none() && settings.health.listen.is_none());
    assert_eq!(settings.database, Database::Sqlite("/etc/recon/recon.db".into()));
    assert_eq!(settings.bills.inbox, Path::new("/etc/recon/inbox"));
    assert_eq!(settings.bills.sources, [BillSource::any()]);
    assert_eq!(settings.report.dir, Path::new("/etc/recon/reports"));
    assert_eq!(settings.schedules, Path::new("/etc/recon/schedules"));
}

#[test]
fn every_key_reaches_the_settings() {
    insta::assert_debug_snapshot!("every_key", read(FULL).unwrap());
}

#[test]
fn the_settle_time_follows_the_timeout_but_any_may_be_set() {
    for (keys, expected) in [
        ("[platform]\ntimeout = \"1s\"", 5),
        ("[platform]\ntimeout = \"30s\"", 60),
        ("[platform]\ntimeout = \"30s\"\n[notify]\nsettle_time = \"0s\"", 0),
        ("[platform]\ntimeout = \"30s\"\n[notify]\nsettle_time = \"1500ms\"", 2),
    ] {
        let text = LEAST.replace("[platform]", keys.split("\n[notify]").next().unwrap());
        let rest = keys.split_once("\n[notify]").map(|(_, rest)| format!("[notify]{rest}")).unwrap_or_default();
        assert_eq!(read(&format!("{text}\n{rest}")).unwrap().notify.settle_s(), expected, "{keys}");
    }
}

#[test]
fn the_main_mistakes_are_told_with_line_key_value_and_what_to_do() {
    let cases = [
        ("a key with a typing slip", and("[notify]\nenabeld = true")),
        ("a key of another section", and("[report]\nsettle_time = \"5s\"")),
        ("a key like no other", and("[run]\ncolour = \"red\"")),
        ("a section with a typing slip", and("[notfy]\nenabled = true")),
        ("a key outside all sections", format!("merchant_no = \"M1\"\n{LEAST}")),
        ("an unknown key of a source", and("[[bills.source]]\nname = \"a\"\nfile = \"*.csv\"")),
        ("an amount as a number", and("[notify]\nmax_amount = 5000.00")),
        ("an amount as a whole number", and("[notify]\nmax_total = 5000")),
        ("an amount that is none", and("[notify]\nmax_amount = \"5,000\"")),
        ("an amount with three decimals", and("[notify]\nmax_amount = \"5.001\"")),
        ("a duration as a number", and("[run]\ndeadline = 30")),
        ("a duration without unit", and("[matching]\ngrace = \"30\"")),
        ("a duration of nothing", and("[run]\ndeadline = \"0s\"")),
        ("true in quotes", and("[notify]\nenabled = \"true\"")),
        ("a number in quotes", and("[matching]\nlookback_days = \"7\"")),
        ("a number that is too small", and("[matching]\nlookback_days = -1")),
        ("a day that is none", and("[notify]\nnot_before = \"2026-02-30\"")),
        ("an instant where a day is wanted", and("[notify]\nnot_before = 2026-11-01T00:00:00")),
        ("a word that is not one of them", and("[notify]\nresend = \"after-proof\"")),
        ("no section merchant", "[platform]\nenvironment = \"test\"".to_owned()),
        ("no section platform", LEAST.split("[platform]").next().unwrap().to_owned()),
        ("nothing at all", String::new()),
        ("two addresses", LEAST.replace("[platform]", "[platform]\nbase_url = \"https://a.example\"")),
        ("an address in clear", LEAST.replace("environment = \"test\"", "base_url = \"http://mapi.etcp.cn\"")),
        ("an empty merchant number", LEAST.replace("\"M1\"", "\"\"")),
        ("a merchant number as a number", LEAST.replace("\"M1\"", "1001")),
        ("the template as it is", TEMPLATE.to_owned()),
        ("PostgreSQL", and("[database]\nurl = \"postgres://u:hunter2@db/recon\"")),
        ("a database in memory", and("[database]\nurl = \"sqlite::memory:\"")),
        ("a section where a list of sections is wanted", and("[bills.source]\nname = \"a\"")),
        ("two sources of one name", and("[[bills.source]]\nname = \"a\"\n[[bills.source]]\nname = \"a\"")),
        (
            "a pattern that is none",
            and("[[bills.source]]\nname = \"a\"\norder_id = { column = \"备注\", pattern = \"x(.*\" }"),
        ),
        (
            "a bill's field that is none",
            and("[[bills.source]]\nname = \"a\"\ncolumns = { paid = \"时间\", amount = 3 }"),
        ),
        ("a column with a key of its own", and("[[bills.source]]\nname = \"a\"\ncolumns.plate = \"y\"")),
        (
            "names of columns in a bill without a header",
            and(
                "[[bills.source]]\nname = \"a\"\nheader = false\nplate.column = \"车牌\"\ncolumns = { amount = \"0\" }",
            ),
        ),
        ("a prefix that is none", and("[[bills.source]]\nname = \"a\"\nstrip_prefix = \"ab\"\ncomment = \"1\"")),
        (
            "one character for two things",
            and(
                "[[bills.source]]\nname = \"a\"\nstrip_prefix = \"|\"\nquote = true\ndelimiter = \"|\"\ncomment = \"#\"\nstop = \"#合计\"",
            ),
        ),
        ("a format of times without time", and("[[bills.source]]\nname = \"a\"\ntime_format = \"%Y%m%d\"")),
        ("an end that every row has", and("[[bills.source]]\nname = \"a\"\nstop = \" \"")),
        ("a status word's meaning", and("[[bills.source]]\nname = \"a\"\nstatus = { \"成功\" = \"success\" }")),
        (
            "what a profile knows itself",
            and(
                "[[bills.source]]\nname = \"a\"\nprofile = \"wechat-trade\"\nunit = \"fen\"\ncolumns = { amount = \"金额\" }",
            ),
        ),
        ("a delimiter that is none", and("[[bills.source]]\nname = \"a\"\ndelimiter = \"/\"")),
        ("a glob that is none", and("[[bills.source]]\nname = \"a\"\nfiles = \"[\"")),
        ("a prefix that the platform would not take", and("[[bills.source]]\nname = \"a\"\nid_prefix = \"收银 \"")),
        (
            "the test address as an address of one's own",
            LEAST.replace("environment = \"test\"", "base_url = \"http://mapi.test.etcp.cn\""),
        ),
        ("a mail without recipients", and("[report.email]\nfrom = \"a@example.com\"")),
        (
            "a mail address that is none",
            and("[report.email]\nfrom = \"a@example.com\"\nto = [\"b@example.com\", \"finance\"]"),
        ),
        (
            "a mail server in clear",
            and(
                "[report.email]\nfrom = \"a@example.com\"\nto = \"b@example.com\"\nsmtp = \"smtp://mail.example.com?tls=none\"",
            ),
        ),
        ("a push without address", and("[push]\npath_prefix = \"push\"")),
        ("an address without port", and("[health]\nlisten = \"localhost\"")),
        ("broken TOML", and("[notify]\nenabled = yes")),
        ("a key twice", and("[run]\ndeadline = \"1h\"\ndeadline = \"2h\"")),
        ("several at once", and("[notify]\nenabeld = true\nmax_amount = 5\n[report]\nlanguage = \"cn\"")),
    ];
    let mut told = String::new();
    for (what, text) in cases {
        writeln!(told, "# {what}\n{}\n", complaint(&text)).unwrap();
    }
    insta::assert_snapshot!("mistakes", told.trim_end());
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused_or_read_but_never_a_panic() {
    for (at, _) in FULL.char_indices() {
        let cut = FULL.get(..at).unwrap();
        if let Err(err) = read(cut) {
            assert!(err.to_string().starts_with("/etc/recon/etcp-recon.toml:"), "{err}");
        }
    }
}

#[test]
fn no_value_of_a_secret_is_told_whatever_is_wrong_with_it() {
    let secret = "hunter2";
    for text in [
        LEAST.replace("\"0123456789abcdef-inline\"", "[\"hunter2\"]"),
        LEAST.replace("\"0123456789abcdef-inline\"", "\"hunter2"),
        LEAST.replace("\"0123456789abcdef-inline\"", "hunter2"),
        LEAST.replace("\"0123456789abcdef-inline\"", "\"\"\"hunter2"),
        LEAST.replace("\"0123456789abcdef-inline\"", "\"hunter2\"\nmerchant_key = \"hunter2\""),
        LEAST.replace("\"0123456789abcdef-inline\"", "\"hunter2\"\nmerchant_key_file = \"f\""),
        LEAST.replace("merchant_key", "merchant_kye = \"hunter2\"\nmerchant_key"),
        LEAST.replace("environment = \"test\"", "base_url = \"https://u:hunter2@a.example\""),
        and("[database]\nurl = \"hunter2\""),
        and("[database]\nurl = \"mysql://u:hunter2@db\""),
        and("[health]\nping_url = \"hunter2\""),
        and("[health]\nping_url = 7\nlisten = \"x\""),
        and("[report.email]\nfrom = \"a@b.cn\"\nto = \"a@b.cn\"\nsmtp = \"smtps://bot:hunter2@h:465\""),
        and("[report.email]\nfrom = \"a@b.cn\"\nto = \"a@b.cn\"\npassword = [\"hunter2\"]"),
    ] {
        let err = read(&text).expect_err(&text);
        assert!(!format!("{err}\n{err:?}").contains(secret), "{err}");
    }
    let err = read_with(LEAST, &[("ETCP_RECON_DATABASE_URL", "postgres://u:hunter2@db")]).unwrap_err();
    assert!(!format!("{err}\n{err:?}").contains(secret));
    assert!(err.to_string().starts_with("environment: ETCP_RECON_DATABASE_URL asks for PostgreSQL"), "{err}");
}

#[test]
fn debug_of_the_settings_shows_no_secret() {
    let variables = [("ETCP_RECON_MERCHANT_KEY", "hunter2-key"), ("ETCP_RECON_SMTP_PASSWORD", "hunter2-password")];
    let shown = format!("{:?}", read_with(FULL, &variables).unwrap());
    for secret in ["hunter2", "ping-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn the_key_comes_from_the_environment_else_a_file_else_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("etcp-recon.toml");
    let with_file = LEAST.replace("merchant_key = \"0123456789abcdef-inline\"", "merchant_key_file = \"merchant.key\"");
    let key =
        |text: &str, env: &Env<'_>| parse(text, &file, env).and_then(|settings| settings.merchant.merchant_key.get());
    let exposed = |text: &str, env: &Env<'_>| key(text, env).map(|key| key.expose_secret().to_owned()).unwrap();
    let variable = |name: &str| (name == "ETCP_RECON_MERCHANT_KEY").then(|| OsString::from("from-env"));
    let empty = |name: &str| (name == "ETCP_RECON_MERCHANT_KEY").then(OsString::new);

    assert_eq!(exposed(LEAST, &no_env), "0123456789abcdef-inline");
    assert_eq!(exposed(LEAST, &variable), "from-env");
    assert_eq!(exposed(LEAST, &empty), "0123456789abcdef-inline");
    let err = key(&with_file, &no_env).unwrap_err().to_string();
    assert!(
        err.contains("etcp-recon.toml:5: `merchant.merchant_key_file`: ") && err.contains("hint: put the secret there"),
        "{err}"
    );
    assert_eq!(exposed(&with_file, &variable), "from-env");

    let folder = tempfile::tempdir().unwrap();
    let credentials = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| folder.path().as_os_str().to_owned());
    for (content, expected) in
        [("from-file\n", "from-file"), ("from-file\r\n", "from-file"), (" from file", " from file")]
    {
        std::fs::write(dir.path().join("merchant.key"), content).unwrap();
        assert_eq!(exposed(&with_file, &no_env), expected);
        assert_eq!(exposed(&with_file, &credentials), expected, "a folder without that credential");
    }
    for content in ["", "\n", "a\nb\n", "\u{0}\u{ff}FILL-IN"] {
        std::fs::write(dir.path().join("merchant.key"), content).unwrap();
        assert_eq!(key(&with_file, &no_env).is_err(), content.len() < 5, "{content:?}");
    }
    std::fs::write(dir.path().join("merchant.key"), "x".repeat(5000)).unwrap();
    assert!(key(&with_file, &no_env).unwrap_err().to_string().contains("too large"));
    std::fs::write(folder.path().join("merchant.key"), "from-systemd\n").unwrap();
    assert_eq!(exposed(&with_file, &credentials), "from-systemd");
}

#[test]
fn a_key_that_stands_nowhere_is_missed_only_when_it_is_needed() {
    let settings = read(&LEAST.replace("merchant_key =", "# ")).unwrap();
    let err = settings.merchant.merchant_key.get().unwrap_err().to_string();
    assert_eq!(
        err,
        "/etc/recon/etcp-recon.toml:2: `merchant.merchant_key` is not set\nhint: set ETCP_RECON_MERCHANT_KEY, or give `merchant_key_file` or `merchant_key`"
    );
}

#[test]
fn the_environments_database_goes_before_the_files() {
    let text = and("[database]\nurl = \"sqlite:a.db\"");
    for (url, expected) in [
        ("", "/etc/recon/a.db"),
        ("sqlite:b.db", "/etc/recon/b.db"),
        ("sqlite://b.db", "/etc/recon/b.db"),
        ("sqlite:///var/lib/b.db", "/var/lib/b.db"),
        ("sqlite:/var/lib/b.db", "/var/lib/b.db"),
    ] {
        let settings = read_with(&text, &[("ETCP_RECON_DATABASE_URL", url)]).unwrap();
        assert_eq!(settings.database, Database::Sqlite(expected.into()), "{url}");
    }
}

#[test]
fn a_configuration_is_looked_for_where_it_was_promised() {
    let dir = tempfile::tempdir().unwrap();
    let (here, etc) = (dir.path().join("etcp-recon.toml"), dir.path().join("config.toml"));
    let candidates = [here.as_path(), etc.as_path()];
    let err = locate(None, &candidates).unwrap_err().to_string();
    assert!(err.contains("etcp-recon init") && err.contains("config.toml"), "{err}");
    std::fs::write(&etc, LEAST).unwrap();
    assert_eq!(locate(None, &candidates).unwrap(), etc);
    std::fs::write(&here, LEAST).unwrap();
    assert_eq!(locate(None, &candidates).unwrap(), here);
    let named = dir.path().join("other.toml");
    assert_eq!(locate(Some(&named), &candidates).unwrap(), named);
    let err = load_file(&named, &no_env).unwrap_err();
    assert!(err.to_string().starts_with("cannot read the configuration"), "{err}");
    assert!(std::error::Error::source(&err).is_some());
    std::fs::write(&named, b"[run]\n# \xd6\xd0\xce\xc4\n").unwrap();
    let err = load_file(&named, &no_env).unwrap_err().to_string();
    assert!(err.contains("other.toml:2: this line is not UTF-8 text"), "{err}");
}

#[test]
fn a_byte_order_mark_and_crlf_do_no_harm() {
    let text = format!("\u{feff}{}", and("[notify]\nenabeld = true").replace('\n', "\r\n"));
    assert!(complaint(&text).starts_with("/etc/recon/etcp-recon.toml:9: unknown key `notify.enabeld`"));
    assert!(read(&format!("\u{feff}{}", LEAST.replace('\n', "\r\n"))).is_ok());
}

fn filled_template() -> String {
    TEMPLATE.replace(PLACEHOLDER, "0123456789abcdef")
}

#[test]
fn the_template_loads_once_it_is_filled_in() {
    let settings = read(&filled_template()).unwrap();
    assert_eq!(settings.platform.base_url, "https://mapi.etcp.cn");
    assert!(!settings.notify.enabled);
}

/// Lines `#key = value` with their mark removed.
fn with_defaults_written_out(template: &str) -> String {
    let written = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest.to_owned(),
        _ => line.to_owned(),
    };
    template.lines().map(written).collect::<Vec<_>>().join("\n")
}

/// Sections that are commented out as a whole (`# [section]`, `# key = …`) with their mark removed.
fn with_sections_written_out(template: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for line in template.lines() {
        inside = line.starts_with("# [") && line.ends_with(']') || inside && line.starts_with('#');
        writeln!(out, "{}", if inside { line.strip_prefix("# ").unwrap_or_default() } else { line }).unwrap();
    }
    out
}

#[test]
fn the_defaults_that_the_template_shows_are_the_defaults() {
    let text = filled_template();
    let written = with_defaults_written_out(&text);
    assert_ne!(text, written);
    assert_eq!(format!("{:#?}", read(&text).unwrap()), format!("{:#?}", read(&written).unwrap()));
}

#[test]
fn the_examples_that_the_template_shows_are_valid() {
    let settings = read(&with_sections_written_out(&filled_template())).unwrap();
    let names: Vec<_> = settings.bills.sources.iter().map(|source| source.source.name.as_str()).collect();
    assert_eq!(names, ["cashier", "allinpay", "saobei"]);
    assert_eq!(settings.report.email.unwrap().smtp.unwrap().user.as_deref(), Some("recon@example.com"));
    assert_eq!(settings.push.unwrap().path_prefix, "/push");
}

#[test]
fn every_key_of_the_schema_is_in_the_template() {
    let document = document::Document::new(FULL);
    let table = document.table().unwrap();
    read::whole(&document, document.root(&table), Path::new("x.toml"), &no_env);
    let known = document.known();
    assert!(known.len() > 50, "{known:?}");
    let sections =
        ["merchant", "platform", "database", "bills", "matching", "run", "notify", "report", "push", "health"];
    for path in known {
        let (section, key) = path.rsplit_once('.').unwrap_or(("", &path));
        let inline = matches!(section, "bills.source.order_id" | "bills.source.plate" | "platform.signature");
        let header = |name: &str| TEMPLATE.contains(&format!("[{name}]"));
        let found = TEMPLATE.lines().any(|line| {
            let plain = line.trim_start_matches(['#', ' ']);
            let plain = plain.strip_prefix("or: ").or(plain.strip_prefix("e.g. ")).unwrap_or(plain);
            plain.starts_with(&format!("{key} ="))
        });
        let is_section = sections.contains(&path.as_str()) || matches!(path.as_str(), "bills.source" | "report.email");
        let is_inline = inline || matches!(path.as_str(), "platform.signature" | "bills.source.order_id.pattern");
        assert!(found || is_section && header(&path) || is_inline, "`{path}` is not in the template");
    }
}

#[test]
fn warnings_name_what_wants_a_look() {
    let messages = |text: &str, variables: &[(&str, &str)]| {
        let found = warnings(&read_with(text, variables).unwrap());
        found.into_iter().map(|warning| (warning.level, warning.message)).collect::<Vec<_>>()
    };
    assert_eq!(
        messages(LEAST, &[]),
        [(Level::Info, "`notify.enabled` is false: the platform is told of no payment".to_owned())]
    );
    let short = messages(LEAST, &[("ETCP_RECON_MERCHANT_KEY", "noxxxxx")]);
    assert_eq!(short[0], (Level::Warning, "the merchant key has fewer than 16 characters".to_owned()));
    assert!(!format!("{short:?}").contains("noxxxxx"));
    let enabled = and("[notify]\nenabled = true");
    assert!(messages(&enabled, &[])[0].1.contains("`notify.not_before` is not set"));
    assert_eq!(messages(&format!("{enabled}not_before = \"2026-11-01\""), &[]), []);
    let mail = and("[report.email]\nfrom = \"a@b.cn\"\nto = \"a@b.cn\"\nsmtp = \"smtp://u@h?tls=opportunistic\"");
    assert!(messages(&mail, &[])[0].1.contains("sends the password in clear"));
}

#[cfg(unix)]
#[test]
fn a_file_with_a_secret_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let (config, key) = (dir.path().join("etcp-recon.toml"), dir.path().join("merchant.key"));
    let with_file = LEAST.replace("merchant_key = \"0123456789abcdef-inline\"", "merchant_key_file = \"merchant.key\"");
    std::fs::write(&key, "0123456789abcdef\n").unwrap();
    let open = |text: &str, config_mode: u32, key_mode: u32| {
        std::fs::write(&config, text).unwrap();
        std::fs::set_permissions(&config, PermissionsExt::from_mode(config_mode)).unwrap();
        std::fs::set_permissions(&key, PermissionsExt::from_mode(key_mode)).unwrap();
        let found = warnings(&load_file(&config, &no_env).unwrap());
        found.into_iter().filter(|w| w.level == Level::Warning).map(|w| w.hint).collect::<Vec<_>>()
    };
    assert_eq!(open(LEAST, 0o600, 0o644), Vec::<String>::new());
    assert_eq!(open(LEAST, 0o644, 0o644), [format!("chmod 600 {}", config.display())]);
    assert_eq!(open(LEAST, 0o640, 0o600), [format!("chmod 600 {}", config.display())]);
    assert_eq!(open(&with_file, 0o644, 0o600), Vec::<String>::new());
    assert_eq!(open(&with_file, 0o644, 0o640), [format!("chmod 600 {}", key.display())]);
}
