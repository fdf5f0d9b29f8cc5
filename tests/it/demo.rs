//! The demo, end to end.

use etcp_recon::clock::Clock;
use etcp_recon::jobs::demo::{DemoOptions, demo};
use etcp_recon::jobs::progress::Silent;
use etcp_recon::report::Lang;

#[tokio::test]
async fn the_demo_shows_every_disposition_and_ties_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    let options = DemoOptions { dir: Some(dir.path().join("demo")), lang: Lang::Zh };
    let end = demo(options, &Clock::System, &Silent, &mut out).await;
    println!("{}", String::from_utf8(out).unwrap());
    println!("{end:?}");
    end.unwrap();
}
