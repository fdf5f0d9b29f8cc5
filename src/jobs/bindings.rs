//! Binding and unbinding plates: the limits first, then written down, then asked, then the roster.
//!
//! An answer that does not come leaves the outcome unknown and the roster alone; what is unknown counts
//! towards the limits.

use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use super::platform_calls::{Caller, Desk, Missing};
use crate::etcp::EtcpError;
use crate::etcp::limits::{BindingAct, BindingOutcome, BoundPlates};
use crate::model::{ExternalOrderId, Mobile, NotificationState, OrderId, Plate, Timestamp};
use crate::store::{RosterPlate, Store, StoreError};

/// What is to be done with a plate, found to be within the limits.
#[derive(Clone, Debug)]
pub struct BindingPlan {
    /// Bind or unbind.
    pub act: BindingAct,
    /// The user, who has a plate to sign in with.
    pub user: Caller,
    /// The plate.
    pub plate: Plate,
    /// Its colour, to bind it.
    pub color: Option<u8>,
    /// The entry that the roster has for the plate now.
    pub entry: Option<RosterPlate>,
    /// What is still to be done for a plate that is to be unbound.
    pub unsettled: Unsettled,
}

/// What the evidence has of a plate that is not over. Unbound, nobody can ask for it or tell of it any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// The order seen last, which was open.
    pub open_order: Option<OrderId>,
    /// The oldest notification that is not finished, and its state.
    pub notification: Option<(ExternalOrderId, NotificationState)>,
}

impl Unsettled {
    fn of(store: &Store, plate: &Plate) -> Result<Self, StoreError> {
        let oldest = store.unfinished_of(plate)?.into_iter().next();
        Ok(Self {
            open_order: store.open_order_of(plate)?,
            notification: oldest.map(|record| (record.external_order_id, record.standing.state)),
        })
    }
}

/// The platform's answer did not come: it may be done or not.
#[derive(Debug, thiserror::Error)]
#[error("nobody knows whether the platform did it: {source}")]
pub struct UnknownOutcome {
    /// What was asked.
    pub act: BindingAct,
    /// Why there is no answer.
    pub source: EtcpError,
}

/// Looks whether a plate may be bound. Changes nothing. One that counts as bound may be, too: it may have been
/// unbound in the user's app, and what the platform has bound it binds again without harm.
///
/// # Errors
/// [`crate::etcp::LimitError`] when a limit of the document would be passed.
pub fn plan_bind(
    store: &Store,
    mobile: &Mobile,
    plate: &Plate,
    color: u8,
    now: Timestamp,
) -> anyhow::Result<BindingPlan> {
    let roster = store.roster()?;
    let found = BoundPlates::of(&store.bindings(mobile)?, now);
    let of_user = roster.iter().filter(|entry| entry.mobile == *mobile);
    let plates: Vec<Plate> = of_user.map(|entry| entry.plate.clone()).collect();
    found.may_bind(mobile, plate, &plates)?;
    let entry = roster.iter().find(|entry| entry.plate == *plate).cloned();
    let user = with_plate(&roster, mobile, plate);
    Ok(BindingPlan {
        act: BindingAct::Bind,
        user,
        plate: plate.clone(),
        color: Some(color),
        entry,
        unsettled: Unsettled::default(),
    })
}

/// Looks whose plate is to be unbound: `mobile`'s, else that of the user in the roster. Changes nothing.
///
/// # Errors
/// [`Missing`] when the roster does not know the plate and no user is named.
pub fn plan_unbind(store: &Store, plate: &Plate, mobile: Option<&Mobile>) -> anyhow::Result<BindingPlan> {
    let roster = store.roster()?;
    let entry = roster.iter().find(|entry| entry.plate == *plate).cloned();
    let mobile = mobile.or(entry.as_ref().map(|entry| &entry.mobile));
    let mobile = mobile.ok_or_else(|| Missing::User(plate.clone()))?;
    let user = with_plate(&roster, mobile, plate);
    let unsettled = Unsettled::of(store, plate)?;
    Ok(BindingPlan { act: BindingAct::Unbind, user, plate: plate.clone(), color: None, entry, unsettled })
}

/// The user, who signs in with the plate in question where the roster has no other.
fn with_plate(roster: &[RosterPlate], mobile: &Mobile, plate: &Plate) -> Caller {
    let mut user = Caller::of_mobile(roster, mobile.clone());
    user.plate.get_or_insert_with(|| plate.clone());
    user
}

impl Desk {
    /// Asks the platform to do what was planned. A bound plate is in the roster afterwards, an unbound one gone from it.
    ///
    /// # Errors
    /// [`EtcpError`] when it was not done, [`UnknownOutcome`] when nobody knows, else when the database fails.
    pub async fn carry_out(&mut self, plan: &BindingPlan) -> anyhow::Result<()> {
        // First, so that a sign-in that fails leaves nothing behind that was never asked.
        self.ensure_token(&plan.user).await?;
        let (act, at) = (plan.act, self.clock.now());
        let id = self.store.begin_binding(act, &plan.user.mobile, &plan.plate, plan.color, at)?;
        // Of the act itself: a sign-in in between may fail, too.
        let last = Mutex::new(None);
        let (client, plate, noted) = (self.client(), &plan.plate, &last);
        let asked = self.with(&plan.user, |token| async move {
            let result = match act {
                BindingAct::Bind => client.bind_car(&token, plate, plan.color).await,
                BindingAct::Unbind => client.unbind_car(&token, plate).await,
            };
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.clone());
            result
        });
        let asked = asked.await;
        let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcome = last.as_ref().map_or(BindingOutcome::NotSent, outcome_of);
        let ended = self.store.end_binding(id, outcome);
        if outcome == BindingOutcome::Done {
            return ended.with_context(|| done_but_not_kept(act, &plan.plate));
        }
        ended?;
        match last {
            Some(Err(source)) if outcome == BindingOutcome::Unknown => Err(UnknownOutcome { act, source }.into()),
            _ => asked,
        }
    }
}

fn done_but_not_kept(act: BindingAct, plate: &Plate) -> String {
    let done = match act {
        BindingAct::Bind => "bound",
        BindingAct::Unbind => "unbound",
    };
    format!(
        "the platform has {done} {plate}, but this cannot be kept\nhint: bring the roster up to date by `etcp-recon plates import`"
    )
}

/// What a call's result says of the act.
const fn outcome_of(result: &Result<(), EtcpError>) -> BindingOutcome {
    match result {
        Ok(()) => BindingOutcome::Done,
        Err(EtcpError::Refused { .. }) => BindingOutcome::Refused,
        Err(error) if error.leaves_open() => BindingOutcome::Unknown,
        // Turned away before the platform looked at what was asked, or never sent.
        Err(_) => BindingOutcome::NotSent,
    }
}
