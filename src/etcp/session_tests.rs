//! When a user is signed in, and when not.

use super::*;
use crate::etcp::request::{Interface, TransportError, WireRequest, WireResponse};
use crate::etcp::stub::{Stub, clock, mobile, ok, plate, token};

/// A store in memory.
#[derive(Default)]
struct Shelf(std::sync::Mutex<HashMap<Mobile, StoredToken>>);

impl Shelf {
    fn with(token: SecretString, age_s: i64) -> Arc<Self> {
        let shelf = Self::default();
        shelf.save(&mobile(), &StoredToken { token, issued_at: clock().now().plus_s(age_s.saturating_neg()) }).unwrap();
        Arc::new(shelf)
    }

    fn token(&self) -> Option<String> {
        self.load(&mobile()).unwrap().map(|stored| stored.token.expose_secret().to_owned())
    }
}

impl TokenStore for Shelf {
    fn load(&self, mobile: &Mobile) -> Result<Option<StoredToken>, String> {
        Ok(self.0.lock().unwrap().get(mobile).cloned())
    }

    fn save(&self, mobile: &Mobile, token: &StoredToken) -> Result<(), String> {
        self.0.lock().unwrap().insert(mobile.clone(), token.clone());
        Ok(())
    }

    fn forget(&self, mobile: &Mobile) -> Result<(), String> {
        self.0.lock().unwrap().remove(mobile);
        Ok(())
    }
}

/// A platform that gives `new-1`, `new-2`, … and takes the last one only, or none at all.
fn platform(takes_any: bool) -> Stub {
    let mut given = 0_u32;
    Stub::new(move |request: &WireRequest| -> Result<WireResponse, TransportError> {
        if request.interface == Interface::SignIn {
            given = given.wrapping_add(1);
            return ok(&format!(r#"{{"code":0,"data":{{"token":"new-{given}"}}}}"#));
        }
        let is_last = given > 0 && request.text.expose_secret().contains(&format!("new-{given}%22"));
        if is_last && takes_any {
            ok(r#"{"code":0,"data":[]}"#)
        } else {
            ok(r#"{"code":20101,"message":"无效 token"}"#)
        }
    })
}

fn sessions(stub: &Stub, shelf: &Arc<Shelf>) -> Sessions {
    Sessions::new(stub.client(), Arc::<Shelf>::clone(shelf), clock())
}

async fn read(sessions: &Sessions) -> Result<(), EtcpError> {
    let client = sessions.client();
    sessions.with(&mobile(), &plate(), |token| async move { client.history(&token).await.map(drop) }).await
}

#[tokio::test]
async fn a_kept_token_is_used_without_a_sign_in() {
    let stub = Stub::new(|_| ok(r#"{"code":0}"#));
    let shelf = Shelf::with(token(), 24 * 3600 - 1);
    let sessions = sessions(&stub, &shelf);
    read(&sessions).await.unwrap();
    read(&sessions).await.unwrap();
    assert_eq!((stub.count(Interface::SignIn), stub.count(Interface::OrderHistory)), (0, 2));
}

#[tokio::test]
async fn a_token_that_is_a_day_old_or_of_the_future_is_replaced_and_the_new_one_kept() {
    for age_s in [24 * 3600, 100_000, -60] {
        let (stub, shelf) = (platform(true), Shelf::with(token(), age_s));
        read(&sessions(&stub, &shelf)).await.unwrap();
        assert_eq!(stub.count(Interface::SignIn), 1);
        assert_eq!(shelf.token().as_deref(), Some("new-1"));
    }
}

#[tokio::test]
async fn a_refused_token_leads_to_one_sign_in_and_one_repetition() {
    let (stub, shelf) = (platform(true), Shelf::with(token(), 60));
    let sessions = sessions(&stub, &shelf);
    read(&sessions).await.unwrap();
    assert_eq!((stub.count(Interface::SignIn), stub.count(Interface::OrderHistory)), (1, 2));
    assert_eq!((shelf.token().as_deref(), sessions.voided()), (Some("new-1"), 1));
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_ends_the_users_run() {
    let (stub, shelf) = (platform(false), Shelf::with(token(), 60));
    let sessions = sessions(&stub, &shelf);
    for _ in 0..3 {
        assert_eq!(read(&sessions).await, Err(EtcpError::InvalidToken));
    }
    assert_eq!((stub.count(Interface::SignIn), stub.count(Interface::OrderHistory)), (1, 2));
    assert_eq!(shelf.token(), None);
}

#[tokio::test]
async fn a_run_that_began_with_a_sign_in_still_has_the_one_after_a_refusal() {
    let (stub, shelf) = (platform(true), Arc::new(Shelf::default()));
    let sessions = sessions(&stub, &shelf);
    read(&sessions).await.unwrap();
    let first = sessions.token(&mobile(), &plate()).await.unwrap();
    sessions.refused(&mobile(), &first).await.unwrap();
    read(&sessions).await.unwrap();
    assert_eq!(stub.count(Interface::SignIn), 2);
    // News of the old token's refusal that comes late changes nothing.
    sessions.refused(&mobile(), &first).await.unwrap();
    read(&sessions).await.unwrap();
    assert_eq!(stub.count(Interface::SignIn), 2);
}

#[tokio::test]
async fn a_user_who_is_let_go_is_found_in_the_store_again_and_one_who_was_refused_is_not_let_go() {
    let (stub, shelf) = (platform(true), Arc::new(Shelf::default()));
    let sessions = sessions(&stub, &shelf);
    read(&sessions).await.unwrap();
    sessions.let_go(&mobile());
    assert!(sessions.inner.users.lock().unwrap().is_empty());
    read(&sessions).await.unwrap();
    assert_eq!(stub.count(Interface::SignIn), 1);
    let token = sessions.token(&mobile(), &plate()).await.unwrap();
    sessions.refused(&mobile(), &token).await.unwrap();
    sessions.let_go(&mobile());
    assert_eq!(sessions.inner.users.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn callers_at_once_share_one_sign_in_at_the_start_and_after_a_refusal() {
    for shelf in [Arc::new(Shelf::default()), Shelf::with(token(), 60)] {
        let stub = platform(true);
        let sessions = sessions(&stub, &shelf);
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let sessions = sessions.clone();
                tokio::spawn(async move { read(&sessions).await })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
        assert_eq!(stub.count(Interface::SignIn), 1);
    }
}

#[tokio::test]
async fn a_user_who_was_refused_a_sign_in_is_not_signed_in_again_in_this_run() {
    let stub = Stub::new(|_| ok(r#"{"code":20201,"message":"手机号错误"}"#));
    let sessions = sessions(&stub, &Arc::new(Shelf::default()));
    for _ in 0..2 {
        assert!(matches!(read(&sessions).await, Err(EtcpError::Refused { .. })));
    }
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn a_sign_in_that_found_no_platform_may_be_tried_again() {
    let stub = Stub::script([
        Err(TransportError::Lost { reason: "reset".to_owned() }),
        ok(r#"{"code":0,"data":{"token":"new-1"}}"#),
        ok(r#"{"code":0}"#),
    ]);
    let sessions = sessions(&stub, &Arc::new(Shelf::default()));
    assert!(matches!(read(&sessions).await, Err(EtcpError::Unreachable { .. })));
    read(&sessions).await.unwrap();
}

#[tokio::test]
async fn an_adopted_token_is_used_and_kept() {
    let (stub, shelf) = (Stub::new(|_| ok(r#"{"code":0}"#)), Arc::new(Shelf::default()));
    let sessions = sessions(&stub, &shelf);
    sessions.adopt(&mobile(), token()).await.unwrap();
    read(&sessions).await.unwrap();
    assert_eq!(stub.count(Interface::SignIn), 0);
    assert_eq!(shelf.token().as_deref(), Some(token().expose_secret()));
}

#[tokio::test]
async fn a_store_that_fails_is_said() {
    struct Broken;
    impl TokenStore for Broken {
        fn load(&self, _: &Mobile) -> Result<Option<StoredToken>, String> {
            Err("disk".to_owned())
        }
        fn save(&self, _: &Mobile, _: &StoredToken) -> Result<(), String> {
            Err("disk".to_owned())
        }
        fn forget(&self, _: &Mobile) -> Result<(), String> {
            Err("disk".to_owned())
        }
    }
    let stub = platform(true);
    let sessions = Sessions::new(stub.client(), Arc::new(Broken), clock());
    assert_eq!(read(&sessions).await, Err(EtcpError::TokenStore { reason: "disk".to_owned() }));
    assert!(stub.calls().is_empty());
}

#[test]
fn debug_of_a_kept_token_hides_it() {
    let kept = StoredToken { token: token(), issued_at: clock().now() };
    assert!(!format!("{kept:?}").contains(token().expose_secret()));
}
