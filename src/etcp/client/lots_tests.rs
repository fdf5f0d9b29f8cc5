//! The walk through the pages, and its end, over a scripted transport.

use serde_json::json;

use super::*;
use crate::etcp::lots::PayType;
use crate::etcp::stub::{Stub, ok};

fn page(ids: &[&str], scroll_id: Option<&str>) -> String {
    let record = |id: &&str| json!({"id": id, "parkingName": "P", "scrollId": scroll_id});
    json!({"code": 0, "message": "ok", "data": {"list": ids.iter().map(record).collect::<Vec<_>>()}}).to_string()
}

fn city() -> LotQuery {
    LotQuery::city("北京市", PayType::All).unwrap()
}

/// The ids of all pages, and how often the platform was asked.
async fn walked(answers: &[String]) -> (Vec<String>, usize) {
    let stub = Stub::script(answers.iter().map(|page| ok(page)).collect::<Vec<_>>());
    let mut pager = LotPager::new(stub.client(), city());
    let mut ids = Vec::new();
    while let Some(page) = pager.next().await.unwrap() {
        ids.extend(page.lots.records.iter().map(|lot| lot.id.as_str().to_owned()));
    }
    (ids, stub.count(Interface::SurroundingParking))
}

#[tokio::test]
async fn pages_are_asked_for_to_the_end() {
    let all = [page(&["a", "b"], Some("s1")), page(&["c"], Some("s2")), page(&[], Some("s3"))];
    assert_eq!(walked(&all).await, (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 3));
    assert_eq!(walked(&[page(&["a"], None)]).await.1, 1, "no scrollId is the end");
    assert_eq!(walked(&[page(&[], None)]).await, (vec![], 1));
    // One scrollId for the whole walk.
    let one = [page(&["a"], Some("s")), page(&["b"], Some("s")), page(&["c"], Some("s")), page(&[], Some("s"))];
    assert_eq!(walked(&one).await, (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 4));
}

#[tokio::test]
async fn a_server_that_keeps_answering_the_same_does_not_hold_us() {
    let same = vec![page(&["a", "b"], Some("s")); 9];
    assert_eq!(walked(&same).await, (vec!["a".to_owned(), "b".to_owned()], 2));
    let renamed: Vec<String> = (0..9).map(|n| page(&["a"], Some(&format!("s{n}")))).collect();
    assert_eq!(walked(&renamed).await, (vec!["a".to_owned()], 3));
}

#[tokio::test]
async fn a_server_without_end_is_an_error_and_no_cut_list() {
    let mut n = 0;
    let stub = Stub::new(move |_| {
        n += 1;
        ok(&page(&[&format!("a{n}")], Some(&format!("s{n}"))))
    });
    let mut pager = LotPager::new(stub.client(), city());
    let error = loop {
        match pager.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("cut"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, EtcpError::BadAnswer { reason: "no end after 10000 pages".to_owned() });
    assert_eq!(stub.calls().len(), 10_000);
}
