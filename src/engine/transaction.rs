//! A transaction around a command, and its hooks.
//!
//! The command ends as it ends; what follows is decided by that alone: a commit after 0, a rollback after anything
//! else. A process that dies in between leaves a transaction that nobody holds, whose results are never seen.
//!
//! Output files that commands wrote are not undone by a rollback: they are the commands' doing, as without a cache.

use super::context::{Context, variable, with_variables};
use super::plan::PlanError;
use super::record::with_cause;
use super::source::Source;
use crate::model::digest::Digest;
use crate::model::fingerprint::CacheKey;
use crate::model::locking::Locking;
use crate::model::path::printable;
use crate::store::claim::Claim;
use crate::store::transaction::{Beginning, Ended, Hook, Isolation};
use crate::store::{Store, StoreError};
use crate::world::host::Host;
use crate::world::process::{CaptureMode, Invocation, StartError, StdinSource, Termination, execute};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Why there was no transaction.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// The working directory is gone.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The command cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store cannot be used: without one nothing can be all or nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TransactionError {
    /// Returns what taskcache exits with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(error) => error.exit_code(),
            Self::Start(error) => error.exit_code(),
            Self::Store(_) => 125,
        }
    }
}

/// A transaction that is to be run around a command.
#[derive(Debug, Clone)]
pub struct TransactionRun<'a> {
    /// What others may do to the keys that it touches.
    pub isolation: Isolation,
    /// Its hooks, in order.
    pub hooks: Vec<Hook>,
    /// The store's folder.
    pub store: &'a Path,
    /// By which means it is held.
    pub locking: Locking,
    /// The command, never empty.
    pub command: &'a [OsString],
}

/// Runs a transaction; `tell` gets what the user should know beside the command's ending.
pub fn run(
    host: &Host,
    transaction: &TransactionRun<'_>,
    tell: &mut dyn FnMut(String),
) -> Result<Termination, TransactionError> {
    let directory = host.directory.as_deref().ok_or(PlanError::NoDirectory)?;
    let argv: Vec<&[u8]> = transaction.command.iter().map(|word| word.as_bytes()).collect();
    let source = Source::find(&argv, &host.environment, directory)?;
    let mut store = Store::open(transaction.store)?.locking(transaction.locking);
    let mut context = Context::of(host);
    if let Some(around) = &context.transaction {
        store.enter_named(around)?;
    }
    let words: Vec<_> = argv.iter().map(|word| printable(word)).collect();
    let beginning = Beginning {
        parent: store.entered().map(|row| row.id.clone()),
        isolation: transaction.isolation,
        command: words.join(" "),
        expires: None,
        hooks: transaction.hooks.clone(),
    };
    let is_outermost_serializable =
        transaction.isolation == Isolation::Serializable && !store.is_serializable();
    let turn = if is_outermost_serializable { wait_for_turn(&store, &context.stack)? } else { None };
    let id = store.begin(&beginning, host.clock.now())?;
    let life = store.hold(&id)?;
    store.guard(turn.iter().chain([&life]).map(Claim::fence).collect());
    if turn.is_some() {
        context.stack.push(turn_key());
    }
    let environment = environment_of(&host.environment, &context, id.as_str(), transaction.store);
    let execution = execute(Invocation {
        program: &source.program,
        argv: transaction.command,
        environment: &environment,
        directory: Some(directory),
        stdin: StdinSource::Inherit,
        capture: CaptureMode::Off,
        spool_folder: &|| Ok("/".into()),
        spool_limit: 0,
    });
    let succeeded = matches!(&execution, Ok(execution) if execution.termination == Termination::Exited(0));
    let ended = if succeeded { store.commit(&id) } else { store.roll_back(&id) };
    let ended = match ended {
        // It was stopped for so long that others went on without it. What they stored stays.
        Err(error @ StoreError::Fenced) => {
            tell(format!("the transaction was rolled back: {}", with_cause(&error)));
            store.roll_back(&id)
        }
        ended => ended,
    };
    drop((life, turn));
    match ended {
        Ok(Some(ended)) => run_hooks(host, &ended, tell),
        Ok(None) => tell(format!("the transaction {id} was ended by somebody else")),
        Err(error) => tell(format!(
            "the transaction was not ended, and nothing of it is visible: {}",
            with_cause(&error)
        )),
    }
    Ok(execution?.termination)
}

/// Serializable transactions go one after another. That gives all of them one order, so that none can wait for a key
/// of another: with locks on keys alone, two that touch the same keys in different orders would.
fn wait_for_turn(store: &Store, stack: &[CacheKey]) -> Result<Option<Claim>, StoreError> {
    let reservations = store.reservations();
    let key = turn_key();
    let _wait = if stack.is_empty() { None } else { Some(reservations.announce_wait(stack, &key)?) };
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(turn) = store.take_turn()? {
            return Ok(Some(turn));
        }
        if !stack.is_empty() && reservations.is_circular(stack, &key) {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(reservations.longest_pause());
    }
}

/// What stands for the turn of serializable transactions among the keys that runs wait for.
fn turn_key() -> CacheKey {
    CacheKey::from_digest(Digest::of(b"the turn of serializable transactions"))
}

fn environment_of(
    environment: &[(OsString, OsString)],
    context: &Context,
    id: &str,
    store: &Path,
) -> Vec<(OsString, OsString)> {
    let stack: Vec<_> = context.stack.iter().map(ToString::to_string).collect();
    let own: [(&str, OsString); 3] = [
        (variable::TRANSACTION, id.into()),
        (variable::STACK, stack.join(":").into()),
        (variable::DIR, store.as_os_str().to_owned()),
    ];
    with_variables(environment, own)
}

/// Runs the hooks of a transaction that is over: all of them, whatever becomes of each.
pub fn run_hooks(host: &Host, ended: &Ended, tell: &mut dyn FnMut(String)) {
    let kept = |(name, _): &&(OsString, OsString)| name != variable::TRANSACTION;
    let environment: Vec<_> = host.environment.iter().filter(kept).cloned().collect();
    for hook in &ended.hooks {
        let argv: [OsString; 3] = ["sh".into(), "-c".into(), OsStr::from_bytes(&hook.command).to_owned()];
        let execution = execute(Invocation {
            program: Path::new("/bin/sh"),
            argv: &argv,
            environment: &environment,
            directory: Some(&hook.directory),
            stdin: StdinSource::Null,
            capture: CaptureMode::Off,
            spool_folder: &|| Ok("/".into()),
            spool_limit: 0,
        });
        let shown = printable(&hook.command);
        match execution.map(|execution| execution.termination) {
            Ok(Termination::Exited(0)) => {}
            Ok(Termination::Exited(code)) => tell(format!("the hook '{shown}' exited with {code}")),
            Ok(Termination::Signalled(signal)) => tell(format!("the hook '{shown}' died by signal {signal}")),
            Err(error) => tell(format!("the hook '{shown}' did not run: {error}")),
        }
    }
}
