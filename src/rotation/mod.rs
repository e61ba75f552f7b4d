//! Rotations: `model::rotation` decides, this room performs. One loop ([`drive`]) takes each step and notes it in the
//! [`journal`]; a rotation that was interrupted enters the same loop with what the journal says.

mod abort;
mod batch;
mod begin;
mod drive;
mod escrow;
mod interruptions;
mod journal;
mod outcome;
mod perform;
mod report;
mod verify;
mod ways;

use std::cell::RefCell;
use std::path::PathBuf;

pub(crate) use self::batch::Batch;
pub(crate) use self::begin::{Preview, Wishes, begin, preview};
pub(crate) use self::drive::resume;
pub(crate) use self::escrow::Escrow;
pub(crate) use self::journal::{Journal, JournalError};
pub(crate) use self::outcome::{Ended, How as EndedHow, rotation_json};
pub(crate) use self::report::report;

use crate::credential::{CredentialStore, Storage};
use crate::model::rotation::{Record, Where};
use crate::output::Output;
use crate::profiles::Profile;
use crate::reach::Reached;
use crate::sink::Circumstances;
use crate::terminal::Terminal;

/// What every step of a rotation needs.
pub(crate) struct Hands<'a, 't> {
    pub(crate) reached: &'a Reached,
    pub(crate) journal: &'a Journal,
    pub(crate) escrow: Escrow,
    pub(crate) circumstances: &'a Circumstances,
    pub(crate) output: &'a Output,
    /// Shared by the rotations of many, each of which uses it between two waits.
    pub(crate) terminal: &'a RefCell<&'t mut Terminal>,
    /// Where the profile is configured whose stored credential may be what is rotated.
    pub(crate) configuration: Option<PathBuf>,
    /// Whether other rotations go on meanwhile.
    pub(crate) is_one_of_many: bool,
}

impl<'a, 't> Hands<'a, 't> {
    pub(crate) fn new(
        reached: &'a Reached,
        journal: &'a Journal,
        circumstances: &'a Circumstances,
        output: &'a Output,
        terminal: &'a RefCell<&'t mut Terminal>,
    ) -> Self {
        // Who keeps the credential in a file has no keyring, or does not want it.
        let without = reached.stored.as_ref().is_some_and(|profile| profile.storage == Storage::File);
        let escrow = Escrow::new(journal.clone(), !reached.is_local() && !without);
        Self { reached, journal, escrow, circumstances, output, terminal, configuration: None, is_one_of_many: false }
    }

    /// Does what waits for the disk or for the keyring: where other rotations go on, they do not wait for it.
    async fn waiting<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        if self.is_one_of_many { tokio::task::spawn_blocking(work).await? } else { work() }
    }

    /// The store of the credential that this run uses.
    fn stored(&self) -> Option<(CredentialStore, Profile)> {
        let profile = self.reached.stored.clone()?;
        Some((profile.store(self.configuration.as_deref()?), profile))
    }

    /// Whether the service that is reached is that of a rotation.
    pub(crate) fn reach_that_of(&self, record: &Record) -> bool {
        let service = self.service();
        (&record.service.provider, &record.service.api_url) == (&service.provider, &service.api_url)
    }

    /// The service, as a later run finds it again.
    pub(crate) fn service(&self) -> Where {
        let origin = &self.reached.origin;
        let profile = origin.profile.clone();
        Where { provider: origin.provider.to_owned(), profile, api_url: origin.api_url.clone() }
    }
}
