//! A run that failed: marked, mailed if that is possible, and summed up in a word.

use super::{FailedRun, Night};
use crate::jobs::letter::failure_letter;
use crate::jobs::summary::Summary;
use crate::jobs::{mailing, outbox};
use crate::report::FailureReport;
use crate::store::Store;

impl Night<'_> {
    /// Marks the run failed and tells people, as far as that is possible; what fails here is only logged.
    /// Says what became of the mail.
    pub(super) async fn fail(&self, store: &mut Store, error: &anyhow::Error) -> &'static str {
        let now = self.clock.now();
        if let Err(also) = store.fail_run(&self.record.id, now) {
            tracing::error!(error = %format!("{also:#}"), "the run could not be marked failed");
        }
        let Some(email) = self.email else { return "off" };
        let report = FailureReport {
            run_id: Some(self.record.id.clone()),
            date: self.options.date,
            made_at: now,
            error_chain: error.chain().map(ToString::to_string).collect(),
        };
        let letter = failure_letter(&report, mailing::lang(&self.settings.report));
        let told = async {
            let mail = mailing::outbox_mail(email, self.mail_key(&self.unique()), &letter, now)?;
            store.store_mail(&mail, now)?;
            let delivery = outbox::send_pending(store, email, &self.settings.report.dir, self.clock).await?;
            anyhow::Ok((delivery.accepted.contains(&mail.message_id), delivery.problems))
        };
        match told.await {
            Ok((true, _)) => outbox::delivered_as(email),
            Ok((false, problems)) => {
                tracing::error!(?problems, "the failure could not be mailed; it waits in the outbox");
                "pending"
            }
            Err(also) => {
                tracing::error!(error = %format!("{also:#}"), "the failure could not be mailed");
                "off"
            }
        }
    }

    /// What is left to say of a failed run, beside its error.
    pub(super) fn failed(&self, mail: &'static str) -> FailedRun {
        let rerun_of = self.before.as_ref().map(|run| run.id.clone());
        let summary = Summary::failed(&self.record.id, self.options.date, self.options.mode, rerun_of, mail);
        FailedRun { summary: Box::new(summary) }
    }
}
