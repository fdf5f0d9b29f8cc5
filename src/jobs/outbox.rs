//! The way of stored mails out of the house: tried oldest first, each recipient's fate recorded before the next mail.
//!
//! A mail is stored before it is sent, so a crash in between sends it again, under the same Message-ID.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::mailing::mail_server;
use crate::clock::Clock;
use crate::config;
use crate::report::mail::{HandedOver, MailEnvelope, MailError, Smtp, write_eml};
use crate::store::{Fate, OutboxMail, Store};

/// Refusals by a server that took the mail for nobody, after which it is not asked again by itself: it may be the
/// server that was wrong, for a few nights.
const REFUSALS_OF_ALL: u32 = 7;

/// What became of the mails that were tried.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Message-IDs of mails that at least one recipient got now.
    pub accepted: HashSet<String>,
    /// Mails that were written as files: run and path.
    pub files: Vec<(String, PathBuf)>,
    /// What did not work, oldest mail first.
    pub problems: Vec<Undelivered>,
}

/// A mail that somebody did not get.
#[derive(Clone, Debug)]
pub struct Undelivered {
    /// The run that it reports.
    pub run_id: String,
    /// The mail.
    pub message_id: String,
    /// Who, where it is not all of them, and why.
    pub why: String,
}

impl Delivery {
    /// Adds what became of other mails.
    pub fn merge(&mut self, other: Self) {
        self.accepted.extend(other.accepted);
        self.files.extend(other.files);
        self.problems.extend(other.problems);
    }
}

/// Sends everything that waits in the outbox, oldest first. Where the server cannot be reached, or does not let us
/// in, the others wait too.
///
/// # Errors
/// When the database cannot be read or written; a server that refuses is no error here.
pub async fn send_pending(
    store: &mut Store,
    email: &config::Email,
    dir: &Path,
    clock: &Clock,
) -> anyhow::Result<Delivery> {
    let mut outbox = Outbox::open(store, email, dir, clock)?;
    for message_id in outbox.store.pending_mails()? {
        let Some(mail) = outbox.store.waiting_mail(&message_id)? else { continue };
        if !outbox.send(&mail).await? {
            break;
        }
    }
    Ok(outbox.delivery)
}

/// Sends a stored mail to all of its recipients, also to those who have it.
///
/// # Errors
/// As [`send_pending`].
pub async fn send_again(
    store: &mut Store,
    mail: &OutboxMail,
    email: &config::Email,
    dir: &Path,
    clock: &Clock,
) -> anyhow::Result<Delivery> {
    let mut outbox = Outbox::open(store, email, dir, clock)?;
    outbox.send(mail).await?;
    Ok(outbox.delivery)
}

/// Sends a mail that no database keeps.
///
/// # Errors
/// When it cannot be sent or written, or is refused for everybody.
pub async fn send_now(mail: &OutboxMail, email: &config::Email, dir: &Path) -> anyhow::Result<()> {
    let Some(server) = mail_server(email)? else {
        return Ok(write_eml(dir, &file_name(mail, email), &mail.raw).map(drop)?);
    };
    let handed = hand_over(&server, mail).await?;
    match handed.refused.into_iter().next() {
        Some(refusal) if handed.accepted.is_empty() => Err(refusal.error.into()),
        _ => Ok(()),
    }
}

/// What a mail is called in the summary once it is delivered.
pub const fn delivered_as(email: &config::Email) -> &'static str {
    if email.smtp.is_some() { "sent" } else { "file" }
}

struct Outbox<'a> {
    store: &'a mut Store,
    email: &'a config::Email,
    server: Option<Smtp>,
    dir: &'a Path,
    clock: &'a Clock,
    delivery: Delivery,
}

impl<'a> Outbox<'a> {
    fn open(store: &'a mut Store, email: &'a config::Email, dir: &'a Path, clock: &'a Clock) -> anyhow::Result<Self> {
        Ok(Self { store, email, server: mail_server(email)?, dir, clock, delivery: Delivery::default() })
    }

    /// One try of one mail, recorded. Says whether the next one can be tried.
    async fn send(&mut self, mail: &OutboxMail) -> anyhow::Result<bool> {
        let tried = match &self.server {
            Some(server) => hand_over(server, mail).await,
            None => write_eml(self.dir, &file_name(mail, self.email), &mail.raw).map(|path| {
                self.delivery.files.push((mail.run_id.clone(), path));
                HandedOver { accepted: mail.recipients.clone(), refused: Vec::new() }
            }),
        };
        let goes_on = !matches!(tried, Err(MailError::Connection { .. } | MailError::Login { .. }));
        self.store.record_delivery(&mail.message_id, &fates(&mail.recipients, &tried), self.clock.now())?;
        let problems = match tried {
            Ok(handed) => {
                if !handed.accepted.is_empty() {
                    self.delivery.accepted.insert(mail.message_id.clone());
                }
                handed.refused.iter().map(|refusal| format!("{}: {}", refusal.address, refusal.error)).collect()
            }
            Err(error) => vec![format!("{:#}", anyhow::Error::from(error)).replace("\nhint: ", "; ")],
        };
        let problem = |why| Undelivered { run_id: mail.run_id.clone(), message_id: mail.message_id.clone(), why };
        self.delivery.problems.extend(problems.into_iter().map(problem));
        Ok(goes_on)
    }
}

async fn hand_over(server: &Smtp, mail: &OutboxMail) -> Result<HandedOver, MailError> {
    let failed = |reason: &dyn std::error::Error| MailError::Message { reason: reason.to_string() };
    let recipients = mail.recipients.iter().map(|to| to.parse()).collect::<Result<Vec<_>, _>>();
    let sender = mail.sender.parse().map_err(|error| failed(&error))?;
    let envelope = MailEnvelope::new(Some(sender), recipients.map_err(|error| failed(&error))?);
    server.send(&envelope.map_err(|error| failed(&error))?, &mail.raw).await
}

/// What a try brought each recipient. Pure.
fn fates(recipients: &[String], tried: &Result<HandedOver, MailError>) -> Vec<(String, Fate)> {
    let of_error = |error: &MailError, limit| match error {
        MailError::Permanent { .. } => Fate::Refused { error: error.to_string(), limit },
        MailError::Message { .. }
        | MailError::Connection { .. }
        | MailError::Temporary { .. }
        | MailError::Login { .. }
        | MailError::File { .. } => Fate::Deferred { error: error.to_string() },
    };
    match tried {
        Ok(handed) => {
            let limit = if handed.accepted.is_empty() { REFUSALS_OF_ALL } else { 1 };
            let accepted = handed.accepted.iter().map(|address| (address.clone(), Fate::Accepted));
            let refused = handed.refused.iter().map(|one| (one.address.clone(), of_error(&one.error, limit)));
            accepted.chain(refused).collect()
        }
        Err(error) => recipients.iter().map(|to| (to.clone(), of_error(error, REFUSALS_OF_ALL))).collect(),
    }
}

/// The file of a mail where no server is named: that of the run, and for other people than the configured ones of
/// its own.
fn file_name(mail: &OutboxMail, email: &config::Email) -> String {
    let configured = super::mailing::recipients(&email.to, &email.cc).unwrap_or_default();
    let is_configured =
        configured.iter().all(|to| mail.recipients.contains(to)) && configured.len() == mail.recipients.len();
    let digest: String = mail.message_id.split(['.', '@']).nth(1).unwrap_or_default().chars().take(8).collect();
    if is_configured { format!("{}.eml", mail.run_id) } else { format!("{}-{digest}.eml", mail.run_id) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::mail::Refusal;

    fn permanent() -> MailError {
        MailError::Permanent { server: "mx:25".to_owned(), code: 550, reason: "no such user".to_owned() }
    }

    fn temporary() -> MailError {
        MailError::Temporary { server: "mx:25".to_owned(), code: 451, reason: "later".to_owned() }
    }

    fn refusal(address: &str, error: MailError) -> Refusal {
        Refusal { address: address.to_owned(), error }
    }

    #[test]
    fn one_that_is_refused_beside_others_is_refused_for_good() {
        let refused = vec![refusal("b@x", permanent()), refusal("c@x", temporary())];
        let tried = Ok(HandedOver { accepted: vec!["a@x".to_owned()], refused });
        let fates = fates(&[], &tried);
        assert_eq!(fates[0], ("a@x".to_owned(), Fate::Accepted));
        assert!(matches!(&fates[1].1, Fate::Refused { limit: 1, error } if error.contains("no such user")));
        assert!(matches!(&fates[2].1, Fate::Deferred { error } if error.contains("later")));
    }

    #[test]
    fn a_server_that_refuses_everybody_is_asked_again_for_a_week() {
        let all = HandedOver { accepted: Vec::new(), refused: vec![refusal("a@x", permanent())] };
        let recipients = ["a@x".to_owned()];
        for tried in [Ok(all), Err(permanent())] {
            assert!(matches!(fates(&recipients, &tried)[0].1, Fate::Refused { limit: REFUSALS_OF_ALL, .. }));
        }
        let lost = Err(MailError::Connection { server: "mx:25".to_owned(), reason: "gone".to_owned() });
        assert!(matches!(fates(&recipients, &lost)[0].1, Fate::Deferred { .. }));
    }
}
