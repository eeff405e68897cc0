//! What long work is being done, on a terminal.
//!
//! A line appears when work has taken `PATIENCE`, so that quick runs never flicker, and is gone before anything else
//! is written: the caller says when work begins and when it rests, and after [`Progress::rest`] nothing is drawn. While
//! a command runs there is no work of ours, so the line never stands between the bytes of a command.
//!
//! It is drawn by a thread, because work that reads one large file has no moment to look at a clock. The thread is
//! started when work begins for the first time, and woken only where it would sleep through its moment. Nobody waits
//! for it: when the work rests nothing of it is left on the terminal, and a program that ends takes it along. Where
//! nothing is to be drawn there is no thread, and beginning and resting cost nothing.
//!
//! Deliberately absent: colours, and characters that a terminal might not know.

use crate::config::settings::Status;
use crate::world::host::Host;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::ffi::OsStr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long work takes before it is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the line is drawn again.
const TICK: Duration = Duration::from_millis(100);

/// Shows work, where there is somebody to see it.
#[derive(Debug)]
pub struct Progress {
    canvas: Option<Arc<Canvas>>,
    has_artist: bool,
    works: bool,
}

/// What the drawing thread looks at.
#[derive(Debug, Default)]
struct Canvas {
    scene: Mutex<Scene>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Scene {
    work: Option<(&'static str, Instant)>,
    line: Option<ProgressBar>,
    is_over: bool,
    /// The thread waits for work, and not for the time.
    is_idle: bool,
}

impl Progress {
    /// Shows work on standard error, if that is a terminal that can take a line away again, and the status line is
    /// not switched off.
    pub fn of(status: Status, host: &Host) -> Self {
        let shows = is_shown(status, host.terminals.stderr, host.variable("TERM"));
        Self { canvas: shows.then(Arc::default), has_artist: false, works: false }
    }

    /// Returns whether there is anybody to see it.
    pub const fn is_shown(&self) -> bool {
        self.canvas.is_some()
    }

    /// Says what is being done from now on, as in `hashing inputs`.
    pub fn begin(&mut self, work: &'static str) {
        let Some(canvas) = &self.canvas else { return };
        let mut scene = canvas.scene();
        scene.clear();
        scene.work = Some((work, Instant::now()));
        let is_idle = scene.is_idle;
        drop(scene);
        self.works = true;
        if is_idle {
            canvas.changed.notify_one();
        }
        if !self.has_artist {
            let canvas = Arc::clone(canvas);
            let builder = std::thread::Builder::new().name("progress".into());
            // Where there is no thread to be had nothing is shown.
            self.has_artist = builder.spawn(move || canvas.draw()).is_ok();
        }
    }

    /// Writes something while the work goes on: the line is taken away for it, and comes back below.
    pub fn aside<T>(&mut self, write: impl FnOnce() -> T) -> T {
        let mut scene = self.canvas.as_ref().map(|canvas| canvas.scene());
        if let Some(scene) = &mut scene {
            scene.erase();
        }
        // Nothing is drawn while the scene is locked.
        write()
    }

    /// Says that the work is done. What was drawn is gone when this returns.
    pub fn rest(&mut self) {
        if let Some(canvas) = self.canvas.as_ref().filter(|_| std::mem::take(&mut self.works)) {
            canvas.scene().clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let Some(canvas) = self.canvas.as_ref().filter(|_| self.has_artist) else { return };
        let mut scene = canvas.scene();
        scene.clear();
        scene.is_over = true;
        let is_idle = scene.is_idle;
        drop(scene);
        // One that waits for the time looks by itself.
        if is_idle {
            canvas.changed.notify_one();
        }
    }
}

fn is_shown(status: Status, is_terminal: bool, kind: Option<&OsStr>) -> bool {
    let can_erase = kind.is_some_and(|kind| !kind.is_empty() && kind != "dumb");
    status != Status::Never && is_terminal && can_erase
}

impl Scene {
    fn clear(&mut self) {
        self.work = None;
        self.erase();
    }

    fn erase(&mut self) {
        if let Some(line) = self.line.take() {
            line.finish_and_clear();
        }
    }
}

impl Canvas {
    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws until it is over. Drawing holds the lock: whoever clears the scene waits for the line to be whole.
    fn draw(&self) {
        let mut scene = self.scene();
        while !scene.is_over {
            let pause = match scene.work {
                None => None,
                Some((work, since)) => match PATIENCE.checked_sub(since.elapsed()) {
                    Some(left) if !left.is_zero() => Some(left),
                    _ => {
                        scene.line.get_or_insert_with(|| line(work, since)).tick();
                        Some(TICK)
                    }
                },
            };
            scene.is_idle = pause.is_none();
            scene = match pause {
                None => self.changed.wait(scene).unwrap_or_else(PoisonError::into_inner),
                Some(pause) => {
                    self.changed.wait_timeout(scene, pause).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

fn line(work: &'static str, since: Instant) -> ProgressBar {
    let style = ProgressStyle::with_template("taskcache: {msg} {elapsed} {spinner}");
    let style = style.expect("the template is a constant, and a test draws it").tick_chars("|/-\\ ");
    let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    line.with_elapsed(since.elapsed()).with_style(style).with_message(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_only_where_somebody_can_see_it() {
        let shown =
            |status, is_terminal, kind: Option<&str>| is_shown(status, is_terminal, kind.map(OsStr::new));
        assert!(shown(Status::Auto, true, Some("xterm")) && shown(Status::Always, true, Some("vt100")));
        assert!(!shown(Status::Never, true, Some("xterm")));
        assert!(!shown(Status::Always, false, Some("xterm")));
        assert!(!shown(Status::Auto, true, Some("dumb")));
        assert!(!shown(Status::Auto, true, Some("")) && !shown(Status::Auto, true, None));
    }
}
