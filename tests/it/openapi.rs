//! `docs/etcp-open-platform.openapi.yaml` against the sandbox over real HTTP, against the requests of our client, and
//! against the samples of the platform's document: what it says is so, and nothing is so that it does not say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etcp_recon::clock::Clock;
use etcp_recon::etcp::attempt::{AttemptOutcome, PaidRequest};
use etcp_recon::etcp::client::{Client, ClientSettings, HttpTransport};
use etcp_recon::etcp::lots::{LotQuery, PayType};
use etcp_recon::etcp::request::{BoxFuture, Transport, TransportError, WireRequest, WireResponse};
use etcp_recon::model::{Amount, ExternalOrderId, Mobile, Plate};
use etcp_recon::sandbox::request::PATH_PREFIX;
use etcp_recon::sandbox::world::Settings;
use etcp_recon::sandbox::{Interface, ParkingOrder, PushForm, PushKind, Server, Size, Stay, World, push_body, seeded};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::plain_http::{exchange, form_fields, signed};
use crate::support::at;

/// Where the description tells of an interface.
fn operation(interface: Interface) -> String {
    let path = format!("{PATH_PREFIX}{}", interface.name()).replace('/', "~1");
    format!("/paths/{path}/{}", interface.method().to_lowercase())
}

/// The description.
struct Description(Value);

impl Description {
    fn load() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/etcp-open-platform.openapi.yaml");
        Self(serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    }

    /// The value at a JSON pointer; references on the way are followed.
    fn at(&self, pointer: &str) -> &Value {
        pointer.split('/').skip(1).fold(&self.0, |value, part| {
            let part = part.replace("~1", "/");
            self.resolved(value).get(&part).unwrap_or_else(|| panic!("the description has no {pointer}"))
        })
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.at(reference.strip_prefix('#').unwrap()),
            None => value,
        }
    }

    /// The schema of an interface's `data`.
    fn data(&self, interface: Interface) -> &Value {
        let operation = operation(interface);
        if interface.method() == "POST" {
            let form = "requestBody/content/application~1x-www-form-urlencoded/schema/properties/data";
            return self.at(&format!("{operation}/{form}/contentSchema"));
        }
        let parameters = self.at(&format!("{operation}/parameters")).as_array().unwrap();
        let parameters: Vec<_> = parameters.iter().map(|parameter| self.resolved(parameter)).collect();
        let names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["merchant_no", "time_stamp", "data", "sign"], "{interface:?}");
        &parameters[2]["content"]["application/json"]["schema"]
    }

    /// The schema of an interface's answer.
    fn answer(&self, interface: Interface) -> &Value {
        self.at(&format!("{}/responses/200/content/application~1json/schema", operation(interface)))
    }

    /// The schema of a push, as JSON, or of the `data` of its form.
    fn push(&self, kind: PushKind, form: PushForm) -> &Value {
        let content = format!("/webhooks/{}/post/requestBody/content", kind.name());
        if form == PushForm::Form {
            let data = "application~1x-www-form-urlencoded/schema/properties/data/contentSchema";
            return self.at(&format!("{content}/{data}"));
        }
        self.at(&format!("{content}/application~1json/schema"))
    }

    /// What of `instance` is not as `schema` says.
    fn faults(&self, schema: &Value, instance: &Value) -> Vec<String> {
        let whole = json!({ "allOf": [schema], "components": self.0["components"] });
        let validator = jsonschema::draft202012::new(&whole).unwrap();
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[track_caller]
    fn check(&self, schema: &Value, instance: &Value) {
        assert_eq!(self.faults(schema, instance), Vec::<String>::new(), "{instance}");
    }

    /// The schemas that say something of the same instance: through references, `allOf` and `oneOf`.
    fn parts<'a>(&'a self, schema: &'a Value, found: &mut Vec<&'a Value>) {
        found.push(schema);
        if schema.get("$ref").is_some() {
            self.parts(self.resolved(schema), found);
        }
        for list in ["allOf", "oneOf"] {
            for part in schema[list].as_array().into_iter().flatten() {
                self.parts(part, found);
            }
        }
    }

    /// The paths of all members that a schema names: `data.list[].id`.
    fn names(&self, schema: &Value, path: &str, found: &mut BTreeSet<String>) {
        let mut parts = Vec::new();
        self.parts(schema, &mut parts);
        for part in parts {
            for (name, member) in part["properties"].as_object().into_iter().flatten() {
                found.insert(format!("{path}{name}"));
                self.names(member, &format!("{path}{name}."), found);
            }
            if let Some(items) = part.get("items") {
                self.names(items, &format!("{path}[]."), found);
            }
        }
    }
}

/// The paths of all members of an instance.
fn names_in(instance: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, member) in instance.as_object().into_iter().flatten() {
        found.insert(format!("{path}{name}"));
        names_in(member, &format!("{path}{name}."), found);
    }
    for item in instance.as_array().into_iter().flatten() {
        names_in(item, &format!("{path}[]."), found);
    }
}

/// The instances have every member that the schema names, and no other.
#[track_caller]
fn names_agree(description: &Description, schema: &Value, instances: &[&Value]) {
    let (mut described, mut seen) = (BTreeSet::new(), BTreeSet::new());
    description.names(schema, "", &mut described);
    for instance in instances {
        names_in(instance, "", &mut seen);
    }
    assert_eq!(described, seen);
}

/// A sandbox on a real socket, and everything that was asked and answered.
struct Rig {
    runtime: tokio::runtime::Runtime,
    server: Server,
    asked: Vec<(Interface, Value, Value)>,
}

fn world() -> World {
    seeded(1, "2026-11-22".parse().unwrap(), Size { users: 20, orders: 200 }).world
}

impl Rig {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock = Clock::fixed(at("2026-11-23 10:30:00"));
        let world = Arc::new(Mutex::new(world()));
        let server = runtime.block_on(Server::start(world, "127.0.0.1:0".parse().unwrap(), clock)).unwrap();
        Self { runtime, server, asked: Vec::new() }
    }

    /// Sends a form as it is.
    fn send(&mut self, interface: Interface, data: &Value, form: &str) -> Value {
        let path = format!("{PATH_PREFIX}{}", interface.name());
        let (path, body) = match interface.method() {
            "GET" => (format!("{path}?{form}"), ""),
            _ => (path, form),
        };
        let (status, text) = exchange(self.server.addr(), interface.method(), &path, body);
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        self.asked.push((interface, data.clone(), answer.clone()));
        answer
    }

    fn ask(&mut self, interface: Interface, data: &Value) -> Value {
        self.send(interface, data, &signed(&data.to_string()))
    }

    /// Asks what must succeed.
    #[track_caller]
    fn succeed(&mut self, interface: Interface, data: &Value) -> Value {
        let answer = self.ask(interface, data);
        assert_eq!(answer["code"], 0, "{data}");
        answer["data"].clone()
    }

    /// Asks all ten so that they succeed, in all their ways: every optional member, every shape of a list.
    fn ask_all(&mut self) {
        for index in 0..6 {
            let phone = format!("1390000000{index}");
            self.succeed(Interface::UserValidateCode, &json!({ "mobilePhone": phone }));
            let code = self.server.with_world(|world| world.sms_code(&Mobile::parse(&phone).unwrap())).unwrap();
            let login = json!({"mobilePhone": phone, "code": code, "appId": "ETCP"});
            let token = self.succeed(Interface::UserLogin, &login)["token"].clone();
            self.succeed(Interface::OrderHistory, &json!({ "token": token }));
        }
        let users: Vec<_> = self.server.with_world(|world| world.users().cloned().collect());
        for mobile in users {
            self.ask_as(&mobile);
        }
        let around = json!({"lat": "29.563", "lon": "106.577", "radius": "1000", "payType": "0"});
        let mut id = Value::Null;
        for mut data in [around, json!({"city": "重庆市"})] {
            let page = self.succeed(Interface::SurroundingParking, &data);
            data["scrollId"] = page["list"][0]["scrollId"].clone();
            self.succeed(Interface::SurroundingParking, &data);
            id = page["list"][0]["id"].clone();
        }
        self.succeed(Interface::ParkingStatus, &json!({ "parkingId": id }));
    }

    /// Signs a user in, looks at the orders, pays what is due, binds a plate and unbinds it.
    fn ask_as(&mut self, mobile: &Mobile) {
        let sign_in = json!({"mobilePhone": mobile.expose(), "appId": "ETCP", "carNumber": "渝A00001"});
        let token = self.succeed(Interface::UserSignIn, &sign_in)["token"].clone();
        self.succeed(Interface::OrderHistory, &json!({ "token": token }));
        let mut plates = self.server.with_world(|world| world.plates_of(mobile));
        if plates.len() < 3 {
            let data = json!({"token": token, "plateNumber": "京N8X2K6", "plateColor": "2"});
            self.succeed(Interface::BindCar, &data);
            self.succeed(Interface::UnbindCar, &json!({"token": token, "plateNumber": "京N8X2K6"}));
        }
        plates.push(Plate::parse("京N8X2K6").unwrap());
        for plate in plates {
            let data = json!({"token": token, "plateNumber": plate, "appId": "ETCP"});
            let open = self.succeed(Interface::OrderUnpay, &data);
            for order in open.as_array().into_iter().flatten() {
                self.pay(&token, order);
            }
        }
    }

    fn pay(&mut self, token: &Value, order: &Value) {
        let due: Amount = order["remainingFee"].to_string().trim_matches('"').parse().unwrap();
        if due.is_zero() {
            return;
        }
        let data = json!({
            "token": token, "orderId": order["orderId"], "externalOrderId": format!("P-{}", self.asked.len()),
            "payment": due, "payTime": "2026-11-23 10:29:00", "verificationInfo": order["verificationInfo"],
            "appId": "ETCP",
        });
        self.succeed(Interface::OrderPaid, &data);
    }
}

#[test]
fn the_paths_and_methods_are_the_sandboxs_and_no_others() {
    let (description, rig) = (Description::load(), Rig::new());
    let paths = description.at("/paths").as_object().unwrap().iter();
    let described: BTreeSet<_> = paths
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    let offered = Interface::ALL.iter().map(|i| (format!("{PATH_PREFIX}{}", i.name()), i.method().to_owned()));
    assert_eq!(described, offered.collect());
    for (path, method) in &described {
        let other = if method == "GET" { "POST" } else { "GET" };
        assert_eq!(exchange(rig.server.addr(), method, path, "").0, 200, "{path}");
        assert_eq!(exchange(rig.server.addr(), other, path, "").0, 405, "{path}");
    }
    assert_eq!(exchange(rig.server.addr(), "GET", &format!("{PATH_PREFIX}orders"), "").0, 404);
    let webhooks: Vec<_> = description.at("/webhooks").as_object().unwrap().keys().collect();
    assert_eq!(webhooks, ["entrance", "exit"]);
}

#[test]
fn every_answer_and_what_led_to_it_is_as_described() {
    let (description, mut rig) = (Description::load(), Rig::new());
    rig.ask_all();
    for interface in Interface::ALL.iter().copied() {
        let asked: Vec<_> = rig.asked.iter().filter(|(other, ..)| *other == interface).collect();
        for (_, data, answer) in &asked {
            description.check(description.data(interface), data);
            description.check(description.answer(interface), answer);
        }
        names_agree(
            &description,
            description.data(interface),
            &asked.iter().map(|(_, data, _)| data).collect::<Vec<_>>(),
        );
        let answers: Vec<_> = asked.iter().map(|(.., answer)| answer).collect();
        names_agree(&description, description.answer(interface), &answers);
    }
    for interface in [Interface::OrderHistory, Interface::OrderUnpay] {
        let answers = rig.asked.iter().filter(|(other, ..)| *other == interface).map(|(.., answer)| answer);
        let shapes: BTreeSet<_> = answers
            .map(|answer| match answer.get("data") {
                None => "absent",
                Some(Value::Null) => "null",
                Some(list) if *list == json!([]) => "empty",
                Some(_) => "records",
            })
            .collect();
        assert_eq!(shapes.into_iter().collect::<Vec<_>>(), ["absent", "empty", "null", "records"], "{interface:?}");
    }
}

#[test]
fn every_refusal_is_as_described_and_what_is_not_described_is_refused() {
    let (description, mut rig) = (Description::load(), Rig::new());
    for interface in Interface::ALL.iter().copied() {
        rig.ask(interface, &json!({}));
        rig.ask(interface, &json!({"unheardOf": "1"}));
        rig.send(interface, &json!({}), &signed("{}").replace("&sign=", "&sign=0"));
        rig.send(interface, &json!({}), "");
        for name in ["token", "mobilePhone", "plateNumber", "parkingId", "city"] {
            rig.ask(interface, &json!({ name: 1 }));
        }
    }
    let codes = codes(&description);
    for (interface, data, answer) in &rig.asked {
        description.check(description.answer(*interface), answer);
        let code = answer["code"].as_i64().unwrap();
        assert!(code != 0 && codes.iter().any(|(known, _)| *known == code), "{data}: {answer}");
        if *data != json!({}) {
            assert_ne!(description.faults(description.data(*interface), data), Vec::<String>::new(), "{data}");
        }
    }
}

fn codes(description: &Description) -> Vec<(i64, String)> {
    let codes = description.at("/components/schemas/Code/oneOf").as_array().unwrap();
    codes.iter().map(|code| (code["const"].as_i64().unwrap(), code["title"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn the_codes_are_those_of_the_document_with_its_words() {
    let (description, mut rig) = (Description::load(), Rig::new());
    let codes = codes(&description);
    let numbers: Vec<_> = codes.iter().map(|(code, _)| *code).collect();
    let document = [0, 1, 2, 3, 4, 5, 6, 7, 8, 20100, 20101, 20102, 20201, 20202, 20203, 20206];
    assert_eq!(numbers, document);
    for (code, title) in codes.into_iter().skip(1) {
        rig.server.with_world(|world| world.add_fault(format!("usersignin:answer={code}").parse().unwrap()));
        assert_eq!(rig.ask(Interface::UserSignIn, &json!({})), json!({"code": code, "message": title}));
    }
}

#[test]
fn every_push_is_as_described() {
    let (description, world) = (Description::load(), world());
    let form_schema = description.at("/components/schemas/PushForm");
    for form in PushForm::ALL {
        for kind in [PushKind::Entrance, PushKind::Exit] {
            let write =
                |order: &ParkingOrder| push_body(order, kind, form, &Settings::default(), at("2026-11-23 10:30:00"));
            let mut pushes = Vec::new();
            for (_, body) in world.orders().filter_map(write) {
                let text = if form == PushForm::Form {
                    let fields: Map<String, Value> =
                        form_fields(&body).into_iter().map(|(name, value)| (name, value.into())).collect();
                    description.check(form_schema, &Value::Object(fields.clone()));
                    fields["data"].as_str().unwrap().to_owned()
                } else {
                    body
                };
                let push = serde_json::from_str(&text).unwrap();
                description.check(description.push(kind, form), &push);
                pushes.push(push);
            }
            names_agree(&description, description.push(kind, form), &pushes.iter().collect::<Vec<_>>());
        }
    }
}

/// The client's transport, with a record of what went out.
struct Recording {
    inner: HttpTransport,
    sent: Mutex<Vec<(String, String)>>,
}

impl Transport for Recording {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        let text = request.text.expose_secret().to_owned();
        self.sent.lock().unwrap().push((request.interface.name().to_owned(), text));
        self.inner.send(request)
    }
}

fn client(server: &Server) -> (Client, Arc<Recording>) {
    let platform = Settings::default();
    let settings = ClientSettings {
        base_url: server.base_url(),
        allow_plain_http: false,
        merchant_no: platform.merchant_no,
        merchant_key: SecretString::from(platform.merchant_key),
        app_id: Some(platform.app_id),
        timeout: Duration::from_secs(10),
        max_concurrency: 1,
        max_requests_per_second: 1000,
        retries: 0,
        backoff: Duration::ZERO,
        strip_whitespace: false,
    };
    let inner = HttpTransport::new(&settings.base_url, settings.timeout, false).unwrap();
    let recording = Arc::new(Recording { inner, sent: Mutex::default() });
    let transport: Arc<dyn Transport> = Arc::<Recording>::clone(&recording);
    (Client::new(settings, transport, Clock::fixed(at("2026-11-23 10:30:00"))), recording)
}

/// Asks all ten through our client; each must succeed.
async fn ask_all_ten(client: &Client, server: &Server) {
    let mobile = Mobile::parse("13800000001").unwrap();
    client.send_code(&mobile).await.unwrap();
    let code = server.with_world(|world| world.sms_code(&mobile)).unwrap();
    client.login(&mobile, &SecretString::from(code)).await.unwrap();
    // Somebody whose car is inside and owes something.
    let is_due = |order: &&ParkingOrder| matches!(order.stay, Stay::Inside { .. }) && order.due() > Some(Amount::ZERO);
    let order = server.with_world(|world| world.orders().find(is_due).cloned()).unwrap();
    let plate = Plate::parse(&order.plate).unwrap();
    let token = client.sign_in(&order.mobile, &plate).await.unwrap();
    client.history(&token).await.unwrap();
    client.unbind_car(&token, &plate).await.unwrap();
    client.bind_car(&token, &plate, Some(4)).await.unwrap();
    let unpaid = client.unpaid(&token, &plate).await.unwrap();
    let fee = unpaid.records.iter().find(|fee| fee.snapshot.order_id == order.order_id).unwrap();
    let request = PaidRequest {
        order_id: order.order_id.clone(),
        external_order_id: ExternalOrderId::new("P-1").unwrap(),
        payment: fee.snapshot.state.due(),
        pay_time: at("2026-11-23 10:29:00"),
        verification_info: fee.verification_info.clone(),
    };
    assert!(matches!(client.order_paid(&token, &request).await, AttemptOutcome::Acknowledged { .. }));
    let around = LotQuery::around("29.563000", "106.577000", 500, PayType::All).unwrap();
    let page = client.lots(&around, None).await.unwrap();
    client.lots(&around, page.scroll_id.as_deref()).await.unwrap();
    client.lots(&LotQuery::city("重庆市", PayType::Electronic).unwrap(), None).await.unwrap();
    client.lot_status(&page.lots.records[0].id).await.unwrap();
}

#[test]
fn the_requests_of_our_client_are_as_described() {
    let (description, rig) = (Description::load(), Rig::new());
    let (client, recording) = client(&rig.server);
    rig.runtime.block_on(ask_all_ten(&client, &rig.server));
    let sent = recording.sent.lock().unwrap();
    let form = description.at("/components/schemas/Form");
    for (name, text) in sent.iter() {
        let fields: Map<String, Value> =
            form_fields(text).into_iter().map(|(name, value)| (name, value.into())).collect();
        description.check(form, &Value::Object(fields.clone()));
        let data = serde_json::from_str(fields["data"].as_str().unwrap()).unwrap();
        description.check(description.data(Interface::from_name(name).unwrap()), &data);
    }
    let names: BTreeSet<_> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, Interface::ALL.iter().map(|interface| interface.name()).collect());
}

#[test]
fn the_documents_own_samples_are_as_described() {
    let description = Description::load();
    let sample = |name: &str| -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/platform-document").join(name);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    for (interface, section) in Interface::ALL.iter().zip(1..) {
        let name = interface.name();
        let answer = sample(&format!("8.{section}-{name}-answer.json"));
        description.check(description.answer(*interface), &answer);
        let request = sample(&format!("8.{section}-{name}-request.json"));
        let faults = description.faults(description.data(*interface), request.get("data").unwrap_or(&request));
        // `appld` for `appId`, and a place and a city at once, which the text forbids.
        let is_slip = matches!(interface, Interface::UserSignIn | Interface::SurroundingParking);
        assert_eq!(faults.is_empty(), !is_slip, "{name}: {faults:?}");
    }
    for (kind, file) in [(PushKind::Entrance, "9.1-entrance-push.json"), (PushKind::Exit, "9.2-exit-push.json")] {
        description.check(description.push(kind, PushForm::Json), &sample(file));
    }
}
