//! The live view of a workflow: events in, lines out.
//!
//! On a terminal the steps are drawn anew in place; elsewhere each change is one line, for logs.
//! The view decides nothing and reads no clock: how long the running step has taken is told to it.

use upkeep_api::body::{Event, EventKind, Progress};

use super::amounts::{bytes, millis};

const NAME_WIDTH: usize = 19;
/// A longer one would wrap on an ordinary terminal, and the cursor would come back too low.
const LINE_CHARS_MAX: usize = 79;
const UP_AND_CLEAR: &str = "\x1b[1A\x1b[2K";
/// Away from a terminal, progress is a line each time this part more is done.
const PROGRESS_PARTS: u64 = 10;
/// The same when the whole is not known.
const PROGRESS_BYTES: u64 = 1 << 28;
/// Away from a terminal, a wait that goes on is a line each time it was told this often.
const WAITS_A_LINE: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    InPlace,
    LineByLine,
}

pub struct LiveView {
    drawing: Drawing,
    steps: Vec<StepLine>,
    lines_drawn: usize,
    progress_part: Option<u64>,
    /// The last sentence of something that failed.
    pub trouble: Option<String>,
}

struct StepLine {
    step: String,
    sentence: String,
    state: State,
    waiting_for: Option<String>,
    waits: u32,
    progress: Option<Progress>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Runs,
    Done(Option<f64>),
    Failed,
}

impl LiveView {
    pub fn new(drawing: Drawing) -> Self {
        Self {
            drawing,
            steps: Vec::new(),
            lines_drawn: 0,
            progress_part: None,
            trouble: None,
        }
    }

    /// Takes in one event. Returns what has to be written for it now.
    pub fn take(&mut self, event: &Event) -> String {
        let news = !self.waits_already(event);
        self.remember(event);
        if self.drawing == Drawing::InPlace || !news {
            return String::new();
        }
        self.line_for(event)
            .map(|line| line + "\n")
            .unwrap_or_default()
    }

    /// A step that waits says so again and again, with another age each time.
    fn waits_already(&self, event: &Event) -> bool {
        let same_step = |line: &&StepLine| Some(&line.step) == event.step.as_ref();
        let Some(line) = self.steps.iter().rev().find(same_step) else {
            return false;
        };
        let before = line.waiting_for.as_deref().map(without_digits);
        event.kind == EventKind::Waiting
            && before.is_some_and(|before| before == without_digits(&event.sentence))
            && !(line.waits + 1).is_multiple_of(WAITS_A_LINE)
    }

    /// All steps anew, over those drawn before; `running_ms` is the age of the running step.
    pub fn redraw(&mut self, running_ms: f64) -> String {
        if self.drawing == Drawing::LineByLine {
            return String::new();
        }
        let lines: Vec<String> = self
            .steps
            .iter()
            .flat_map(|step| step.lines(running_ms))
            .collect();
        let mut text = UP_AND_CLEAR.repeat(self.lines_drawn);
        for line in &lines {
            text.extend(line.trim_end().chars().take(LINE_CHARS_MAX));
            text.push('\n');
        }
        self.lines_drawn = lines.len();
        text
    }

    fn remember(&mut self, event: &Event) {
        if matches!(event.kind, EventKind::Failed | EventKind::Again) {
            self.trouble = Some(event.sentence.clone());
        }
        let Some(step) = &event.step else { return };
        if event.kind == EventKind::Began {
            self.steps.push(StepLine::new(step, &event.sentence));
            self.progress_part = None;
            return;
        }
        let Some(line) = self.steps.iter_mut().rev().find(|line| line.step == *step) else {
            return;
        };
        match event.kind {
            EventKind::Waiting | EventKind::Again => {
                line.waiting_for = Some(event.sentence.clone());
                line.waits += 1;
            }
            EventKind::Progress => line.progress = event.progress,
            EventKind::Done => line.state = State::Done(event.elapsed_ms),
            EventKind::Failed => {
                line.state = State::Failed;
                line.waiting_for = Some(event.sentence.clone());
            }
            EventKind::Began | EventKind::Ended | EventKind::Note => {}
        }
    }

    fn line_for(&mut self, event: &Event) -> Option<String> {
        let text = match event.kind {
            EventKind::Began | EventKind::Note => event.sentence.clone(),
            EventKind::Ended => self.without_trouble(&event.sentence).to_owned(),
            EventKind::Waiting => format!("waiting: {}", event.sentence),
            EventKind::Again => format!("again: {}", event.sentence),
            EventKind::Failed => format!("failed: {}", event.sentence),
            EventKind::Progress => self.progress_line(event.progress?)?,
            EventKind::Done => match event.elapsed_ms {
                Some(ms) => format!("done in {}", millis(ms)),
                None => "done".to_owned(),
            },
        };
        // The end is the procedure's, not that of the step at which it came.
        let step = event
            .step
            .as_ref()
            .filter(|_| event.kind != EventKind::Ended);
        let step = step.unwrap_or(&event.procedure);
        Some(format!("{step:NAME_WIDTH$} {text}"))
    }

    /// What failed was told when it did.
    fn without_trouble<'a>(&self, sentence: &'a str) -> &'a str {
        let trouble = self.trouble.as_deref();
        let told = trouble.and_then(|trouble| sentence.strip_suffix(trouble)?.strip_suffix(": "));
        told.unwrap_or(sentence)
    }

    fn progress_line(&mut self, progress: Progress) -> Option<String> {
        let part = match progress.total_bytes {
            Some(total) if total > 0 => progress.done_bytes.saturating_mul(PROGRESS_PARTS) / total,
            _ => progress.done_bytes / PROGRESS_BYTES,
        };
        let news = self.progress_part != Some(part);
        self.progress_part = Some(part);
        news.then(|| shown_progress(progress))
    }
}

impl StepLine {
    fn new(step: &str, sentence: &str) -> Self {
        Self {
            step: step.to_owned(),
            sentence: sentence.to_owned(),
            state: State::Runs,
            waiting_for: None,
            waits: 0,
            progress: None,
        }
    }

    fn lines(&self, running_ms: f64) -> Vec<String> {
        let (mark, time) = match self.state {
            State::Runs => ("▸", millis(running_ms)),
            State::Done(ms) => ("✓", ms.map(millis).unwrap_or_default()),
            State::Failed => ("✗", String::new()),
        };
        let mut lines = vec![format!("{mark} {:62} {time:>12}", self.sentence)];
        if self.state == State::Runs {
            lines.extend(
                self.progress
                    .map(|progress| format!("    {}", shown_progress(progress))),
            );
        }
        if !matches!(self.state, State::Done(_)) {
            lines.extend(self.waiting_for.as_ref().map(|what| format!("    {what}")));
        }
        lines
    }
}

fn without_digits(sentence: &str) -> String {
    sentence.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The whole is an estimate made before: writes go on, and WAL comes on top.
fn shown_progress(progress: Progress) -> String {
    let done = bytes(progress.done_bytes);
    match progress.total_bytes {
        Some(total) if total > 0 && total >= progress.done_bytes => {
            let percent = progress.done_bytes.saturating_mul(100) / total;
            format!("{done} of about {} ({percent} %)", bytes(total))
        }
        Some(total) if total > 0 => format!("{done}, more than the estimated {}", bytes(total)),
        _ => done,
    }
}
