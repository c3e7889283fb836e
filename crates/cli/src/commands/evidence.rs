//! `scanner evidence`: take what was seen to an auditor, and verify it offline.

use std::{fs::File, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use model::{AccountId, Clock as _, SystemClock, WrittenMoment};
use proof::{
    SealHash,
    archive::{Verified, VerifyError, verify},
};
use store::{Store, VerifiedStore};

use crate::{
    commands::asked,
    exit::{BadInput, Exit},
    output::{Destination, say},
    settings::DEFAULT_STORE,
};

/// The flags of `scanner evidence`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write what a sweep saw, with everything that is needed to verify it, into one file.
    Export {
        /// The sweep: its number, or a time as of which; the last one that had finished by then.
        #[arg(long, value_name = "TIME|SWEEP")]
        sweep: WrittenMoment,
        /// This account alone; what concerns others is withheld.
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        /// The file, which must not be there yet.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// The store.
        #[arg(long, value_name = "PATH", env = "SCANNER_STORE", default_value = DEFAULT_STORE)]
        store: PathBuf,
    },
    /// Verify an archive, or a whole store: exit code 3 and the first thing that does not fit where
    /// something was altered, or where a seal that was noted is not there.
    Verify {
        /// The archive.
        #[arg(value_name = "FILE", required_unless_present = "store")]
        archive: Option<PathBuf>,
        /// The store instead of an archive.
        #[arg(long, value_name = "PATH", conflicts_with = "archive")]
        store: Option<PathBuf>,
        /// A seal that was noted before: it must be among those that are there.
        #[arg(long, value_name = "HASH")]
        expect: Option<SealHash>,
    },
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    match options.what {
        What::Export {
            sweep,
            account,
            output,
            store,
        } => export(sweep, account, output, store).await,
        What::Verify {
            archive: Some(archive),
            expect,
            ..
        } => verify_archive(archive, expect).await,
        What::Verify { store, expect, .. } => verify_store(store, expect).await,
    }
}

async fn export(
    sweep: WrittenMoment,
    account: Option<AccountId>,
    output: PathBuf,
    store: PathBuf,
) -> anyhow::Result<Exit> {
    if output.exists() {
        return Err(BadInput::of(format!(
            "{} exists already; name another file",
            output.display()
        )));
    }
    Destination::new(Some(output.clone()))?;
    let store = Store::open_reader(&store).await?;
    let moment = asked::moment(&store, sweep, SystemClock.now()).await?;
    // Beside its place, so that it is there in full or not at all.
    let mut part = output.file_name().unwrap_or_default().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = output.with_file_name(part);
    let write = async {
        let file =
            File::create_new(&part).with_context(|| format!("cannot create {}", part.display()))?;
        let mut file = std::io::BufWriter::new(file);
        let verified = store.export(moment.sweep, account, &mut file).await?;
        file.flush()
            .and_then(|()| file.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&part, &output))
            .with_context(|| format!("cannot write {}", output.display()))?;
        anyhow::Ok(verified)
    };
    let written = write.await;
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    let verified = written?;
    store.close().await;
    say(&format!(
        "{} holds {}",
        output.display(),
        of_archive(&verified)
    ));
    Ok(Exit::Success)
}

fn of_archive(verified: &Verified) -> String {
    let of = if verified.is_whole {
        format!("all {} accounts", verified.accounts)
    } else {
        format!(
            "{} of {} accounts",
            verified.accounts, verified.accounts_sealed
        )
    };
    format!(
        "sweep {} with {of}, {} documents, {} drifts; its seal is {}",
        verified.sweep, verified.documents, verified.drifts.shown, verified.seal
    )
}

async fn verify_archive(archive: PathBuf, expect: Option<SealHash>) -> anyhow::Result<Exit> {
    let path = archive.clone();
    let verified = tokio::task::spawn_blocking(move || {
        let file = File::open(&path).map_err(VerifyError::Input)?;
        verify(file, expect)
    });
    let verified = match verified.await.context("the archive was not verified")? {
        Ok(verified) => verified,
        Err(VerifyError::Tampered(misfit)) => {
            say(&format!(
                "error: {} was altered: {misfit}",
                archive.display()
            ));
            return Ok(Exit::Fail);
        }
        Err(VerifyError::NotNoted { expected, seals }) => {
            let (first, last) = seals;
            say(&format!(
                "error: {} is whole in itself, but the noted seal {expected} is not among its seals (sweeps \
                 {first} to {last}): it was noted after the export, or belongs to another history\n  help: export \
                 again, or expect the seal of sweep {last} or earlier",
                archive.display()
            ));
            return Ok(Exit::Fail);
        }
        Err(error @ VerifyError::NotAnArchive(_)) => {
            return Err(BadInput::of(format!("{}: {error}", archive.display())));
        }
        Err(VerifyError::Input(error)) => {
            return Err(BadInput::of(format!(
                "cannot read {}: {error}",
                archive.display()
            )));
        }
    };
    let advice = match verified.noted_sweep {
        Some(noted) if noted < verified.sweep => format!(
            "The seal that was expected is of sweep {noted}: it vouches for what was sealed by then, and not \
             for sweep {}.",
            verified.sweep
        ),
        Some(noted) => format!("The seal that was expected is of sweep {noted}."),
        None => "Compare the seal with one that was noted elsewhere (--expect): whoever rewrites a whole \
                 history can seal it anew."
            .to_owned(),
    };
    Destination::Stdout.write(&format!(
        "Everything fits: {}.\n{advice}\n",
        of_archive(&verified)
    ))?;
    Ok(Exit::Success)
}

async fn verify_store(path: Option<PathBuf>, expect: Option<SealHash>) -> anyhow::Result<Exit> {
    let path = path.unwrap_or_else(|| DEFAULT_STORE.into());
    let store = Store::open_reader(&path).await?;
    let verified = match store.verify(expect).await {
        Ok(verified) => verified,
        Err(error) => {
            let Some(misfit) = error.misfit() else {
                return Err(error.into());
            };
            say(&format!("error: {error}: {misfit}"));
            return Ok(Exit::Fail);
        }
    };
    store.close().await;
    Destination::Stdout.write(&of_store(&verified))?;
    Ok(Exit::Success)
}

fn of_store(verified: &VerifiedStore) -> String {
    let (Some(head), Some(sweep)) = (verified.head, verified.head_sweep) else {
        return "Nothing is sealed yet: a sweep that finishes is.\n".to_owned();
    };
    let mut lines = vec![format!(
        "Everything fits: {} seals over {} sweeps, {} accounts, {} findings, {} drifts, {} documents.\n\
         The last seal is of sweep {sweep}: {head}",
        verified.seals,
        verified.sweeps,
        verified.accounts,
        verified.findings,
        verified.drifts,
        verified.documents,
    )];
    if let (Some(since), true) = (verified.sealed_since, verified.earlier_sweeps > 0) {
        lines.push(format!(
            "What ended before sweep {since} was written by an earlier version and is not sealed."
        ));
    }
    // Those that were stopped, or whose process died, and that were not gone on with.
    match verified.unfinished_sweeps - verified.unsealed_sweeps {
        0 => {}
        1 => lines.push(
            "1 sweep did not come to its end and has no seal of its own: the next seal is over it."
                .to_owned(),
        ),
        several => lines.push(format!(
            "{several} sweeps did not come to their end and have no seal of their own: the next seal is over each."
        )),
    }
    match verified.unsealed_sweeps {
        0 => {}
        1 => lines.push(
            "1 sweep after the last seal has not come to its end; the next seal is over it.".to_owned(),
        ),
        several => lines.push(format!(
            "{several} sweeps after the last seal have not come to their end; the next seal is over them."
        )),
    }
    if let Some(from) = verified.content_from {
        lines.push(format!(
            "What ended before sweep {from} was dropped; its sweeps and seals are there."
        ));
    }
    if let Some(noted) = verified.noted_sweep {
        lines.push(format!("The seal that was expected is of sweep {noted}."));
    }
    let unsealed = verified.unsealed_drifts + verified.unsealed_journal;
    if unsealed > 0 {
        lines.push(format!(
            "{unsealed} records came after the last seal; the next sweep seals them."
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}
