//! No secret, token, `verificationInfo` or whole phone number in any output, at the highest verbosity, on good nights and bad.

use std::fs;
use std::path::Path;
use std::process::Output;

use mail_parser::MessageParser;

use super::merchant::Merchant;

/// The forms in which a secret could stand somewhere: as it is, in hex, percent-encoded, backwards.
fn forms(secret: &str) -> Vec<String> {
    let percent = secret.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    vec![secret.to_owned(), hex::encode(secret), percent, secret.chars().rev().collect()]
}

/// Everything under `dir` that a person or another program gets to read: reports and mails, with mails decoded too.
fn written(dir: &Path) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return texts };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(written(&path));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let name = path.display().to_string();
        if let Some(mail) = MessageParser::default().parse(&bytes) {
            for part in &mail.parts {
                texts.push((format!("{name} (part)"), String::from_utf8_lossy(part.contents()).into_owned()));
            }
        }
        texts.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    texts
}

fn assert_silent(merchant: &Merchant, what: &str, output: &Output) {
    let mut texts = written(&merchant.path("reports"));
    texts.push((format!("{what}: stdout"), String::from_utf8_lossy(&output.stdout).into_owned()));
    texts.push((format!("{what}: stderr"), String::from_utf8_lossy(&output.stderr).into_owned()));
    let secrets = merchant.server.with_world(|world| world.secrets());
    assert!(secrets.len() > 20, "there is something to look for");
    for secret in &secrets {
        for form in forms(secret) {
            for (name, text) in &texts {
                assert!(!text.contains(&form), "{name} shows a secret");
            }
        }
    }
}

fn run(merchant: &Merchant, arguments: &[&str]) -> Output {
    let mut command = merchant.command(arguments);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1").output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_shows_a_secret_on_good_nights_and_bad() {
    let merchant = Merchant::new(11).await;
    let mut config = fs::read_to_string(merchant.path("etcp-recon.toml")).unwrap();
    config.push_str("\n[report.email]\nfrom = \"recon@example.com\"\nto = [\"finance@example.com\"]\n");
    fs::write(merchant.path("etcp-recon.toml"), &config).unwrap();
    let date = merchant.date.to_string();
    let night = ["-vvv", "run", "--date", &date];

    let good = run(&merchant, &night);
    assert!(!good.stderr.is_empty(), "the highest verbosity says something");
    assert_silent(&merchant, "a good night", &good);

    for fault in
        ["orderhistory:drop:always", "orderunpay:cut:always", "usersignin:garbage:always", "orderpaid:fail:always"]
    {
        let fault_rule = fault.parse().unwrap();
        merchant.server.with_world(|world| {
            world.clear_faults();
            world.add_fault(fault_rule);
            for mobile in world.users().cloned().collect::<Vec<_>>() {
                world.void_token(&mobile);
            }
        });
        let bad = run(&merchant, &night);
        assert_silent(&merchant, fault, &bad);
    }
    merchant.server.with_world(|world| world.clear_faults());

    for arguments in [
        vec!["-vvv", "plates", "list"],
        vec!["-vvv", "plates", "list", "--json"],
        vec!["-vvv", "notifications", "--json"],
        vec!["-vvv", "exceptions", "--json"],
        vec!["-vvv", "check"],
    ] {
        assert_silent(&merchant, &arguments.join(" "), &run(&merchant, &arguments));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_gone_leaves_no_address_with_a_token_behind() {
    let merchant = Merchant::new(12).await;
    let date = merchant.date.to_string();
    run(&merchant, &["run", "--date", &date]);
    let base_url = merchant.server.base_url();
    let config = fs::read_to_string(merchant.path("etcp-recon.toml")).unwrap();
    // Port 9 of the same machine: nobody listens, so every call fails with its address at hand.
    fs::write(merchant.path("gone.toml"), config.replace(&base_url, "http://127.0.0.1:9")).unwrap();
    fs::copy(merchant.path("gone.toml"), merchant.path("etcp-recon.toml")).unwrap();
    fs::remove_file(merchant.path("recon.db")).unwrap();
    run(&merchant, &["plates", "import", "plates.csv"]);
    let gone = run(&merchant, &["-vvv", "run", "--date", &date]);
    assert_eq!(gone.status.code(), Some(3), "{}", String::from_utf8_lossy(&gone.stderr));
    assert_silent(&merchant, "a platform that is gone", &gone);
}
