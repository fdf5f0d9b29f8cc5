//! Car parks: limits of the question, and odd records.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_question_keeps_the_limits_of_the_document() {
    let around = |lat, lon, radius_m| LotQuery::around(lat, lon, radius_m, PayType::All).map(drop);
    for radius_m in [500, 501, 3000] {
        assert_eq!(around("39.872748", "116.429718", radius_m), Ok(()));
    }
    for radius_m in [0, 499, 3001] {
        assert_eq!(around("39.872748", "116.429718", radius_m), Err(LimitError::Radius { radius_m }));
    }
    for (lat, lon) in [("90", "180"), ("-90.0", "-180"), ("0", "0")] {
        assert_eq!(around(lat, lon, 500), Ok(()));
    }
    for lat in ["90.000001", "-91", "", "39,8", "4e1", "NaN", "1_0", "+1", ".5", "5."] {
        assert_eq!(around(lat, "116", 500), Err(LimitError::Latitude), "{lat}");
    }
    assert_eq!(around("39", "180.1", 500), Err(LimitError::Longitude));
    for name in ["", "  ", "北\n京"] {
        assert_eq!(LotQuery::city(name, PayType::All), Err(LimitError::City));
    }
}

#[test]
fn a_coordinate_is_sent_with_the_digits_it_was_given() {
    let query = LotQuery::around("-0.10", "116.4297180000000001", 500, PayType::Other).unwrap();
    let expected = [("lat", "-0.10"), ("lon", "116.4297180000000001"), ("radius", "500"), ("payType", "2")];
    assert_eq!(query.members(None), expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn a_bad_lot_is_rejected_with_its_reason_and_the_rest_is_kept() {
    let good =
        json!({"id": 7, "parkingName": "P", "type": "xx", "minFreeTime": 15, "avgCostPrecise": "3", "payType": 2});
    let bad = [
        (json!({"parkingName": "P"}), "lot ?: id is missing"),
        (json!({"id": "a"}), "lot a: parkingName is missing"),
        (json!({"id": "a", "parkingName": "P", "minFreeTime": "soon"}), "lot a: minFreeTime: `soon` is not"),
        (json!({"id": "a", "parkingName": "P", "avgCostPrecise": -1}), "lot a: avgCostPrecise: `-1` is not"),
        (json!({"id": "a", "parkingName": "P", "lat": "91"}), "lot a: lat: `91` is not a latitude"),
        (json!({"id": "a", "parkingName": "P", "lon": [1]}), "lot a: lon is not a longitude"),
        (json!("a"), "lot ?: id is missing"),
    ];
    for (record, reason) in bad {
        let page = parse_lots(&json!({"list": [record, good]})).unwrap();
        assert_eq!((page.lots.records.len(), page.lots.rejected.len()), (1, 1));
        assert!(page.lots.rejected[0].reason.starts_with(reason), "{:?}", page.lots.rejected);
    }
    let page = parse_lots(&json!([good])).unwrap();
    let lot = &page.lots.records[0];
    assert_eq!((lot.id.as_str(), &lot.kind), ("7", &LotKind::Other("xx".to_owned())));
    assert_eq!((lot.free_minutes, &lot.payment), (Some(15), &LotPayment::NotElectronic));
    assert_eq!((lot.lat, &lot.level), (None, &LotLevel::Other(String::new())));
}

#[test]
fn an_answer_without_a_list_is_empty_or_refused() {
    for empty in [Value::Null, json!([]), json!({}), json!({"list": null}), json!({"scrollId": "s"})] {
        assert!(parse_lots(&empty).unwrap().lots.records.is_empty(), "{empty}");
    }
    for other in [json!("x"), json!({"list": 1}), json!({"lots": []})] {
        assert!(parse_lots(&other).is_err(), "{other}");
    }
    assert_eq!(parse_lots(&json!({"list": [], "scrollId": "s"})).unwrap().scroll_id.as_deref(), Some("s"));
}

#[test]
fn the_state_of_a_lot_must_be_whole() {
    let whole = json!({"totalSpace": 114, "time": "2017-09-04 22:37:14", "status": "紧张"});
    assert_eq!(parse_lot_status(&whole).unwrap().total_spaces, 114);
    for (name, value) in [("totalSpace", json!("-1")), ("time", json!("soon")), ("status", json!(""))] {
        let mut broken = whole.clone();
        broken[name] = value;
        assert!(parse_lot_status(&broken).unwrap_err().to_string().contains(name));
    }
    assert!(parse_lot_status(&Value::Null).is_err());
}
