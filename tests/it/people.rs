//! A person's part: what is held waits for a release, what is voided is never sent, and both are kept with name and note.

use std::fs;
use std::process::Stdio;

use etcp_recon::store::Store;
use serde_json::Value;

use super::merchant::Merchant;

/// Exit code, standard output, standard error.
fn said(merchant: &Merchant, arguments: &[&str]) -> (i32, String, String) {
    let mut command = merchant.command(arguments);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn json(merchant: &Merchant, arguments: &[&str]) -> Value {
    let (code, out, err) = said(merchant, arguments);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

fn held(merchant: &Merchant) -> Vec<String> {
    let list = json(merchant, &["notifications", "--status", "held", "--json"]);
    let ids = list.as_array().unwrap().iter().map(|one| one["external_order_id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_above_the_cap_waits_for_a_person() {
    let merchant = Merchant::new(21).await;
    let config = fs::read_to_string(merchant.path("etcp-recon.toml")).unwrap();
    let capped = config.replace("enabled = true\n", "enabled = true\nmax_amount = \"0.01\"\n");
    fs::write(merchant.path("etcp-recon.toml"), capped).unwrap();
    let run = ["run", "--no-email", "--date", &merchant.date.to_string()];
    let (code, out, err) = said(&merchant, &run);
    assert!(code == 0 && merchant.booked().is_empty(), "{out}{err}");

    let ids = held(&merchant);
    assert!(ids.len() >= 3 && ids.len() == merchant.expected.len(), "{ids:?}");
    let (first, second, third) = (ids[0].as_str(), ids[1].as_str(), ids[2].as_str());
    let (code, out, _) =
        said(&merchant, &["notifications", "release", first, "--note", "asked the till", "--by", "Li"]);
    assert!(code == 0 && out.contains("(Li)"), "{out}");
    assert_eq!(said(&merchant, &["notifications", "void", second, "--note", "refunded by hand"]).0, 0);

    let (code, _, err) = said(&merchant, &["notifications", "release", second, "--note", "no, after all"]);
    assert!(code == 2 && err.contains("void cannot be released\nhint: "), "{err}");
    let (code, _, err) = said(&merchant, &["notifications", "hold", third, "--note", "again"]);
    assert!(code == 2 && err.contains("held cannot be held\nhint: "), "{err}");

    assert_eq!(said(&merchant, &run).0, 0);
    let booked: Vec<String> = merchant.booked().into_iter().map(|(id, _)| id).collect();
    assert_eq!(booked, [first], "only what was released is sent");
    assert_eq!(held(&merchant), ids[2..]);
    let (code, _, err) = said(&merchant, &["notifications", "void", first, "--note", "too late"]);
    assert!(code == 2 && err.contains("cannot be voided"), "{err}");
    assert_eq!(said(&merchant, &["audit", "verify"]).0, 0);
    let store = Store::open_existing(&merchant.path("recon.db")).unwrap();
    let journal: Vec<String> = store.journal_of(first).unwrap().into_iter().map(|row| row.detail).collect();
    assert!(
        journal.iter().any(|detail| detail.contains("\"by\":\"Li\"") && detail.contains("asked the till")),
        "{journal:?}"
    );
}
